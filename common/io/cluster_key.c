#include "io/cluster_key_bytes.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#define TEXT_BYTES (2 * CLUSTER_KEY_BYTES)

static bool check_file(int fd, const char *path, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return error_set_errno(err, errno, "could not examine cluster key file \"%s\"", path);
    if (!S_ISREG(status.st_mode))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "cluster key file \"%s\" is not a regular file", path);
    if (status.st_mode & (S_IRWXG | S_IRWXO))
        return error_set(err, ERROR_PERMISSION_DENIED,
                         "cluster key file \"%s\" may be read by others, expected mode 0600", path);
    return true;
}

static bool decode(struct cluster_key *key, struct slice text)
{
    size_t len;
    const char *end;
    return text.len == TEXT_BYTES &&
           sodium_hex2bin(key->bytes, sizeof key->bytes, text.ptr, text.len, NULL, &len, &end) ==
               0 &&
           len == sizeof key->bytes && end == text.ptr + text.len;
}

struct cluster_key *cluster_key_read(const char *path, struct error *err)
{
    char text[TEXT_BYTES + 3];
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        error_set_errno(err, errno, "could not open cluster key file \"%s\"", path);
        return NULL;
    }
    if (!check_file(fd, path, err))
        return NULL;
    ssize_t len = read(fd, text, sizeof text);
    if (len < 0) {
        error_set_errno(err, errno, "could not read cluster key file \"%s\"", path);
        return NULL;
    }
    struct cluster_key *key = xcalloc(1, sizeof *key);
    bool is_valid = decode(key, slice_trim((struct slice){ text, (size_t)len }));
    sodium_memzero(text, sizeof text);
    if (!is_valid) {
        cluster_key_free(key);
        error_set(err, ERROR_INVALID_ARGUMENT,
                  "cluster key file \"%s\" is not a key, expected %d hexadecimal digits", path,
                  TEXT_BYTES);
        return NULL;
    }
    return key;
}

void cluster_key_free(struct cluster_key *key)
{
    if (!key)
        return;
    sodium_memzero(key, sizeof *key);
    free(key);
}
