#include "base/cleanup.h"
#include "client/sse_reader.h"

#include <assert.h>

/* Events are the same however the bytes of a stream are cut. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_event(void *user, const struct sse_event *event)
{
    text_add_slice(user, event->name);
    text_add_char(user, '|');
    text_add_slice(user, event->id);
    text_add_char(user, '|');
    text_add_slice(user, event->data);
    text_add_char(user, '\n');
    return true;
}

static void read_in_pieces(struct slice stream, size_t piece, struct text *ret_events)
{
    struct sse_reader *reader = sse_reader_new(on_event, ret_events);
    bool goes_on = true;
    for (size_t at = 0; at < stream.len && goes_on; at += piece) {
        size_t left = stream.len - at;
        goes_on =
            sse_reader_feed(reader, (struct slice){ stream.ptr + at, left < piece ? left : piece });
    }
    sse_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_text struct text whole = TEXT_INIT, pieces = TEXT_INIT;
    if (size < 2)
        return 0;
    struct slice stream = { (const char *)data + 1, size - 1 };
    read_in_pieces(stream, stream.len, &whole);
    read_in_pieces(stream, 1u + data[0], &pieces);
    assert(slice_equal(text_slice(&whole), text_slice(&pieces)));
    return 0;
}
