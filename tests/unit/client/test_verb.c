#include "client/verb.h"

#include "base/cleanup.h"
#include "unit/test.h"

static struct {
    int count;
    char first[32], bind[32];
    int64_t batch_size;
} seen;

static enum exit_status look(const struct invocation *invocation)
{
    const struct flags *flags = invocation->flags;
    seen.count = invocation->argument_count;
    snprintf(seen.first, sizeof seen.first, "%s", seen.count > 0 ? invocation->arguments[0] : "");
    snprintf(seen.bind, sizeof seen.bind, "%s", flags->bind.count > 0 ? flags->bind.items[0] : "");
    seen.batch_size = flags->batch_size;
    return STATUS_TIMEOUT;
}

static const struct verb verbs[] = {
    { .noun = "job",
      .name = "create",
      .arguments = "KEY FILE",
      .summary = "make",
      .run = look,
      .min_arguments = 2,
      .max_arguments = 2,
      .flags = F(BIND) | F(OUTPUT) },
    { .noun = "job",
      .name = "kill",
      .arguments = "KEY",
      .summary = "end",
      .run = look,
      .min_arguments = 1,
      .max_arguments = 1,
      .flags = F(BATCH_SIZE),
      .details = "More of it." },
    { .noun = "dev", .arguments = "", .summary = "all", .run = look },
    { 0 },
};

static const struct find_case {
    const char *name;
    const char *words[3];
    const char *verb; /* NULL: none */
    int used;
    const char *problem;
} find_cases[] = {
    { "noun and verb", { "job", "kill" }, "kill", 2, NULL },
    { "a noun alone", { "dev", "--http" }, "", 1, NULL },
    { "an unknown noun",
      { "jub", "kill" },
      NULL,
      0,
      "no command \"jub\", expected one of job, dev" },
    { "an unknown verb",
      { "job", "destroy" },
      NULL,
      0,
      "\"job\" has no verb \"destroy\", expected one of create, kill" },
    { "no verb", { "job" }, NULL, 0, "\"job\" needs a verb, one of create, kill" },
    { "a flag is no verb", { "job", "--bind" }, NULL, 0, "needs a verb" },
};

static void is_found(void **state)
{
    const struct find_case *c = *state;
    struct error err = { 0 };
    int used = 0, count = 0;
    while (c->words[count])
        count++;
    const struct verb *verb = verb_find(verbs, count, (char *const *)c->words, &used, &err);
    assert_int_equal(verb != NULL, c->verb != NULL);
    assert_int_equal(used, c->used);
    if (verb)
        assert_string_equal(verb->name ? verb->name : "", c->verb);
    else
        assert_non_null(strstr(err.message, c->problem));
}

static const struct run_case {
    const char *name;
    int verb;
    const char *words[6];
    int status, count;
    const char *first, *bind;
} run_cases[] = {
    { "arguments and flags in any order",
      0,
      { "create", "k", "--bind", "a=b", "f" },
      9,
      2,
      "k",
      "a=b" },
    { "a flag with equals", 0, { "create", "--bind=a=b", "k", "f" }, 9, 2, "k", "a=b" },
    { "a prefix of a flag", 0, { "create", "--bi", "a=b", "k", "f" }, 9, 2, "k", "a=b" },
    { "too few arguments", 0, { "create", "k" }, 2, 0, "", "" },
    { "too many arguments", 1, { "kill", "k", "f" }, 2, 0, "", "" },
    { "none taken", 2, { "dev", "x" }, 2, 0, "", "" },
    { "a flag of another verb", 1, { "kill", "--bind", "a=b", "k" }, 2, 0, "", "" },
    { "a number that is none", 1, { "kill", "--batch-size", "x", "k" }, 2, 0, "", "" },
    { "a number out of range", 1, { "kill", "--batch-size", "0", "k" }, 2, 0, "", "" },
    { "a word that is not allowed", 0, { "create", "--output", "xml", "k", "f" }, 2, 0, "", "" },
};

static void runs_or_refuses(void **state)
{
    const struct run_case *c = *state;
    char *argv[8] = { 0 };
    int argc = 0;
    for (; c->words[argc]; argc++)
        argv[argc] = (char *)c->words[argc];
    memset(&seen, 0, sizeof seen);
    assert_int_equal(verb_run(&verbs[c->verb], argc, argv), c->status);
    assert_int_equal(seen.count, c->count);
    assert_string_equal(seen.first, c->first);
    assert_string_equal(seen.bind, c->bind);
}

static void help_is_made_of_the_table(void **state)
{
    struct text all = TEXT_INIT, noun = TEXT_INIT, verb = TEXT_INIT;
    (void)state;
    help_add_all(verbs, &all);
    help_add_noun(verbs, "job", &noun);
    help_add_verb(&verbs[1], &verb);
    assert_non_null(strstr(text_string(&all), "  job create                make\n"));
    assert_non_null(strstr(text_string(&all), "  dev                       all\n"));
    assert_non_null(strstr(text_string(&all), "  130  Ctrl-C\n"));
    assert_non_null(strstr(text_string(&noun), "  kill                      end\n"));
    assert_null(strstr(text_string(&noun), "dev"));
    assert_non_null(strstr(text_string(&verb), "usage: eos job kill [FLAGS] KEY\n"));
    assert_non_null(strstr(text_string(&verb), "More of it."));
    assert_non_null(strstr(text_string(&verb), "--batch-size N"));
    assert_null(strstr(text_string(&verb), "--bind"));
    text_done(&all);
    text_done(&noun);
    text_done(&verb);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(help_is_made_of_the_table) };
    return RUN_CASES(find_cases, is_found) + RUN_CASES(run_cases, runs_or_refuses) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
