#pragma once

#include "scheduler/state.h"

#include "base/error.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

/* The conversation with the launchers.  A launcher polls; what it tells is taken in at once, and the
 * poll is answered when that is on disk and there is something to say, or after its waiting time.
 *
 * Nothing here relies on a message arriving once or at all.  Updates are repeated until they are
 * acknowledged, and the table of states makes a repetition harmless; commands are worked out anew
 * from the state of the tasks for every answer. */

#define SYNC_MAX_UPDATES      1000u
#define SYNC_MAX_TASKS        100000u
#define SYNC_MAX_WAIT_MS      30000u
#define SYNC_MAX_LAUNCHES     500u
#define SYNC_MAX_ANSWER_BYTES (4u << 20) /* of launches in one answer; one is always sent */
#define SYNC_MAX_NAMES        10000u     /* kills or forgets in one answer */

typedef Eos__Scheduler__V1__SyncRequest sync_request;
typedef Eos__Scheduler__V1__SyncResponse sync_response;

/* Takes in a poll: the host's description, updates, and its full picture if it has one.
 *   INVALID_ARGUMENT     something in it is not as it must be; nothing has been taken in
 *   ABORTED              it is older than what this session or a later one has sent
 *   RESOURCE_EXHAUSTED   there are STATE_MAX_HOSTS hosts already */
bool sync_take_in(struct state *state, const sync_request *request, int64_t now_ms,
                  struct host **ret_host, struct error *err) MUST_CHECK;

/* Fills the answer to `request`, in `arena`, and notes what has been said.  False when there is
 * nothing to say yet. */
bool sync_answer(struct state *state, struct host *host, const sync_request *request,
                 int64_t now_ms, struct arena *arena, sync_response *response);

/* Whether it is time to repeat something to the host. */
bool sync_is_due(const struct host *host, int64_t now_ms);

/* How long the poll may be held. */
int64_t sync_hold_ms(const struct state *state, const sync_request *request);
