#pragma once

#include "base/arena.h"
#include "base/text.h"
#include "client/exit_status.h"
#include "client/flags.h"

struct verb;

/* One command as it was given. */
struct invocation {
    const struct verb *verb;
    const struct flags *flags;
    char *const *arguments; /* those that are no flags */
    int argument_count;
    char *const *argv;   /* as it came, from the word behind the verb on, NULL-terminated */
    struct arena *arena; /* lives as long as the command */
};

/* Does the work, prints results on stdout and errors on stderr. */
typedef enum exit_status verb_fn(const struct invocation *invocation);

/* What the shell may offer as an argument. */
enum argument_kind { ARGUMENT_NONE, ARGUMENT_FREE, ARGUMENT_FILE, ARGUMENT_NOUN };

struct verb {
    const char *noun;      /* NULL ends a table */
    const char *name;      /* NULL: the noun stands alone, such as "dev" */
    const char *arguments; /* for the usage line; "" for none */
    const char *summary;   /* one line */
    const char *details;   /* further paragraphs, or NULL */
    uint64_t flags;        /* F(…) of all that it takes; --help is added */
    int min_arguments, max_arguments;
    enum argument_kind
        complete[2]; /* the first arguments; of many, the first kind is that of all */
    verb_fn *run;
};

/* NULL with INVALID_ARGUMENT when there is no such command.  `*ret_words` is how many words of argv
 * name it. */
const struct verb *verb_find(const struct verb *verbs, int argc, char *const *argv, int *ret_words,
                             struct error *err) MUST_CHECK;

bool verb_noun_exists(const struct verb *verbs, const char *noun);

/* Pages made from the table: all commands, those of one noun, one command. */
void help_add_all(const struct verb *verbs, struct text *out);
void help_add_noun(const struct verb *verbs, const char *noun, struct text *out);
void help_add_verb(const struct verb *verb, struct text *out);

/* A script for bash that completes commands, flags, their values and file names. */
void completion_add_bash(const struct verb *verbs, struct text *out);

/* Parses what stands behind the verb and runs it; `argv[0]` is the last word that named it. */
enum exit_status verb_run(const struct verb *verb, int argc, char **argv);

/* "eos job create" */
void verb_add_path(const struct verb *verb, struct text *out);
