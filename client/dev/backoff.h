#pragma once

#include <stdint.h>

/* How long to wait before a service that died is started again: doubles from BACKOFF_FIRST_MS to
 * BACKOFF_MAX_MS, and starts anew when it had been up for BACKOFF_FORGET_MS.  Pure. */
struct backoff {
    uint32_t next_ms; /* 0 at first */
};

#define BACKOFF_FIRST_MS  100u
#define BACKOFF_MAX_MS    5000u
#define BACKOFF_FORGET_MS 10000u

uint32_t backoff_next(struct backoff *backoff, uint64_t uptime_ms);
