#pragma once

#include "base/error.h"
#include "gateway/peer.h"

/* Connections to launchers: opened when a task's host is asked for something, shared, kept for a while,
 * bounded. */
struct launchers;
struct launcher;

#define LAUNCHERS_MAX     256    /* open at once; more is RESOURCE_EXHAUSTED if all are in use */
#define LAUNCHERS_IDLE_MS 60000u /* unused ones are closed after this */

struct launchers *launchers_open(uv_loop_t *loop, const struct cluster_key *key)
    __attribute__((returns_nonnull));
void launchers_close(struct launchers *launchers); /* NULL is a no-op */

/* Release with launcher_release(); NULL on failure. */
struct launcher *launchers_take(struct launchers *launchers, const char *endpoint,
                                struct error *err) MUST_CHECK;
struct peer *launcher_peer(const struct launcher *launcher);
void launcher_release(struct launcher *launcher); /* NULL is a no-op */
