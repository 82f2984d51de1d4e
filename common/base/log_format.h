#pragma once

#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_LEVEL_COUNT };
enum log_style { LOG_PLAIN, LOG_JSON, LOG_STYLE_COUNT };

/* "debug", "info", "warning", "error"; "plain", "json". */
const char *log_level_name(enum log_level level);
bool log_level_parse(struct slice name, enum log_level *ret_level);
bool log_style_parse(struct slice name, enum log_style *ret_style);

/* Adds one line with its newline:
 *
 *   plain  2024-05-01T12:00:00.123Z info scheduler: task placed task=a-b-c host=h1
 *   json   {"time":"2024-05-01T12:00:00.123Z","level":"info","service":"scheduler",
 *           "message":"task placed","task":"a-b-c","host":"h1"}
 *
 * `fields` is a NULL-terminated list of name, value pairs; a NULL value is left out.  Values with
 * spaces, quotes, '=' or control characters are quoted in the plain form, so a line is always one
 * line.  `now_ms` counts from the Unix epoch. */
void log_format_line(struct text *out, enum log_style style, int64_t now_ms, enum log_level level,
                     const char *service, const char *message, const char *const *fields);

/* RFC 3339 in UTC with milliseconds. */
void log_format_time(struct text *out, int64_t now_ms);
