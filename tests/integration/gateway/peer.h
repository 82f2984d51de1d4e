#pragma once

#include <stdatomic.h>
#include <stddef.h>

/* The services behind the gateway, in a thread of this process, for what real ones do only in rare
 * moments: slow, endless and failing answers.  What a peer does depends on the names in the request;
 * see peer.c. */
struct peer;

struct peer_counts {
    atomic_uint created, cancelled;
    atomic_uint blocked; /* times that a stream's window was full */
};

/* Listens on `url` for config, binder, scheduler and launcher alike. */
struct peer *peer_start(const char *url);
void peer_stop(struct peer *peer);
struct peer_counts *peer_counts(struct peer *peer);

#define PEER_LOG        "first line\nsecond \xc3\xa4\nthird\n"
#define PEER_FLOOD_SIZE (24u << 20) /* the log of the task "flood" */
#define PEER_SLOW_MS    400u        /* what ListJobs of the role "slow" takes */
