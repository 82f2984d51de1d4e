#include "executor/files.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

bool file_read(int dir_fd, const char *name, size_t max, struct text *ret_contents,
               struct error *err)
{
    cleanup_close int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", name);
    for (;;) {
        text_reserve(ret_contents, 16384);
        ssize_t count = read(fd, ret_contents->ptr + ret_contents->len, 16384);
        if (count < 0)
            return error_set_errno(err, errno, "could not read \"%s\"", name);
        if (count == 0)
            break;
        ret_contents->len += (size_t)count;
        if (ret_contents->len > max)
            return error_set(err, ERROR_OUT_OF_RANGE, "\"%s\" is larger than %zu bytes", name, max);
    }
    ret_contents->ptr[ret_contents->len] = '\0';
    return true;
}

bool write_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t count = write(fd, at, len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        at += count;
        len -= (size_t)count;
    }
    return true;
}

/* Only a crash of the executor must not tear the file: a crash of the host ends its task anyway, so
 * nothing is synced. */
bool file_replace(int dir_fd, const char *name, struct slice contents, struct error *err)
{
    cleanup_free char *temporary = xasprintf(".%s.new", name);
    cleanup_close int fd =
        openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !write_all(fd, contents.ptr, contents.len))
        return error_set_errno(err, errno, "could not write \"%s\"", temporary);
    if (renameat(dir_fd, temporary, dir_fd, name) < 0)
        return error_set_errno(err, errno, "could not rename \"%s\" to \"%s\"", temporary, name);
    return true;
}

bool file_write(int dir_fd, const char *name, const char *text, struct error *err)
{
    cleanup_close int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", name);
    size_t len = strlen(text);
    if (write(fd, text, len) != (ssize_t)len)
        return error_set_errno(err, errno, "could not write \"%s\" to \"%s\"", text, name);
    return true;
}

bool make_directories(const char *path, mode_t mode, struct error *err)
{
    cleanup_free char *part = xstrdup(path);
    for (char *at = part + 1;; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(part, mode) < 0 && errno != EEXIST)
            return error_set_errno(err, errno, "could not make directory \"%s\"", part);
        *at = end;
        if (end == '\0')
            return true;
    }
}

/* An engine's filter may hide close_range().  What this program opens has low numbers. */
void close_descriptors(int first, int last)
{
    if (close_range((unsigned)first, last == INT_MAX ? ~0u : (unsigned)last, 0) == 0)
        return;
    for (int fd = first; fd <= last && fd < 4096; fd++)
        close(fd);
}
