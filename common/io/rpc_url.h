#pragma once

#include "base/error.h"

#include <stdint.h>

#define RPC_URL_MAX 120u /* nanomsg's limit is 128 with the NUL */

/* "ipc:///absolute/path" or "tcp://host:port", the host a name, an IPv4 address, "*" or an IPv6 address
 * in brackets. */
struct rpc_url {
    char text[RPC_URL_MAX + 1];
    bool is_tcp;
    char path[RPC_URL_MAX + 1]; /* ipc only */
    char host[RPC_URL_MAX + 1]; /* tcp only; without brackets */
    uint16_t port;
    bool is_ipv6;
    bool is_loopback; /* 127.0.0.0/8, ::1 or "localhost" */
};

/* INVALID_ARGUMENT tells what was expected.  `what` names the url in the message, such as "--listen". */
bool rpc_url_parse(const char *text, struct rpc_url *ret_url, struct error *err) MUST_CHECK;
