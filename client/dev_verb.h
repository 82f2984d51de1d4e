#pragma once

#include "client/verb.h"

/* `eos dev` is a program of its own, eos-dev, which links the rpc module: its row of the table of
 * commands stands here for both. */
#define DEV_VERB                                                                                   \
    .noun = "dev", .arguments = "", .summary = "run a whole cluster on this machine",              \
    .details =                                                                                     \
        "Starts all services in the foreground, prints one line on stdout when the cluster "       \
        "is ready,\nrestarts a service that dies, and shows their logs on stderr.  Ctrl-C "        \
        "ends the tasks and\nstops everything; a second Ctrl-C does so at once.",                  \
    .flags = F(STATE_DIR) | F(HTTP) | F(CLUSTER) | F(CLUSTERS) | F(DOCKER_SOCKET) |                \
             F(DOCKER_CONFIG) | F(NETRC) | F(CERTS_DIR) | F(INSECURE_REGISTRY) | F(APPC_PREFIX) |  \
             F(ISOLATION) | F(TOKENS) | F(READY_TIMEOUT) | F(STOP_TIMEOUT) | F(LOG_LEVEL)

verb_fn dev_exec;
