#pragma once

/* The socket itself may be a symbolic link, where nobody but root can put one. */
enum unix_socket_link { LINK_IS_REFUSED, LINK_IS_FOLLOWED };

/* Connects to a stream socket, however long its path is, without waiting.  Non-blocking; -1 with errno:
 * ENOENT or ECONNREFUSED when nobody listens, EAGAIN when too many have dialled at once. */
int unix_socket_dial(const char *directory, const char *name, enum unix_socket_link link);
