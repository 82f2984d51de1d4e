#include "executor/frame.h"

#include "unit/test.h"

#include <eos/executor/v1/executor.pb-c.h>

#define MAX 100

/* Fed in pieces, separated by '|' in `feed`; '*' in `taken` ends each message. */
static const struct frame_case {
    const char *name;
    const char *pieces[6];
    size_t sizes[6];
    const char *taken;
    enum frame_result end;
} cases[] = {
    { "nothing", { "" }, { 0 }, "", FRAME_NONE },
    { "half a header", { "\0\0" }, { 2 }, "", FRAME_NONE },
    { "a header alone", { "\0\0\0\3" }, { 4 }, "", FRAME_NONE },
    { "an empty message", { "\0\0\0\0" }, { 4 }, "*", FRAME_NONE },
    { "one message", { "\0\0\0\3abc" }, { 7 }, "abc*", FRAME_NONE },
    { "two at once", { "\0\0\0\3abc\0\0\0\1d" }, { 12 }, "abc*d*", FRAME_NONE },
    { "cut everywhere",
      { "\0", "\0\0", "\3a", "b", "c\0\0\0", "\1d" },
      { 1, 2, 2, 1, 4, 2 },
      "abc*d*",
      FRAME_NONE },
    { "the longest", { "\0\0\0\144" }, { 4 }, "", FRAME_NONE },
    { "one byte too long", { "\0\0\0\145" }, { 4 }, "", FRAME_TOO_LONG },
    { "the largest length", { "\377\377\377\377" }, { 4 }, "", FRAME_TOO_LONG },
    { "text of another protocol", { "GET / HTTP/1.1" }, { 14 }, "", FRAME_TOO_LONG },
    { "a good one first", { "\0\0\0\1a\377\377\377\377" }, { 9 }, "a*", FRAME_TOO_LONG },
};

static void is_taken(void **state)
{
    const struct frame_case *c = *state;
    struct frame_reader reader = { .max = MAX };
    struct text taken = TEXT_INIT;
    enum frame_result result = FRAME_NONE;
    for (size_t i = 0; i < 6 && c->pieces[i]; i++) {
        struct slice message;
        frame_feed(&reader, c->pieces[i], c->sizes[i]);
        while ((result = frame_take(&reader, &message)) == FRAME_READY) {
            text_add_slice(&taken, message);
            text_add_char(&taken, '*');
        }
    }
    assert_string_equal(text_string(&taken), c->taken);
    assert_int_equal(result, c->end);
    text_done(&taken);
    frame_reader_done(&reader);
}

static void what_is_added_is_taken(void **state)
{
    (void)state;
    Eos__Executor__V1__Kill kill = EOS__EXECUTOR__V1__KILL__INIT;
    struct frame_reader reader = { .max = MAX };
    struct text out = TEXT_INIT;
    struct slice message;
    kill.message = "why";
    frame_add(&out, &kill.base);
    frame_feed(&reader, out.ptr, out.len);
    assert_int_equal(frame_take(&reader, &message), FRAME_READY);
    Eos__Executor__V1__Kill *back =
        eos__executor__v1__kill__unpack(NULL, message.len, (const uint8_t *)message.ptr);
    assert_string_equal(back->message, "why");
    eos__executor__v1__kill__free_unpacked(back, NULL);
    frame_reader_done(&reader);
    text_done(&out);
}

int main(void)
{
    const struct CMUnitTest more[] = { cmocka_unit_test(what_is_added_is_taken) };
    return RUN_CASES(cases, is_taken) + cmocka_run_group_tests(more, NULL, NULL);
}
