#pragma once

#include "io/rpc_server.h"

#include <uv.h>

/* Compilations that run or wait for a thread.  Each may use LIMIT_MEMORY_BYTES while it runs. */
#define SERVICE_MAX_COMPILATIONS 256u

struct service_options {
    const char *listen;
};

/* The shell around the compiler: one socket.  Nothing is kept between calls. */
struct service {
    uv_loop_t *loop;
    struct rpc_server *server;
    struct rpc_service methods[2]; /* the second one ends the table */
    unsigned compilations;         /* that have begun and not ended */
    bool is_closed;                /* goes when the last of them has ended */
};

bool service_open(uv_loop_t *loop, void *options, void **ret_service, struct error *err);
void service_drain(void *service);
void service_close(void *service);

/* RESOURCE_EXHAUSTED when there are too many; else service_end_compilation() must follow. */
bool service_begin_compilation(struct service *service, struct error *err) MUST_CHECK;
void service_end_compilation(struct service *service);

/* handlers.c */
extern const struct rpc_method config_methods[];
