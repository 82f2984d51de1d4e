#include "launcher/unix_socket.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The path of a socket may be no longer than 107 bytes, so it is reached through a descriptor of its
 * directory. */
int unix_socket_dial(const char *directory, const char *name)
{
    cleanup_close int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%.64s", dir, name);
    if (dir < 0 || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return TAKE_FD(fd);
}
