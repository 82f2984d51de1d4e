#pragma once

#include "base/error.h"
#include "base/text.h"
#include "client/exit_status.h"

/* Results go to stdout, everything else to stderr.  Colour only on a terminal, and never when NO_COLOR
 * is set or TERM is "dumb". */
enum colour {
    COLOUR_NONE,
    COLOUR_RED,
    COLOUR_GREEN,
    COLOUR_YELLOW,
    COLOUR_BLUE,
    COLOUR_MAGENTA,
    COLOUR_CYAN,
    COLOUR_BOLD,
    COLOUR_DIM,
    COLOUR_COUNT
};

bool output_has_colour(int fd);
bool output_is_terminal(int fd);

/* Adds `string` between the sequences for the colour when `is_coloured`, else as it is. */
void output_add_coloured(struct text *out, bool is_coloured, enum colour colour,
                         const char *string);

/* Adds text that comes from elsewhere, so that it cannot steer a terminal: control characters other
 * than tab and newline come out as "?". */
void output_add_printable(struct text *out, const char *string);

/* Writes all of it to stdout.  STATUS_FATAL when that is not possible (except that a reader that went
 * away is no failure). */
enum exit_status output_print(const struct text *text);

/* "eos: <sentence>" on stderr; gives back `status`. */
enum exit_status output_complain(enum exit_status status, const struct error *err);

/* The same for a sentence that is no error. */
void output_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line on stderr that the next one overwrites; only on a terminal.  NULL clears it. */
void output_progress(const char *line);
