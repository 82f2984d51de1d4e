#include "client/output.h"

#include "base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const sequences[COLOUR_COUNT] = {
    [COLOUR_NONE] = "",           [COLOUR_RED] = "\033[31m",  [COLOUR_GREEN] = "\033[32m",
    [COLOUR_YELLOW] = "\033[33m", [COLOUR_BLUE] = "\033[34m", [COLOUR_MAGENTA] = "\033[35m",
    [COLOUR_CYAN] = "\033[36m",   [COLOUR_BOLD] = "\033[1m",  [COLOUR_DIM] = "\033[2m",
};

bool output_is_terminal(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

bool output_has_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && *no_color) && output_is_terminal(fd);
}

void output_add_coloured(struct text *out, bool is_coloured, enum colour colour, const char *string)
{
    assert(colour < COLOUR_COUNT);
    if (!is_coloured || colour == COLOUR_NONE)
        text_add(out, string);
    else
        text_printf(out, "%s%s\033[0m", sequences[colour], string);
}

void output_add_printable(struct text *out, const char *string)
{
    for (const char *c = string; *c; c++) {
        bool is_control = (unsigned char)*c < 0x20 || *c == 0x7f;
        text_add_char(out, is_control && *c != '\n' && *c != '\t' ? '?' : *c);
    }
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t count = write(fd, bytes.ptr, bytes.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        bytes.ptr += count;
        bytes.len -= (size_t)count;
    }
    return true;
}

enum exit_status output_print(const struct text *text)
{
    struct error err;
    if (write_all(STDOUT_FILENO, text_slice(text)) || errno == EPIPE)
        return STATUS_OK;
    error_set_errno(&err, errno, "could not write the result");
    return output_complain(STATUS_FATAL, &err);
}

enum exit_status output_complain(enum exit_status status, const struct error *err)
{
    cleanup_text struct text line = TEXT_INIT;
    output_progress(NULL);
    output_add_coloured(&line, output_has_colour(STDERR_FILENO), COLOUR_RED, "eos:");
    text_add_char(&line, ' ');
    output_add_printable(&line, err->message);
    text_add_char(&line, '\n');
    (void)write_all(STDERR_FILENO, text_slice(&line));
    return status;
}

void output_note(const char *fmt, ...)
{
    cleanup_text struct text sentence = TEXT_INIT, line = TEXT_INIT;
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(&sentence, fmt, ap);
    va_end(ap);
    output_progress(NULL);
    output_add_printable(&line, text_string(&sentence));
    text_add_char(&line, '\n');
    (void)write_all(STDERR_FILENO, text_slice(&line));
}

void output_progress(const char *line)
{
    static bool is_shown;
    cleanup_text struct text out = TEXT_INIT;
    if (!output_is_terminal(STDERR_FILENO) || (!line && !is_shown))
        return;
    text_add(&out, "\r\033[K");
    if (line)
        output_add_printable(&out, line);
    is_shown = line != NULL;
    (void)write_all(STDERR_FILENO, text_slice(&out));
}
