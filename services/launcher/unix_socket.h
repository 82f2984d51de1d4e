#pragma once

/* Connects to a stream socket, however long its path is, without waiting.  Non-blocking; -1 with errno:
 * ENOENT or ECONNREFUSED when nobody listens, EAGAIN when too many have dialled at once. */
int unix_socket_dial(const char *directory, const char *name);
