#include "client/sse_reader.h"

#include "base/alloc.h"
#include "unit/test.h"

static const struct sse_case {
    const char *name;
    const char *stream;
    const char *expected; /* "name(id):data|" of each event */
} cases[] = {
    { "one event", "data: hello\n\n", "message():hello|" },
    { "with id", "id: 12\ndata: hello\ndata: \n\n", "message(12):hello\n|" },
    { "the id stays", "id: 5\ndata: a\n\ndata: b\n\n", "message(5):a|message(5):b|" },
    { "a named event", "event: end\ndata: done\n\n", "end():done|" },
    { "the name does not stay", "event: end\ndata: a\n\ndata: b\n\n", "end():a|message():b|" },
    { "comments are nothing", ": heartbeat\n\ndata: a\n\n", "message():a|" },
    { "retry is nothing", "retry: 1000\n\ndata: a\n\n", "message():a|" },
    { "CR LF", "data: a\r\ndata: b\r\n\r\n", "message():a\nb|" },
    { "CR alone", "data: a\r\rdata: b\r\r", "message():a|message():b|" },
    { "only one space goes", "data:  a\ndata:b\n\n", "message(): a\nb|" },
    { "a field without colon", "data\ndata\n\n", "message():\n|" },
    { "an event without data is none", "event: x\n\ndata: a\n\n", "message():a|" },
    { "an unfinished event is none", "data: a\n\ndata: b\n", "message():a|" },
    { "an unknown field", "color: red\ndata: a\n\n", "message():a|" },
    { "a bad id is not taken", "id: 1\ndata: a\n\nid\ndata: b\n\n", "message(1):a|message():b|" },
};

static bool on_event(void *user, const struct sse_event *event)
{
    text_printf(user, "%.*s(%.*s):%.*s|", SLICE_ARG(event->name), SLICE_ARG(event->id),
                SLICE_ARG(event->data));
    return true;
}

/* However the bytes are cut, the events are the same. */
static void reads_in_any_pieces(void **state)
{
    const struct sse_case *c = *state;
    struct slice stream = slice_of(c->stream);
    for (size_t size = 1; size <= stream.len; size++) {
        struct text got = TEXT_INIT;
        struct sse_reader *reader = sse_reader_new(on_event, &got);
        for (size_t at = 0; at < stream.len; at += size)
            assert_true(
                sse_reader_feed(reader,
                                (struct slice){ stream.ptr + at,
                                                stream.len - at < size ? stream.len - at : size }));
        assert_string_equal(text_string(&got), c->expected);
        sse_reader_free(reader);
        text_done(&got);
    }
}

static bool refuse(void *user, const struct sse_event *event)
{
    (void)event;
    ++*(int *)user;
    return false;
}

static void stops_when_told(void **state)
{
    int count = 0;
    struct sse_reader *reader = sse_reader_new(refuse, &count);
    (void)state;
    assert_false(sse_reader_feed(reader, SLICE("data: a\n\ndata: b\n\n")));
    assert_int_equal(count, 1);
    sse_reader_free(reader);
}

static void bounds_an_event(void **state)
{
    struct text got = TEXT_INIT;
    struct sse_reader *reader = sse_reader_new(on_event, &got);
    char *line = xcalloc(1, 1 << 20);
    (void)state;
    memset(line, 'x', 1 << 20);
    bool goes_on = true;
    for (int i = 0; i < 10 && goes_on; i++)
        goes_on = sse_reader_feed(reader, (struct slice){ line, 1 << 20 });
    assert_false(goes_on);
    sse_reader_free(reader);
    free(line);
    text_done(&got);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(stops_when_told),
                                               cmocka_unit_test(bounds_an_event) };
    return RUN_CASES(cases, reads_in_any_pieces) + cmocka_run_group_tests(tests, NULL, NULL);
}
