#pragma once

#include "base/log_format.h"

/* The process's log, on stderr: the one global of the suite.  Only shells log, once, where an error
 * stops travelling. */
void log_open(const char *service, enum log_style style, enum log_level least);

/* One line; the arguments behind `message` are name, value pairs of `const char *`:
 * `log_info("task placed", "task", task_id, "host", host);`.  A NULL value is left out. */
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__, (const char *)NULL)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__, (const char *)NULL)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__, (const char *)NULL)
#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__, (const char *)NULL)

void log_line(enum log_level level, const char *message, ...) __attribute__((sentinel));
