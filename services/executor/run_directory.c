#include "executor/run_directory.h"

#include "executor/files.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define SOCKET_NAME "executor.sock"

bool run_directory_open(struct run_directory *directory, const char *path, struct error *err)
{
    cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open run directory \"%s\"", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return error_set(err, ERROR_FAILED_PRECONDITION,
                             "another executor holds run directory \"%s\"", path);
        return error_set_errno(err, errno, "could not lock run directory \"%s\"", path);
    }
    directory->fd = TAKE_FD(fd);
    return true;
}

void run_directory_close(struct run_directory *directory)
{
    if (directory->fd >= 0)
        close(directory->fd);
    directory->fd = -1;
}

/* An address holds 107 bytes of path; through the descriptor any directory is near. */
static struct sockaddr_un socket_address(const struct run_directory *directory)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/" SOCKET_NAME,
             directory->fd);
    return address;
}

bool run_directory_listen(const struct run_directory *directory, int *ret_fd, struct error *err)
{
    struct sockaddr_un address = socket_address(directory);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "could not make a socket");
    run_directory_remove_socket(directory);
    mode_t mask = umask(0177);
    int status = bind(fd, (struct sockaddr *)&address, sizeof address);
    int errnum = errno;
    umask(mask);
    if (status < 0)
        return error_set_errno(err, errnum, "could not bind \"" SOCKET_NAME "\"");
    if (listen(fd, 16) < 0)
        return error_set_errno(err, errno, "could not listen on \"" SOCKET_NAME "\"");
    *ret_fd = TAKE_FD(fd);
    return true;
}

void run_directory_remove_socket(const struct run_directory *directory)
{
    (void)unlinkat(directory->fd, SOCKET_NAME, 0);
}

bool run_directory_has_exit(const struct run_directory *directory)
{
    return faccessat(directory->fd, "exit", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool run_directory_write(const struct run_directory *directory, const char *name,
                         const Eos__Executor__V1__State *state, struct error *err)
{
    size_t len = eos__executor__v1__state__get_packed_size(state);
    cleanup_free uint8_t *bytes = xcalloc(len + 1, 1);
    eos__executor__v1__state__pack(state, bytes);
    return file_replace(directory->fd, name, (struct slice){ (char *)bytes, len }, err);
}
