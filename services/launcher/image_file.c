#include "launcher/image_file.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (256u << 10)

struct file_source {
    struct image_source source;
    const atomic_bool *cancelled;
    int fd;
    int64_t left; /* of what it may have */
    char bytes[READ_BYTES];
};

static bool read_file(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                      struct error *err)
{
    struct file_source *file = (struct file_source *)source;
    if (atomic_load(file->cancelled))
        return error_set(err, ERROR_CANCELLED, "nobody waits for it any more");
    ssize_t len = read(file->fd, file->bytes, sizeof file->bytes);
    if (len < 0)
        return error_set_errno(err, errno, "could not read it");
    file->left -= len;
    if (file->left < 0)
        return error_set(err, ERROR_OUT_OF_RANGE, "it is larger than it may be");
    *ret_bytes = file->bytes;
    *ret_len = (size_t)len;
    return true;
}

static bool check_file(int fd, struct stat *ret_st, struct error *err)
{
    if (fd < 0)
        return error_set_errno(err, errno, "could not open it");
    if (fstat(fd, ret_st) < 0 || !S_ISREG(ret_st->st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "it is not a regular file");
    return true;
}

struct image_source *image_file_open(const char *path, int64_t max_bytes,
                                     const atomic_bool *cancelled,
                                     char ret_validator[IMAGE_FILE_VALIDATOR_BYTES],
                                     struct error *err)
{
    struct stat st;
    /* A named pipe in its place does not hold the worker up. */
    cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (!check_file(fd, &st, err))
        return NULL;
    struct file_source *file = xcalloc(1, sizeof *file);
    file->source.read = read_file;
    file->cancelled = cancelled;
    file->left = max_bytes;
    file->fd = TAKE_FD(fd);
    snprintf(ret_validator, IMAGE_FILE_VALIDATOR_BYTES, "%llx.%llx.%llx.%llx",
             (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
             (unsigned long long)st.st_ctim.tv_sec, (unsigned long long)st.st_ctim.tv_nsec);
    return &file->source;
}

void image_file_close(struct image_source *source)
{
    struct file_source *file = (struct file_source *)source;
    if (!file)
        return;
    close(file->fd);
    free(file);
}
