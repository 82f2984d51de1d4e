#pragma once

#include "io/cluster_key.h"
#include "io/rpc_server.h"

#include <uv.h>

/* A server whose behaviour the request chooses, in place of the config compiler and the launcher:
 *
 *   Compile   user "size N"  answers with N bytes of text
 *             user "slow N"  answers after N ms
 *             user "never"   does not answer, and counts a cancellation
 *             user "fail"    fails with NOT_FOUND
 *             otherwise      answers with the number of bytes of the first file
 *   ReadLog   sends `limit_bytes` messages of 32 KiB, each with its number as offset; without end
 *             when it is 0 */
struct echo {
    uv_loop_t *loop;
    struct rpc_server *server;
    unsigned calls, cancelled, blocked;
    bool hold; /* replies are released one turn later */
};

bool echo_open(struct echo *echo, uv_loop_t *loop, const char *url, const struct cluster_key *key,
               struct error *err);
void echo_close(struct echo *echo);

#define ECHO_CHUNK_BYTES 32768u
