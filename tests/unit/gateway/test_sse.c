#include "base/cleanup.h"
#include "gateway/sse.h"
#include "unit/test.h"

static const struct sse_case {
    const char *name;
    const char *pieces[4];
    const char *out; /* with the rest */
} cases[] = {
    { "one line", { "abc" }, "id: 3\ndata: abc\n\n" },
    { "a line end", { "abc\n" }, "id: 4\ndata: abc\ndata: \n\n" },
    { "two lines", { "a\nb" }, "id: 3\ndata: a\ndata: b\n\n" },
    { "only a line end", { "\n" }, "id: 1\ndata: \ndata: \n\n" },
    { "CR LF", { "a\r\nb" }, "id: 4\ndata: a\ndata: b\n\n" },
    { "CR", { "10%\r20%" }, "id: 7\ndata: 10%\ndata: 20%\n\n" },
    { "CR LF in two pieces", { "a\r", "\nb" }, "id: 1\ndata: a\n\nid: 4\ndata: \ndata: b\n\n" },
    { "CR at the end", { "a\r" }, "id: 1\ndata: a\n\nid: 2\ndata: \ndata: \n\n" },
    { "a character in two pieces",
      { "a\xc3", "\xa4" },
      "id: 1\ndata: a\n\nid: 3\ndata: \xc3\xa4\n\n" },
    { "a character in four pieces",
      { "\xf0", "\x9f", "\x98", "\x80" },
      "id: 4\ndata: \xf0\x9f\x98\x80\n\n" },
    { "half a character at the end", { "\xe2\x82" }, "id: 2\ndata: \xef\xbf\xbd\xef\xbf\xbd\n\n" },
    { "bytes that are no text",
      { "a\xff\xfe"
        "b" },
      "id: 4\ndata: a\xef\xbf\xbd\xef\xbf\xbd"
      "b\n\n" },
    { "nothing", { "" }, "" },
};

static void comes_out_as_events(void **state)
{
    const struct sse_case *c = *state;
    struct sse_log log = { 0 };
    cleanup_text struct text out = TEXT_INIT;
    uint64_t offset = 0;
    for (size_t i = 0; i < 4 && c->pieces[i]; i++) {
        sse_add_data(&log, slice_of(c->pieces[i]), offset, &out);
        offset += strlen(c->pieces[i]);
    }
    sse_add_rest(&log, &out);
    assert_string_equal(text_string(&out), c->out);
}

static void a_gap_drops_what_was_held(void **state)
{
    (void)state;
    struct sse_log log = { 0 };
    cleanup_text struct text out = TEXT_INIT;
    sse_add_data(&log, SLICE("\xc3"), 0, &out);
    sse_add_data(&log, SLICE("b"), 100, &out);
    assert_string_equal(text_string(&out), "id: 101\ndata: b\n\n");
}

static void other_events(void **state)
{
    (void)state;
    cleanup_text struct text out = TEXT_INIT;
    sse_add_heartbeat(&out);
    sse_add_event(&out, "end", "x");
    assert_string_equal(text_string(&out), ": heartbeat\n\nevent: end\ndata: x\n\n");
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(a_gap_drops_what_was_held),
                                         cmocka_unit_test(other_events) };
    return RUN_CASES(cases, comes_out_as_events) + cmocka_run_group_tests(others, NULL, NULL);
}
