#pragma once

#include "base/arena.h"
#include "base/error.h"

/* The directory of a cluster on one machine, locked for as long as this program runs. */
struct state_dir {
    const char *path; /* absolute */
    int lock;         /* -1: none */
};

/* Makes what is missing.  `given` may be NULL for the default.  Of what it makes, `run` and
 * `scheduler` are for the owner only; the rest can be passed through (but not listed), because the
 * sandboxes of the tasks lie below it and belong to other users.  FAILED_PRECONDITION when another
 * `eos dev` uses it, INVALID_ARGUMENT when the path is too long for sockets. */
bool state_dir_open(struct state_dir *state, const char *given, struct arena *arena,
                    struct error *err) MUST_CHECK;

/* Removes the sockets and lets go of the lock; the state stays. */
void state_dir_close(struct state_dir *state);

/* The first folder on the way to it that other users cannot pass, or NULL. */
const char *state_dir_barrier(const struct state_dir *state, struct arena *arena);
