#include "client/table.h"

#include "unit/test.h"

static const struct table_case {
    const char *name;
    const char *cells[9]; /* of three columns */
    bool is_coloured;
    const char *expected;
} cases[] = {
    { "headings alone", { NULL }, false, "NAME  STATE  N\n" },
    { "columns are as wide as their longest cell",
      { "hello", "RUNNING", "1", "a", "b", "200" },
      false,
      "NAME   STATE    N\nhello  RUNNING  1\na      b        200\n" },
    { "characters count, not bytes",
      { "h\xc3\xa9llo", "x", "1", "hello", "y", "2" },
      false,
      "NAME   STATE  N\nh\xc3\xa9llo  x      1\nhello  y      2\n" },
    { "an empty cell is a dash", { "", "x", "" }, false, "NAME  STATE  N\n-     x      -\n" },
    { "control characters do no harm",
      { "a\033[31mb", "x", "1" },
      false,
      "NAME     STATE  N\na?[31mb  x      1\n" },
    { "colour is outside of the width",
      { "a", "x", "1" },
      true,
      "\033[1mNAME\033[0m  \033[1mSTATE\033[0m  \033[1mN\033[0m\na     \033[32mx\033[0m      1\n" },
};

static void formats(void **state)
{
    const struct table_case *c = *state;
    static const char *const headings[] = { "NAME", "STATE", "N", NULL };
    struct table *table = table_new(headings);
    struct text out = TEXT_INIT;
    for (size_t i = 0; i < 9 && c->cells[i]; i++)
        table_add_coloured(table, i % 3 == 1 ? COLOUR_GREEN : COLOUR_NONE, c->cells[i]);
    table_format(table, c->is_coloured, &out);
    assert_string_equal(text_string(&out), c->expected);
    text_done(&out);
    table_free(table);
}

int main(void)
{
    return RUN_CASES(cases, formats);
}
