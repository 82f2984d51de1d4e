#pragma once

#include "io/rpc_server.h"

#include <uv.h>

struct service_options {
    const char *listen;
};

/* The shell around the compiler: one socket.  Nothing is kept between calls. */
struct service {
    struct rpc_server *server;
};

bool service_open(uv_loop_t *loop, void *options, void **ret_service, struct error *err);
void service_drain(void *service);
void service_close(void *service);

/* handlers.c */
extern const struct rpc_method config_methods[];
