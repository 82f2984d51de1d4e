#include "base/options.h"

#include "unit/test.h"

#include <stdlib.h>

static struct values {
    const char *name;
    struct option_list list;
    bool on;
    int64_t number, free_number, duration, bytes;
} values;

// clang-format off
static const struct option rows[] = {
    { .name = "name", .short_name = 'n', .type = OPTION_STRING, .target = &values.name, .value = "NAME", .help = "a name" },
    { .name = "list", .type = OPTION_LIST, .target = &values.list, .value = "ITEM", .help = "a list" },
    { .name = "on", .short_name = 'o', .type = OPTION_SWITCH, .target = &values.on, .help = "a switch" },
    { .name = "number", .type = OPTION_INTEGER, .target = &values.number, .min = -5, .max = 5, .value = "N", .help = "a number" },
    { .name = "free-number", .type = OPTION_INTEGER, .target = &values.free_number, .value = "N", .help = "another number" },
    { .name = "duration", .type = OPTION_DURATION, .target = &values.duration, .min = 10, .max = 60000, .value = "TIME", .help = "a time" },
    { .name = "size", .type = OPTION_BYTES, .target = &values.bytes, .value = "SIZE", .help = "a size" },
    { .name = "secret", .type = OPTION_STRING, .target = &values.name, .value = "X", .no_environment = true },
    { 0 },
};
// clang-format on

/* All targets as one line, so that a row of a table can tell them. */
static void tell(struct text *out)
{
    text_printf(out, "%s %d %lld %lld %lld %lld", values.name, values.on, (long long)values.number,
                (long long)values.free_number, (long long)values.duration, (long long)values.bytes);
    for (size_t i = 0; i < values.list.count; i++)
        text_printf(out, " %s", values.list.items[i]);
}

#define MAX_WORDS 8

static const struct parse_case {
    const char *name;
    const char *environment[4]; /* NAME=VALUE */
    const char *arguments[MAX_WORDS];
    const char *told; /* the targets and, behind '|', the positional arguments; or a sentence */
    enum error_code code;
} parses[] = {
    // clang-format off
    { "defaults",                  { NULL }, { NULL },                              "- 0 1 2 3000 4 |", ERROR_OK },
    { "a value as next word",      { NULL }, { "--name", "x" },                     "x 0 1 2 3000 4 |", ERROR_OK },
    { "a value in the same word",  { NULL }, { "--name=x=y" },                      "x=y 0 1 2 3000 4 |", ERROR_OK },
    { "an empty value",            { NULL }, { "--name=" },                         " 0 1 2 3000 4 |", ERROR_OK },
    { "a value like a flag",       { NULL }, { "--name", "--on" },                  "--on 0 1 2 3000 4 |", ERROR_OK },
    { "a short name",              { NULL }, { "-n", "x" },                         "x 0 1 2 3000 4 |", ERROR_OK },
    { "a short name, one word",    { NULL }, { "-nx" },                             "x 0 1 2 3000 4 |", ERROR_OK },
    { "a prefix of a name",        { NULL }, { "--dur=5s" },                        "- 0 1 2 5000 4 |", ERROR_OK },
    { "a prefix that is a name",   { NULL }, { "--on" },                            "- 1 1 2 3000 4 |", ERROR_OK },
    { "the last one counts",       { NULL }, { "--name", "x", "--name", "y" },      "y 0 1 2 3000 4 |", ERROR_OK },
    { "a switch on and off",       { NULL }, { "-o", "--no-on" },                   "- 0 1 2 3000 4 |", ERROR_OK },
    { "a switch with a word",      { NULL }, { "--on=yes" },                        "- 1 1 2 3000 4 |", ERROR_OK },
    { "numbers",                   { NULL }, { "--number=-5", "--free-number=9223372036854775807" }, "- 0 -5 9223372036854775807 3000 4 |", ERROR_OK },
    { "a list",                    { NULL }, { "--list", "a", "--list=b,c" },       "- 0 1 2 3000 4 a b,c|", ERROR_OK },
    { "positional arguments",      { NULL }, { "a", "--on", "b", "-" },             "- 1 1 2 3000 4 |a b - ", ERROR_OK },
    { "a double dash",             { NULL }, { "a", "--", "--on", "--" },           "- 0 1 2 3000 4 |a --on -- ", ERROR_OK },
    { "the environment",           { "EOS_NAME=e", "EOS_ON=true", "EOS_FREE_NUMBER=7" }, { NULL }, "e 1 1 7 3000 4 |", ERROR_OK },
    { "the command line wins",     { "EOS_NAME=e", "EOS_ON=1" }, { "--name=x", "--no-on" }, "x 0 1 2 3000 4 |", ERROR_OK },
    { "set to nothing is not set", { "EOS_NAME=", "EOS_NUMBER=" }, { NULL },        "- 0 1 2 3000 4 |", ERROR_OK },
    { "a list in the environment", { "EOS_LIST=a,b,,c" }, { NULL },                 "- 0 1 2 3000 4 a b  c|", ERROR_OK },
    { "a list on the command line wins", { "EOS_LIST=a,b" }, { "--list=c", "--list=d" }, "- 0 1 2 3000 4 c d|", ERROR_OK },
    { "not from the environment",  { "EOS_SECRET=e" }, { NULL },                    "- 0 1 2 3000 4 |", ERROR_OK },

    { "an unknown flag",           { NULL }, { "--nothing" },      "unknown flag --nothing", ERROR_INVALID_ARGUMENT },
    { "an unknown short flag",     { NULL }, { "-x" },             "unknown flag -x", ERROR_INVALID_ARGUMENT },
    { "an empty name",             { NULL }, { "--=x" },           "unknown flag --", ERROR_INVALID_ARGUMENT },
    { "a prefix of two names",     { NULL }, { "--n", "x" },       "flag --n is ambiguous: --name or --number", ERROR_INVALID_ARGUMENT },
    { "no value",                  { NULL }, { "--name" },         "flag --name needs a value (NAME)", ERROR_INVALID_ARGUMENT },
    { "no value of a short name",  { NULL }, { "-n" },             "flag --name needs a value (NAME)", ERROR_INVALID_ARGUMENT },
    { "short switches in a bunch", { NULL }, { "-on" },            "flag -o takes no value", ERROR_INVALID_ARGUMENT },
    { "a switch with another word", { NULL }, { "--on=maybe" },    "flag --on: expected true or false", ERROR_INVALID_ARGUMENT },
    { "no flag with no-",          { NULL }, { "--no-name" },      "unknown flag --no-name", ERROR_INVALID_ARGUMENT },
    { "not a number",              { NULL }, { "--number=1x" },    "flag --number: expected a whole number", ERROR_INVALID_ARGUMENT },
    { "a number over the range",   { NULL }, { "--number=6" },     "flag --number: expected a value from -5 to 5", ERROR_OUT_OF_RANGE },
    { "a number under the range",  { NULL }, { "--number=-6" },    "flag --number: expected a value from -5 to 5", ERROR_OUT_OF_RANGE },
    { "a number below zero",       { NULL }, { "--free-number=-1" }, "flag --free-number: expected a value from 0 to", ERROR_OUT_OF_RANGE },
    { "a time over the range",     { NULL }, { "--duration=61s" }, "flag --duration: expected a value from 10 to 60000 ms", ERROR_OUT_OF_RANGE },
    { "a time without unit",       { NULL }, { "--duration=10" },  "flag --duration: expected a duration", ERROR_INVALID_ARGUMENT },
    { "a wrong size",              { NULL }, { "--size=10KB" },    "flag --size: expected a size", ERROR_INVALID_ARGUMENT },
    { "wrong in the environment",  { "EOS_FREE_NUMBER=x" }, { NULL }, "environment variable EOS_FREE_NUMBER: expected a whole number", ERROR_INVALID_ARGUMENT },
    // clang-format on
};

static void set_environment(const char *const *environment, bool is_set)
{
    for (size_t i = 0; i < 4 && environment[i]; i++) {
        const char *equals = strchr(environment[i], '=');
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)(equals - environment[i]), environment[i]);
        if (is_set)
            setenv(name, equals + 1, 1);
        else
            unsetenv(name);
    }
}

static void is_understood_or_refused(void **state)
{
    const struct parse_case *c = *state;
    char *argv[MAX_WORDS + 2] = { "program" };
    int argc = 1, positional = -1;
    struct error err = { 0 };
    cleanup_text struct text told = TEXT_INIT;
    for (; argc <= MAX_WORDS && c->arguments[argc - 1]; argc++)
        argv[argc] = (char *)c->arguments[argc - 1];
    values =
        (struct values){ .name = "-", .number = 1, .free_number = 2, .duration = 3000, .bytes = 4 };

    set_environment(c->environment, true);
    bool ok = options_parse(rows, argc, argv, &positional, &err);
    set_environment(c->environment, false);
    tell(&told);
    text_add(&told, values.list.count > 0 ? "|" : " |");
    for (int i = 0; ok && i < positional; i++)
        text_printf(&told, "%s ", argv[1 + i]);
    options_done(rows);

    assert_int_equal(err.code, c->code);
    assert_int_equal(ok, c->code == ERROR_OK);
    assert_null(values.list.items);
    if (ok)
        assert_string_equal(text_string(&told), c->told);
    else
        assert_int_equal(strncmp(err.message, c->told, strlen(c->told)), 0);
    if (!ok)
        assert_int_equal(positional, -1);
}

/* -- units ---------------------------------------------------------------------------------------- */

static const struct unit_case {
    const char *name;
    bool (*parse)(struct slice text, int64_t *ret_value, struct error *err);
    const char *text;
    int64_t value;
    enum error_code code;
} units[] = {
    // clang-format off
    { "milliseconds",      duration_parse, "250ms",               250,                 ERROR_OK },
    { "seconds",           duration_parse, "5s",                  5000,                ERROR_OK },
    { "minutes",           duration_parse, "2m",                  120000,              ERROR_OK },
    { "hours",             duration_parse, "1h",                  3600000,             ERROR_OK },
    { "days",              duration_parse, "7d",                  604800000,           ERROR_OK },
    { "no time",           duration_parse, "0s",                  0,                   ERROR_OK },
    { "the longest time",  duration_parse, "9223372036854775807ms", INT64_MAX,         ERROR_OK },
    { "a longer time",     duration_parse, "9223372036854775s",   9223372036854775000, ERROR_OK },
    { "too long a time",   duration_parse, "9223372036854776s",   0,                   ERROR_OUT_OF_RANGE },
    { "no unit of time",   duration_parse, "5",                   0,                   ERROR_INVALID_ARGUMENT },
    { "only a unit",       duration_parse, "s",                   0,                   ERROR_INVALID_ARGUMENT },
    { "a negative time",   duration_parse, "-1s",                 0,                   ERROR_INVALID_ARGUMENT },
    { "a fraction",        duration_parse, "1.5s",                0,                   ERROR_INVALID_ARGUMENT },
    { "a space",           duration_parse, "1 s",                 0,                   ERROR_INVALID_ARGUMENT },
    { "another unit",      duration_parse, "1w",                  0,                   ERROR_INVALID_ARGUMENT },
    { "no time at all",    duration_parse, "",                    0,                   ERROR_INVALID_ARGUMENT },
    { "bytes",             bytes_parse,    "512",                 512,                 ERROR_OK },
    { "kibibytes",         bytes_parse,    "64K",                 65536,               ERROR_OK },
    { "mebibytes",         bytes_parse,    "10M",                 10485760,            ERROR_OK },
    { "gibibytes",         bytes_parse,    "2G",                  2147483648,          ERROR_OK },
    { "tebibytes",         bytes_parse,    "1T",                  1099511627776,       ERROR_OK },
    { "too many bytes",    bytes_parse,    "8388608T",            0,                   ERROR_OUT_OF_RANGE },
    { "a small letter",    bytes_parse,    "1k",                  0,                   ERROR_INVALID_ARGUMENT },
    { "two letters",       bytes_parse,    "1KB",                 0,                   ERROR_INVALID_ARGUMENT },
    { "no bytes at all",   bytes_parse,    "",                    0,                   ERROR_INVALID_ARGUMENT },
    // clang-format on
};

static void has_its_value(void **state)
{
    const struct unit_case *c = *state;
    struct error err = { 0 };
    int64_t value = 0xdead;
    assert_int_equal(c->parse(slice_of(c->text), &value, &err), c->code == ERROR_OK);
    assert_int_equal(err.code, c->code);
    assert_int_equal(value, c->code == ERROR_OK ? c->value : 0xdead);
}

/* -- help ----------------------------------------------------------------------------------------- */

#define LONG_HELP                                                                                  \
    "a sentence that goes on and on and on and on and on and on and on and on until the line ends"

static void help_is_made_of_the_rows(void **state)
{
    const char *name = "x", *empty = "";
    bool on = true;
    int64_t number = 7, duration = 250, seconds = 90000;
    struct option_list list = { 0 };
    // clang-format off
    const struct option some[] = {
        { .name = "name", .short_name = 'n', .type = OPTION_STRING, .target = &name, .value = "NAME", .help = "a name" },
        { .name = "empty", .type = OPTION_STRING, .target = &empty, .value = "NAME", .help = "nothing" },
        { .name = "on", .type = OPTION_SWITCH, .target = &on, .help = "a switch" },
        { .name = "list", .type = OPTION_LIST, .target = &list, .value = "ITEM", .help = "a list" },
        { .name = "number", .type = OPTION_INTEGER, .target = &number, .value = "N", .help = LONG_HELP },
        { .name = "a-flag-with-a-long-name", .type = OPTION_DURATION, .target = &duration, .value = "TIME", .help = "a time" },
        { .name = "long", .type = OPTION_DURATION, .target = &seconds, .value = "TIME", .help = "a longer time" },
        { .name = "hidden", .type = OPTION_SWITCH, .target = &on },
        { 0 },
    };
    // clang-format on
    cleanup_text struct text help = TEXT_INIT;
    (void)state;
    options_help(some, &help);
    assert_string_equal(text_string(&help),
                        "  -n, --name NAME            a name (default x)\n"
                        "      --empty NAME           nothing\n"
                        "      --on                   a switch\n"
                        "      --list ITEM            a list\n"
                        "      --number N             a sentence that goes on and on and on and on "
                        "and on and on and on and\n"
                        "                             on until the line ends (default 7)\n"
                        "      --a-flag-with-a-long-name TIME\n"
                        "                             a time (default 250ms)\n"
                        "      --long TIME            a longer time (default 90s)\n");
}

static void a_row_of_its_own_is_no_negation(void **state)
{
    bool pin = false, no_pin = false;
    const struct option own[] = {
        { .name = "pin", .type = OPTION_SWITCH, .target = &pin, .no_environment = true },
        { .name = "no-pin", .type = OPTION_SWITCH, .target = &no_pin, .no_environment = true },
        { 0 },
    };
    char program[] = "x", first[] = "--pin", second[] = "--no-pin";
    char *argv[] = { program, first, second, NULL };
    int count;
    struct error err;
    (void)state;
    assert_true(options_parse(own, 3, argv, &count, &err));
    assert_true(pin);
    assert_true(no_pin);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(help_is_made_of_the_rows),
                                         cmocka_unit_test(a_row_of_its_own_is_no_negation) };
    return RUN_CASES(parses, is_understood_or_refused) + RUN_CASES(units, has_its_value) +
           cmocka_run_group_tests(others, NULL, NULL);
}
