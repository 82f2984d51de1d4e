#pragma once

#include "scheduler/state.h"

#include "base/error.h"

/* The form of the state on disk: one record per entity. */

struct record {
    enum entity_kind kind;
    struct slice key;   /* unique within the kind */
    struct slice value; /* an encoded message; `ptr` NULL: the record is deleted */
};

/* The record of one changed entity; everything in it lives in `arena`. */
struct record record_of(const struct entity *entity, struct arena *arena);

/* Takes in one record.  Records come in the order of their kinds; DATA_LOSS when one does not decode or
 * names something that is not there. */
bool record_load(struct state *state, enum entity_kind kind, struct slice value,
                 struct error *err) MUST_CHECK;

/* After the last record: puts everything in its place.  `now_ms` is when hosts are deemed last seen. */
void record_load_done(struct state *state, int64_t now_ms);
