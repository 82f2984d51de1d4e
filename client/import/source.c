#include "client/import/source.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/import/tar_index.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#define INFLATED_MAX_BYTES (64ll << 30)
#define COPY_BYTES         (256u << 10)

struct import_source {
    int fd; /* of the archive, or of the directory */
    bool is_directory;
    struct tar_index *index;
};

static bool read_exactly(int fd, int64_t at, void *bytes, size_t len, struct error *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(fd, (char *)bytes + done, len - done, at + (int64_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, errno, "could not read the archive");
        if (got == 0)
            return error_set(err, ERROR_DATA_LOSS, "a file became shorter while it was read");
        done += (size_t)got;
    }
    return true;
}

static bool read_archive(void *user, int64_t offset, void *bytes, size_t len, struct error *err)
{
    const struct import_source *source = user;
    return read_exactly(source->fd, offset, bytes, len, err);
}

/* -- gzip ----------------------------------------------------------------------------------------- */

static bool is_gzip(int fd)
{
    unsigned char magic[2];
    return pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
}

/* A file without a name, so that nothing is left of it. */
static int open_temporary(void)
{
    const char *directory = getenv("TMPDIR");
    int fd = open(directory && *directory ? directory : "/var/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC,
                  0600);
    return fd >= 0 ? fd : open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
}

static bool write_all(int fd, const char *bytes, size_t len, struct error *err)
{
    while (len > 0) {
        ssize_t count = write(fd, bytes, len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_set_errno(err, errno, "could not write the archive's content to $TMPDIR");
        bytes += count;
        len -= (size_t)count;
    }
    return true;
}

static void close_gzip(gzFile *file)
{
    if (*file)
        gzclose(*file);
}

static bool inflate_into(int from, int to, struct error *err)
{
    int copy = dup(from), code = Z_OK;
    CLEANUP(close_gzip) gzFile file = copy >= 0 ? gzdopen(copy, "rb") : NULL;
    cleanup_free char *bytes = malloc(COPY_BYTES);
    int64_t total = 0;
    if (!file || !bytes)
        return error_set_errno(err, errno, "could not read the archive");
    for (int len = 1; len > 0; total += len) {
        len = gzread(file, bytes, COPY_BYTES);
        if (len < 0)
            return error_set(err, ERROR_INVALID_ARGUMENT, "the archive's gzip is damaged: %s",
                             gzerror(file, &code));
        if (total + len > INFLATED_MAX_BYTES)
            return error_set(err, ERROR_OUT_OF_RANGE, "the archive has more than %lld bytes",
                             INFLATED_MAX_BYTES);
        if (!write_all(to, bytes, (size_t)len, err))
            return false;
    }
    const char *trouble =
        gzerror(file, &code); /* an end that comes early is no failure of gzread() */
    return code == Z_OK ||
           error_set(err, ERROR_INVALID_ARGUMENT, "the archive's gzip is damaged: %s", trouble);
}

static bool replace_gzip(struct import_source *source, struct error *err)
{
    cleanup_close int plain = open_temporary();
    if (plain < 0)
        return error_set_errno(err, errno, "could not make a file in $TMPDIR");
    if (lseek(source->fd, 0, SEEK_SET) < 0)
        return error_set_errno(err, errno, "could not read the archive");
    if (!inflate_into(source->fd, plain, err))
        return false;
    close(source->fd);
    source->fd = TAKE_FD(plain);
    return true;
}

/* -- opening -------------------------------------------------------------------------------------- */

static bool open_archive(struct import_source *source, struct arena *arena, struct error *err)
{
    struct stat status;
    if (is_gzip(source->fd) && !replace_gzip(source, err))
        return false;
    if (fstat(source->fd, &status) < 0)
        return error_set_errno(err, errno, "could not look at the archive");
    source->index = tar_index_read(read_archive, source, status.st_size, arena, err);
    return source->index != NULL;
}

static bool open_any(struct import_source *source, const char *path, struct arena *arena,
                     struct error *err)
{
    struct stat status;
    source->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &status) < 0)
        return error_set_errno(err, errno, "could not open it");
    source->is_directory = S_ISDIR(status.st_mode);
    if (source->is_directory)
        return true;
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "it is neither a directory nor a file");
    return open_archive(source, arena, err);
}

struct import_source *import_source_open(const char *path, struct arena *arena, struct error *err)
{
    struct import_source *source = xcalloc(1, sizeof *source);
    source->fd = -1;
    if (open_any(source, path, arena, err))
        return source;
    import_source_close(source);
    return NULL;
}

void import_source_close(struct import_source *source)
{
    if (!source)
        return;
    close_fd(&source->fd);
    tar_index_done(source->index);
    free(source);
}

/* -- files ---------------------------------------------------------------------------------------- */

/* What a layout names is its author's word: it may not lead out of the directory. */
static int open_beneath(const struct import_source *source, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, source->fd, path, &how, sizeof how);
}

static bool open_in_directory(const struct import_source *source, const char *path,
                              struct import_file *file, struct error *err)
{
    struct stat status;
    *file = (struct import_file){ .is_own_fd = true };
    file->fd = open_beneath(source, path, O_RDONLY | O_NONBLOCK);
    if (file->fd < 0)
        return error_set_errno(err, errno, "could not open \"%.100s\"", path);
    if (fstat(file->fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(file->fd);
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"%.100s\" is not a regular file", path);
    }
    file->size = status.st_size;
    return true;
}

bool import_source_has(struct import_source *source, const char *path)
{
    struct tar_file file;
    if (source->is_directory) {
        cleanup_close int fd = open_beneath(source, path, O_PATH);
        return fd >= 0;
    }
    return tar_index_find(source->index, path, &file);
}

bool import_file_open(struct import_source *source, const char *path, struct import_file *ret_file,
                      struct error *err)
{
    struct tar_file file;
    if (source->is_directory)
        return open_in_directory(source, path, ret_file, err);
    if (!tar_index_find(source->index, path, &file))
        return error_set(err, ERROR_NOT_FOUND, "the archive has no \"%.100s\"", path);
    *ret_file = (struct import_file){ source->fd, false, file.offset, file.size };
    return true;
}

void import_file_close(struct import_file *file)
{
    if (file->is_own_fd)
        close_fd(&file->fd);
}

bool import_file_read(const struct import_file *file, int64_t at, void *bytes, size_t len,
                      struct error *err)
{
    return read_exactly(file->fd, file->offset + at, bytes, len, err);
}

bool import_source_read(struct import_source *source, const char *path, size_t max,
                        struct text *ret_bytes, struct error *err)
{
    struct import_file file = { .fd = -1 };
    if (!import_file_open(source, path, &file, err))
        return false;
    bool ok = (uint64_t)file.size <= max ||
              error_set(err, ERROR_OUT_OF_RANGE, "\"%.100s\" is over %zu bytes", path, max);
    if (ok) {
        text_clear(ret_bytes);
        text_reserve(ret_bytes, (size_t)file.size);
        ok = import_file_read(&file, 0, ret_bytes->ptr, (size_t)file.size, err);
        ret_bytes->len = ok ? (size_t)file.size : 0;
    }
    import_file_close(&file);
    return ok;
}
