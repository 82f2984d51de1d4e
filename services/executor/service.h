#pragma once

#include "base/error.h"

#include <stdint.h>

/* The outer process: supervises one task from outside of its container, keeps its record, and talks
 * to launchers.  It survives whatever happens inside. */
struct service_options {
    const char *plan_file;
    int64_t linger_ms; /* how long it waits for a launcher's acknowledgement after the end */
};

enum service_status {
    SERVICE_FINISHED = 0, /* the task is FINISHED */
    SERVICE_ENDED = 1,    /* it ended otherwise: the message is on stderr */
    SERVICE_REFUSED = 2,  /* nothing was changed */
};

enum service_status service_run(const struct service_options *options);
