#pragma once

#include "base/arena.h"
#include "config/source.h"

#include <stdarg.h>

/* Classes of errors, with the names that answers carry. */
#define ERROR_SYNTAX    "syntax_error"
#define ERROR_NAME      "name_error"
#define ERROR_PYTHON    "python_error"
#define ERROR_INCLUDE   "include_error"
#define ERROR_ATTRIBUTE "unknown_attribute"
#define ERROR_TYPE      "type_error"
#define ERROR_MISSING   "missing_required"
#define ERROR_UNBOUND   "unbound_variable"
#define ERROR_REFERENCE "invalid_reference"
#define ERROR_LOOP      "interpolation_loop"
#define ERROR_VALUE     "invalid_value"
#define ERROR_NO_JOB    "no_such_job"
#define ERROR_AMBIGUOUS "ambiguous_job"
#define ERROR_CRON      "cron_job"
#define ERROR_LIMIT     "limit_exceeded"

#define WARNING_ANNOUNCER  "announcer_port_unused"
#define WARNING_PRODUCTION "production_deprecated"
#define WARNING_PRINT      "print_statement"

struct trace_frame {
    const char *description;
    struct span at;
    struct trace_frame *next; /* outwards */
};

struct diagnostic {
    const char *class;
    const char *exception; /* Python's name, for ERROR_PYTHON; else NULL */
    const char *message;
    const char *hint; /* may be NULL */
    struct span at;   /* `source` is NULL when there is no position */
    struct trace_frame *frames;
};

struct diagnostics {
    struct arena *arena;
    struct diagnostic *items;
    size_t count;
};

/* Adds one; beyond LIMIT_SYNTAX_ERRORS it is dropped.  Returns false. */
bool diagnostics_add(struct diagnostics *list, const char *class, struct span at, const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));
