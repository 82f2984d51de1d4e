#include "io/log.h"
#include "io/wall_clock.h"

#include <stdarg.h>
#include <unistd.h>

#define FIELDS_MAX 16 /* name, value pairs of one line */

static struct {
    const char *service;
    enum log_style style;
    enum log_level least;
} global = { .service = "eos", .style = LOG_PLAIN, .least = LOG_INFO };

void log_open(const char *service, enum log_style style, enum log_level least)
{
    global.service = service;
    global.style = style;
    global.least = least;
}

/* Pairs up to the first missing name; a NULL value must not end the list, so it is skipped here. */
static void collect(va_list ap, const char **fields)
{
    size_t count = 0;
    for (const char *name; (name = va_arg(ap, const char *)) != NULL;) {
        const char *value = va_arg(ap, const char *);
        if (!value || count == FIELDS_MAX)
            continue;
        fields[2 * count] = name;
        fields[2 * count + 1] = value;
        count++;
    }
    fields[2 * count] = NULL;
}

void log_line(enum log_level level, const char *message, ...)
{
    if (level < global.least)
        return;
    const char *fields[2 * FIELDS_MAX + 1];
    va_list ap;
    va_start(ap, message);
    collect(ap, fields);
    va_end(ap);

    cleanup_text struct text line = TEXT_INIT;
    log_format_line(&line, global.style, wall_clock_ms(), level, global.service, message, fields);
    /* One write, so that the lines of several processes on one pipe do not mix.  A log that cannot
     * be written has nobody to be told. */
    if (write(STDERR_FILENO, line.ptr, line.len) < 0)
        return;
}
