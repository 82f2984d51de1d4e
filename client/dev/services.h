#pragma once

#include "base/arena.h"
#include "client/flags.h"
#include "client/output.h"

/* The services of a cluster on one machine, in the order in which they are started.  Pure. */
enum service_id {
    SERVICE_SCHEDULER,
    SERVICE_CONFIG,
    SERVICE_BINDER,
    SERVICE_LAUNCHER,
    SERVICE_GATEWAY,
    SERVICE_COUNT
};

struct dev_settings {
    const char *bin;       /* directory of the programs */
    const char *state_dir; /* absolute */
    const char *http;      /* "address:port", with the real port */
    const char *cluster;
    const struct flags *flags;
};

#define SERVICE_DRAIN_MS 5000 /* given to each with --drain-timeout */

const char *service_name(enum service_id id); /* "scheduler" */
enum colour service_colour(enum service_id id);

/* The services in the order in which they are stopped: first who is asked, last who is told. */
enum service_id service_stop_order(size_t at);

/* "ipc://<state>/run/scheduler.sock"; NULL for the gateway. */
const char *service_url(enum service_id id, const struct dev_settings *settings,
                        struct arena *arena);

/* Whether the sentence with which a service could not be opened tells of something that passes by
 * itself: that of the last run of the cluster which still goes down. */
bool service_is_in_use(const char *sentence);

/* A NULL-terminated command line in the arena. */
char **service_command(enum service_id id, const struct dev_settings *settings,
                       struct arena *arena);
