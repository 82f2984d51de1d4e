#pragma once

#include "base/arena.h"
#include "base/error.h"

#include <sys/socket.h>

/* "127.0.0.1:8081" or "[::1]:8081", with a numeric address. */
bool address_parse(const char *text, struct sockaddr_storage *ret_address,
                   struct error *err) MUST_CHECK;

/* Whether only this machine can reach it. */
bool address_is_loopback(const struct sockaddr_storage *address);

/* Whether it can be listened at; gives the text of it, with a free port in place of port 0.  A moment
 * is allowed for a gateway that is just going down.  FAILED_PRECONDITION when somebody else listens
 * there. */
bool address_reserve(const char *text, struct arena *arena, const char **ret_text,
                     struct error *err) MUST_CHECK;
