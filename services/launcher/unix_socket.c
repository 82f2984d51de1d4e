#include "launcher/unix_socket.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The path of a socket may be no longer than 107 bytes, so it is reached through its descriptor. */
int unix_socket_dial(const char *directory, const char *name, enum unix_socket_link link)
{
    cleanup_close int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cleanup_close int node =
        openat(dir, name, O_PATH | O_CLOEXEC | (link == LINK_IS_REFUSED ? O_NOFOLLOW : 0));
    cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", node);
    if (node < 0 || fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return TAKE_FD(fd);
}
