#include "launcher/task_id.h"

#include "unit/test.h"

static const struct id_case {
    const char *name, *id;
    bool ok;
} cases[] = {
    { "as the scheduler makes them", "www-data-prod-hello_1.2-0-559451d8-03de-4ca6", true },
    { "empty", "", false },
    { "a parent", "..", false },
    { "hidden", ".a", false },
    { "a path", "a/b", false },
    { "white space", "a b", false },
    { "beyond ASCII", "\xc3\xa4", false },
    { "200 bytes",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaa",
      true },
    { "201 bytes",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaa"
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      "aaaaaaaaa",
      false },
};

static void checks(void **state)
{
    const struct id_case *c = *state;
    struct error err = { 0 };
    assert_int_equal(task_id_check(c->id, &err), c->ok);
    assert_int_equal(err.code, c->ok ? ERROR_OK : ERROR_INVALID_ARGUMENT);
}

int main(void)
{
    return RUN_CASES(cases, checks);
}
