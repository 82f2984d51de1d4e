#include "client/verb.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/output.h"

#include <assert.h>

/* -- finding -------------------------------------------------------------------------------------- */

bool verb_noun_exists(const struct verb *verbs, const char *noun)
{
    for (const struct verb *verb = verbs; verb->noun; verb++)
        if (strcmp(verb->noun, noun) == 0)
            return true;
    return false;
}

static void add_nouns(const struct verb *verbs, struct text *out)
{
    for (const struct verb *verb = verbs; verb->noun; verb++)
        if (verb == verbs || strcmp(verb->noun, verb[-1].noun) != 0)
            text_printf(out, "%s%s", out->len > 0 ? ", " : "", verb->noun);
}

static void add_names(const struct verb *verbs, const char *noun, struct text *out)
{
    for (const struct verb *verb = verbs; verb->noun; verb++)
        if (strcmp(verb->noun, noun) == 0)
            text_printf(out, "%s%s", out->len > 0 ? ", " : "", verb->name);
}

static const struct verb *fail(const struct verb *verbs, const char *noun, const char *name,
                               struct error *err)
{
    cleanup_text struct text words = TEXT_INIT;
    if (!verb_noun_exists(verbs, noun)) {
        add_nouns(verbs, &words);
        error_set(err, ERROR_INVALID_ARGUMENT, "there is no command \"%.40s\", expected one of %s",
                  noun, text_string(&words));
        return NULL;
    }
    add_names(verbs, noun, &words);
    if (!name || name[0] == '-')
        error_set(err, ERROR_INVALID_ARGUMENT, "\"%s\" needs a verb, one of %s", noun,
                  text_string(&words));
    else
        error_set(err, ERROR_INVALID_ARGUMENT, "\"%s\" has no verb \"%.40s\", expected one of %s",
                  noun, name, text_string(&words));
    return NULL;
}

const struct verb *verb_find(const struct verb *verbs, int argc, char *const *argv, int *ret_words,
                             struct error *err)
{
    assert(argc > 0);
    const char *noun = argv[0], *name = argc > 1 ? argv[1] : NULL;
    for (const struct verb *verb = verbs; verb->noun; verb++) {
        bool is_it = !verb->name || (name && strcmp(verb->name, name) == 0);
        if (strcmp(verb->noun, noun) == 0 && is_it) {
            *ret_words = verb->name ? 2 : 1;
            return verb;
        }
    }
    return fail(verbs, noun, name, err);
}

/* -- running -------------------------------------------------------------------------------------- */

void verb_add_path(const struct verb *verb, struct text *out)
{
    text_printf(out, "eos %s%s%s", verb->noun, verb->name ? " " : "", verb->name ? verb->name : "");
}

static bool check_count(const struct verb *verb, int count, struct error *err)
{
    if (count >= verb->min_arguments && count <= verb->max_arguments)
        return true;
    cleanup_text struct text path = TEXT_INIT;
    verb_add_path(verb, &path);
    if (verb->max_arguments == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "%s takes no arguments", text_string(&path));
    return error_set(err, ERROR_INVALID_ARGUMENT, "%s, expected \"%s %s\"",
                     count < verb->min_arguments ? "an argument is missing" : "too many arguments",
                     text_string(&path), verb->arguments);
}

static enum exit_status show_help(const struct verb *verb)
{
    cleanup_text struct text page = TEXT_INIT;
    help_add_verb(verb, &page);
    return output_print(&page);
}

static enum exit_status run_parsed(const struct verb *verb, const struct flags *flags, int count,
                                   char **argv, char *const *original)
{
    struct error err;
    if (flags->help)
        return show_help(verb);
    if (!check_count(verb, count, &err) || !flags_check(verb->flags, flags, &err))
        return output_complain(STATUS_SYNTAX, &err);
    struct arena *arena = arena_new();
    struct invocation invocation = { .verb = verb,
                                     .flags = flags,
                                     .arguments = argv + 1,
                                     .argument_count = count,
                                     .argv = original,
                                     .arena = arena };
    enum exit_status status = verb->run(&invocation);
    arena_free(arena);
    return status;
}

enum exit_status verb_run(const struct verb *verb, int argc, char **argv)
{
    struct flags flags = flags_default();
    struct option rows[FLAG_COUNT + 1];
    struct error err;
    int count;

    /* Parsing moves the arguments about; a verb that hands them on wants them as they were. */
    cleanup_free char **original = xcalloc((size_t)argc + 1, sizeof *original);
    memcpy(original, argv, (size_t)argc * sizeof *original);
    flags_rows(verb->flags | F(HELP), &flags, rows);
    enum exit_status status = STATUS_SYNTAX;
    if (options_parse(rows, argc, argv, &count, &err))
        status = run_parsed(verb, &flags, count, argv, original + 1);
    else
        output_complain(STATUS_SYNTAX, &err);
    options_done(rows);
    return status;
}
