#pragma once

#include "scheduler/journal.h"
#include "scheduler/sync.h"

#include "io/rpc_server.h"

/* The polls of launchers that are being held: at most one per host. */
struct polls;

struct polls *polls_new(struct state *state, struct journal *journal);
void polls_free(struct polls *polls); /* NULL is a no-op; ends those that are held */

/* Takes in what a launcher tells, and holds the poll.  A poll of the same host that was held before is
 * ended. */
void polls_take(struct polls *polls, struct rpc_request *request, int64_t now_ms);

/* Answers those that there is something to say to, or whose time is over. */
void polls_answer(struct polls *polls, int64_t now_ms);

/* Wakes those whose time is over, or where something is to be repeated. */
void polls_tick(struct polls *polls, int64_t now_ms);

/* Lets all go with whatever there is to say. */
void polls_dismiss(struct polls *polls);

size_t polls_count(const struct polls *polls);
