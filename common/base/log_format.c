#include "base/log_format.h"

#include <assert.h>
#include <time.h>

static const char *const level_names[LOG_LEVEL_COUNT] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};

static const char *const style_names[LOG_STYLE_COUNT] = {
    [LOG_PLAIN] = "plain",
    [LOG_JSON] = "json",
};

const char *log_level_name(enum log_level level)
{
    assert(level < LOG_LEVEL_COUNT);
    return level_names[level];
}

bool log_level_parse(struct slice name, enum log_level *ret_level)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++)
        if (slice_is(name, level_names[i])) {
            *ret_level = i;
            return true;
        }
    return false;
}

bool log_style_parse(struct slice name, enum log_style *ret_style)
{
    for (unsigned i = 0; i < LOG_STYLE_COUNT; i++)
        if (slice_is(name, style_names[i])) {
            *ret_style = i;
            return true;
        }
    return false;
}

void log_format_time(struct text *out, int64_t now_ms)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    text_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(now_ms % 1000));
}

static bool needs_quotes(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
            return true;
    }
    return value.len == 0 || !slice_is_utf8(value);
}

/* A message is prose and not quoted, so only what would break the line is replaced. */
static void add_message(struct text *out, const char *message)
{
    for (const char *c = message; *c; c++)
        text_add_char(out, (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c);
}

static void add_plain(struct text *out, enum log_level level, const char *service,
                      const char *message, const char *const *fields)
{
    text_printf(out, " %s %s: ", log_level_name(level), service);
    add_message(out, message);
    for (; fields && fields[0]; fields += 2) {
        if (!fields[1])
            continue;
        struct slice value = slice_of(fields[1]);
        text_printf(out, " %s=", fields[0]);
        if (needs_quotes(value))
            text_add_json_string(out, value);
        else
            text_add_slice(out, value);
    }
    text_add_char(out, '\n');
}

static void add_json(struct text *out, enum log_level level, const char *service,
                     const char *message, const char *const *fields)
{
    text_printf(out, "\",\"level\":\"%s\",\"service\":", log_level_name(level));
    text_add_json_string(out, slice_of(service));
    text_add(out, ",\"message\":");
    text_add_json_string(out, slice_of(message));
    for (; fields && fields[0]; fields += 2) {
        if (!fields[1])
            continue;
        text_add_char(out, ',');
        text_add_json_string(out, slice_of(fields[0]));
        text_add_char(out, ':');
        text_add_json_string(out, slice_of(fields[1]));
    }
    text_add(out, "}\n");
}

void log_format_line(struct text *out, enum log_style style, int64_t now_ms, enum log_level level,
                     const char *service, const char *message, const char *const *fields)
{
    if (style == LOG_JSON)
        text_add(out, "{\"time\":\"");
    log_format_time(out, now_ms);
    if (style == LOG_JSON)
        add_json(out, level, service, message, fields);
    else
        add_plain(out, level, service, message, fields);
}
