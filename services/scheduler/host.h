#pragma once

#include "scheduler/task_config.h"

#include "base/map.h"

#include "eos/scheduler/v1/state.pb-c.h"

struct task;

/* A host and the launcher on it.  What it says of itself is kept on disk; whether it is there is
 * known only from its polls. */
struct host {
    struct entity entity;
    Eos__Scheduler__V1__StoredHost *message;
    struct resources total, used;

    char *session, *old_session; /* of the launcher now, and of the one before; "" at first */
    uint64_t sequence;
    int64_t last_seen_ms;
    bool is_connected; /* within the host timeout */
    bool has_picture;  /* it has told all its tasks since it was last lost from view */
    bool is_draining;
    int64_t picture_due_ms; /* when to ask it for all its tasks */
    int64_t command_due_ms; /* when to repeat a command */

    struct task *tasks; /* that occupy it */
    size_t task_count;
    size_t references;    /* tasks that name it, dead ones included */
    uint64_t *ports_used; /* a bit each, 65,536; NULL until one is used */

    struct map *strays;  /* ids of tasks that run here and should not; to when it was told so */
    struct map *forgets; /* ids of dead tasks that the launcher may forget */

    struct host *next_woken; /* see state_wake() */
    bool is_woken;
};

/* Takes over `message`. */
struct host *host_new(Eos__Scheduler__V1__StoredHost *message);
void host_free(struct host *host);

/* Takes over `message`, with the same id. */
void host_describe(struct host *host, Eos__Scheduler__V1__StoredHost *message);

const char *host_id(const struct host *host);

/* Whether tasks may be placed here now. */
bool host_is_open(const struct host *host);

/* The values of an attribute; false: it has none.  Every host has the attribute "host", which is its
 * name unless the launcher says otherwise. */
bool host_attribute(const struct host *host, const char *name, size_t *ret_count,
                    char *const **ret_values);

void host_add_stray(struct host *host, struct slice task_id);
void host_remove_stray(struct host *host, struct slice task_id);

/* `total` less `used`. */
struct resources host_free_resources(const struct host *host);

/* Picks `count` free ports, beginning at the `start`th port of the host, and marks them used; the
 * caller has made sure that so many are free. */
void host_take_ports(struct host *host, size_t count, uint64_t start, int32_t *ret_ports);
void host_mark_ports(struct host *host, const int32_t *ports, size_t count);
void host_return_ports(struct host *host, const int32_t *ports, size_t count);
bool host_port_is_used(const struct host *host, int32_t port);
