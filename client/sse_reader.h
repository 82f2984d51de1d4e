#pragma once

#include "base/text.h"

/* Reads server-sent events from bytes as they arrive, by the rules of the HTML standard.  Pure. */
struct sse_event {
    struct slice name; /* "message" unless the stream says otherwise */
    struct slice data; /* lines joined by '\n' */
    struct slice id;   /* the last one that the stream gave; empty before the first */
};

/* False stops the reading of the bytes at hand. */
typedef bool sse_event_fn(void *user, const struct sse_event *event);

struct sse_reader;

#define SSE_MAX_EVENT_BYTES (4u << 20)

struct sse_reader *sse_reader_new(sse_event_fn *on_event, void *user)
    __attribute__((returns_nonnull));
void sse_reader_free(struct sse_reader *reader);

/* False when an event is over SSE_MAX_EVENT_BYTES or `on_event` returned false; the stream is of no
 * more use then. */
bool sse_reader_feed(struct sse_reader *reader, struct slice bytes);
