#include "gateway/compiled.h"
#include "unit/test.h"
#include "json/message_json.h"

static const struct judge_case {
    const char *name, *response, *message, *diagnostics; /* no message: there is a job */
} cases[] = {
    { "one job", "{\"jobs\":[{\"cluster\":\"c\",\"key\":\"c/r/e/n\",\"job\":{}}]}", NULL, NULL },
    { "no job", "{}", "the configuration defines no such job", NULL },
    { "two jobs", "{\"jobs\":[{\"key\":\"c/r/e/a\",\"job\":{}},{\"key\":\"c/r/e/b\",\"job\":{}}]}",
      "the configuration defines 2 jobs, select one of them: c/r/e/a, c/r/e/b", NULL },
    { "another cluster", "{\"jobs\":[{\"cluster\":\"d\",\"key\":\"d/r/e/n\",\"job\":{}}]}",
      "the job is for the cluster \"d\", and this is \"c\"", NULL },
    { "a mistake in the file",
      "{\"error\":{\"message\":\"no such name\\nmore\",\"at\":{\"file\":\"a.aurora\",\"line\":3,"
      "\"column\":7}},\"moreErrors\":[{\"message\":\"second\"}]}",
      "a.aurora:3:7: no such name", "second" },
    { "a mistake in the job", "{\"jobs\":[{\"error\":{\"message\":\"bad\"}}]}", "bad",
      "\"message\":\"bad\"" },
    { "a file without position", "{\"error\":{\"message\":\"bad\",\"at\":{\"file\":\"f\"}}}",
      "f: bad", "bad" },
    { "neither job nor error", "{\"jobs\":[{\"cluster\":\"c\"}]}", "neither", NULL },
};

static void is_judged(void **state)
{
    const struct judge_case *c = *state;
    struct arena *arena = arena_new();
    struct error err = { 0 };
    ProtobufCMessage *response;
    struct compiled compiled;
    assert_true(message_from_json(slice_of(c->response),
                                  &eos__config__v1__compile_response__descriptor,
                                  MESSAGE_JSON_REJECT_UNKNOWN, arena, &response, &err));

    bool ok = compiled_judge((Eos__Config__V1__CompileResponse *)response, "c", &compiled);

    assert_int_equal(ok, c->message == NULL);
    assert_int_equal(compiled.result != NULL, ok);
    if (c->message && !strstr(compiled.err.message, c->message))
        assert_string_equal(compiled.err.message, c->message);
    if (c->diagnostics)
        assert_non_null(strstr(text_string(&compiled.diagnostics), c->diagnostics));
    else
        assert_int_equal(compiled.diagnostics.len, 0);
    compiled_done(&compiled);
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(cases, is_judged);
}
