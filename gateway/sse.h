#pragma once

#include "base/slice.h"
#include "base/text.h"

#include <stdint.h>

/* A log as server-sent events.  An event's id is the run of the process and the offset of the byte
 * behind its data, "0:27", so that a client that comes back with Last-Event-ID goes on where it stopped.
 *
 * Events are UTF-8 text: bytes that are none come out as U+FFFD, and CR LF and CR as a line end.
 * Data of successive events is to be joined without anything between. */
struct sse_log {
    int32_t run;
    uint64_t offset; /* of the first held byte, or behind the last one that was written */
    char held[4];    /* the beginning of a character or of a CR LF whose rest has not come */
    size_t held_len;
};

/* Adds the event for `data`, which stands at `offset` of the file of `run`, or nothing when all was
 * held. */
void sse_add_data(struct sse_log *log, struct slice data, int32_t run, uint64_t offset,
                  struct text *out);

/* Reads such an id, or an offset alone, for which `*ret_run` is -1.  False leaves both untouched. */
bool sse_parse_id(struct slice id, int32_t *ret_run, uint64_t *ret_offset);

/* Adds what was held, as it is. */
void sse_add_rest(struct sse_log *log, struct text *out);

/* Adds an event with a name; `data` may have no line end. */
void sse_add_event(struct text *out, const char *name, const char *data);

/* Adds a comment, which keeps connections open. */
void sse_add_heartbeat(struct text *out);
