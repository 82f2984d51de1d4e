#pragma once

#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

/* Command line flags from a table, with environment twins, and the help text made of the same rows.
 *
 * A flag `--state-dir` has the twin `EOS_STATE_DIR`; the command line wins.  Accepted forms are
 * `--name VALUE`, `--name=VALUE`, `--name` and `--no-name` for switches (a row that is called
 * "no-name" itself comes first), `-x VALUE` for a short
 * name, unambiguous prefixes of long names, and `--` before positional arguments.  An empty
 * environment variable counts as not set. */
enum option_type {
    OPTION_STRING,   /* const char **: borrowed from argv or the environment */
    OPTION_LIST,     /* struct option_list *: a flag that may be given several times; in the
                        environment the values are separated by commas */
    OPTION_SWITCH,   /* bool * */
    OPTION_INTEGER,  /* int64_t *: decimal, within [min, max] */
    OPTION_DURATION, /* int64_t *: milliseconds, written "250ms", "5s", "2m", "1h", "7d";
                        within [min, max] milliseconds */
    OPTION_BYTES,    /* int64_t *: "512", "64K", "10M", "2G" (powers of 1024); within [min, max] */
    OPTION_TYPE_COUNT
};

struct option_list {
    const char **items;
    size_t count;
    char *environment; /* what the items point into when they came from there; else NULL */
};

struct option {
    const char *name; /* long name without dashes; a row without a name ends the table */
    char short_name;  /* 0: none */
    enum option_type type;
    void *target;      /* holds the default until it is set */
    int64_t min, max;  /* for the types with a range; both 0: no range but >= 0 */
    const char *value; /* placeholder in the help text, such as "DIR"; NULL for switches */
    const char *help;  /* one sentence without full stop; NULL hides the flag */
    bool no_environment;
};

/* Sets the targets from the environment and from argv[1..].  Positional arguments are moved to the
 * front of `argv` (from index 1 on) and counted in `*ret_positional_count`.  Messages name the flag
 * and what was expected.  `--help` and `--version` are not special: put them into the table.
 * INVALID_ARGUMENT on failure; targets may then be partly set. */
bool options_parse(const struct option *options, int argc, char **argv, int *ret_positional_count,
                   struct error *err) MUST_CHECK;

/* Releases the OPTION_LIST targets. */
void options_done(const struct option *options);

/* Adds a line (or more) per flag with its default value, wrapped at 100 columns. */
void options_help(const struct option *options, struct text *out);

/* The grammars of OPTION_DURATION and OPTION_BYTES. */
bool duration_parse(struct slice text, int64_t *ret_ms, struct error *err) MUST_CHECK;
bool bytes_parse(struct slice text, int64_t *ret_bytes, struct error *err) MUST_CHECK;
