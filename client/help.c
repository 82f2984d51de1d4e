#include "base/cleanup.h"
#include "client/verb.h"

#define SUMMARY_COLUMN 28

static void add_row(const char *left, const char *summary, struct text *out)
{
    int width = (int)strlen(left);
    if (width > SUMMARY_COLUMN - 4)
        text_printf(out, "  %s\n%*s%s\n", left, SUMMARY_COLUMN, "", summary);
    else
        text_printf(out, "  %-*s%s\n", SUMMARY_COLUMN - 2, left, summary);
}

static void add_verb_row(const struct verb *verb, struct text *out)
{
    cleanup_text struct text left = TEXT_INIT;
    text_printf(&left, "%s%s%s", verb->noun, verb->name ? " " : "", verb->name ? verb->name : "");
    add_row(text_string(&left), verb->summary, out);
}

static void add_exit_statuses(struct text *out)
{
    text_add(out, "\nexit status:\n");
#define EXIT_STATUS(name, number, when) text_printf(out, "  %-4d %s\n", number, when);
#include "client/exit_status.def"
#undef EXIT_STATUS
}

void help_add_all(const struct verb *verbs, struct text *out)
{
    text_add(out, "usage: eos COMMAND [FLAGS] [ARGUMENTS]\n\n"
                  "Runs jobs in containers on a cluster of Linux hosts.\n\ncommands:\n");
    for (const struct verb *verb = verbs; verb->noun; verb++)
        add_verb_row(verb, out);
    add_row("help [COMMAND]", "show this, or the help of a command", out);
    add_exit_statuses(out);
}

void help_add_noun(const struct verb *verbs, const char *noun, struct text *out)
{
    text_printf(out, "usage: eos %s VERB [FLAGS] [ARGUMENTS]\n\nverbs:\n", noun);
    for (const struct verb *verb = verbs; verb->noun; verb++)
        if (strcmp(verb->noun, noun) == 0)
            add_row(verb->name ? verb->name : verb->noun, verb->summary, out);
    text_printf(out, "\n\"eos help %s VERB\" tells more.\n", noun);
}

void help_add_verb(const struct verb *verb, struct text *out)
{
    struct flags flags = flags_default();
    struct option rows[FLAG_COUNT + 1];
    text_add(out, "usage: ");
    verb_add_path(verb, out);
    text_printf(out, " [FLAGS]%s%s\n\n%s\n", verb->arguments[0] ? " " : "", verb->arguments,
                verb->summary);
    if (verb->details)
        text_printf(out, "\n%s\n", verb->details);
    text_add(out, "\nflags:\n");
    flags_rows(verb->flags | F(HELP), &flags, rows);
    options_help(rows, out);
}
