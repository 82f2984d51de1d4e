#pragma once

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>
#include <uv.h>

/* One HTTP request to the Docker engine, on a connection of its own. */
struct docker_http;

#define DOCKER_BODY_MAX_BYTES (8u << 20) /* of an answer that is collected */

struct docker_http_request {
    const char *socket; /* of the engine */
    const char *method, *path;
    const char *headers; /* further ones, each with "\r\n" at the end; "" for none */
    struct slice body;   /* JSON; empty: none */
    uint32_t silence_ms; /* of the engine, after which it is given up */

    /* Takes the answer in parts instead of collecting it; or NULL. */
    void (*on_data)(void *user, struct slice bytes);

    /* `status` and `body` hold when `err` is NULL.  The request is gone when it returns. */
    void (*on_done)(void *user, unsigned status, struct slice body, const struct error *err);
    void *user;
};

/* The request is copied.  Calls back exactly once, later. */
struct docker_http *docker_http_start(uv_loop_t *loop, const struct docker_http_request *request)
    __attribute__((returns_nonnull));

/* No further callback. */
void docker_http_cancel(struct docker_http *http);
