#pragma once

#include "io/rpc_client.h"

#include <stdbool.h>

/* Whether the cluster works: the gateway's /healthz (which asks config, binder and scheduler), the
 * launcher's health, and a connected host in the scheduler's list.  Asks again and again until all
 * three hold in one round. */
enum readiness_check { CHECK_GATEWAY, CHECK_LAUNCHER, CHECK_HOST, CHECK_COUNT };

struct readiness {
    uv_loop_t *loop;
    struct rpc_client *scheduler, *launcher; /* borrowed */
    const struct sockaddr *gateway;          /* borrowed */
    void (*on_ready)(void *user);
    void *user;

    uv_timer_t timer;
    struct answer {
        struct readiness *readiness;
        bool is_well;
    } answers[CHECK_COUNT];
    int waiting;
    bool is_stopped;
};

#define READINESS_INTERVAL_MS 100u

/* Calls `on_ready` once, later. */
void readiness_start(struct readiness *readiness);

/* No further rounds and no call; what is in flight still comes home, so `readiness` stays until the
 * loop has ended. */
void readiness_stop(struct readiness *readiness);

/* What is missing, for people: "the gateway, the launcher". */
const char *readiness_missing(const struct readiness *readiness);
