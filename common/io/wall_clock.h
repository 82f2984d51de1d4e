#pragma once

#include <stdint.h>

/* Milliseconds since the Unix epoch.  For what people read and what is stored; durations are measured
 * with the loop's clock. */
int64_t wall_clock_ms(void);
