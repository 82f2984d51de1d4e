#include "base/cleanup.h"
#include "gateway/sse.h"
#include "unit/test.h"

static const struct sse_case {
    const char *name;
    const char *pieces[4];
    const char *out; /* with the rest */
} cases[] = {
    { "one line", { "abc" }, "id: 0:3\ndata: abc\n\n" },
    { "a line end", { "abc\n" }, "id: 0:4\ndata: abc\ndata: \n\n" },
    { "two lines", { "a\nb" }, "id: 0:3\ndata: a\ndata: b\n\n" },
    { "only a line end", { "\n" }, "id: 0:1\ndata: \ndata: \n\n" },
    { "CR LF", { "a\r\nb" }, "id: 0:4\ndata: a\ndata: b\n\n" },
    { "CR", { "10%\r20%" }, "id: 0:7\ndata: 10%\ndata: 20%\n\n" },
    { "CR LF in two pieces", { "a\r", "\nb" }, "id: 0:1\ndata: a\n\nid: 0:4\ndata: \ndata: b\n\n" },
    { "CR at the end", { "a\r" }, "id: 0:1\ndata: a\n\nid: 0:2\ndata: \ndata: \n\n" },
    { "a character in two pieces",
      { "a\xc3", "\xa4" },
      "id: 0:1\ndata: a\n\nid: 0:3\ndata: \xc3\xa4\n\n" },
    { "a character in four pieces",
      { "\xf0", "\x9f", "\x98", "\x80" },
      "id: 0:4\ndata: \xf0\x9f\x98\x80\n\n" },
    { "half a character at the end",
      { "\xe2\x82" },
      "id: 0:2\ndata: \xef\xbf\xbd\xef\xbf\xbd\n\n" },
    { "bytes that are no text",
      { "a\xff\xfe"
        "b" },
      "id: 0:4\ndata: a\xef\xbf\xbd\xef\xbf\xbd"
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
        sse_add_data(&log, slice_of(c->pieces[i]), 0, offset, &out);
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
    sse_add_data(&log, SLICE("\xc3"), 0, 0, &out);
    sse_add_data(&log, SLICE("b"), 0, 100, &out);
    assert_string_equal(text_string(&out), "id: 0:101\ndata: b\n\n");
}

static void a_later_run_starts_anew(void **state)
{
    (void)state;
    struct sse_log log = { 0 };
    cleanup_text struct text out = TEXT_INIT;
    sse_add_data(&log, SLICE("a\r"), 0, 0, &out);
    sse_add_data(&log, SLICE("b"), 3, 0, &out);
    assert_string_equal(text_string(&out), "id: 0:1\ndata: a\n\nid: 0:2\ndata: \ndata: \n\n"
                                           "id: 3:1\ndata: b\n\n");
}

static const struct id_case {
    const char *name;
    bool is_id;
    int32_t run;
    uint64_t offset;
} ids[] = {
    { "0:27", true, 0, 27 },
    { "12:0", true, 12, 0 },
    { "2147483647:9223372036854775807", true, INT32_MAX, INT64_MAX },
    { "27", true, -1, 27 },
    { "2147483648:0", false, 0, 0 },
    { "0:9223372036854775808", false, 0, 0 },
    { "-1:0", false, 0, 0 },
    { "0:", false, 0, 0 },
    { ":0", false, 0, 0 },
    { "0:0:0", false, 0, 0 },
    { "", false, 0, 0 },
    { "x", false, 0, 0 },
};

static void id_is_read_or_left_alone(void **state)
{
    const struct id_case *c = *state;
    int32_t run = 77;
    uint64_t offset = 77;
    assert_int_equal(sse_parse_id(slice_of(c->name), &run, &offset), c->is_id);
    assert_int_equal(run, c->is_id ? c->run : 77);
    assert_int_equal(offset, c->is_id ? c->offset : 77);
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
                                         cmocka_unit_test(a_later_run_starts_anew),
                                         cmocka_unit_test(other_events) };
    return RUN_CASES(cases, comes_out_as_events) + RUN_CASES(ids, id_is_read_or_left_alone) +
           cmocka_run_group_tests(others, NULL, NULL);
}
