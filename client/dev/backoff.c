#include "client/dev/backoff.h"

uint32_t backoff_next(struct backoff *backoff, uint64_t uptime_ms)
{
    if (backoff->next_ms == 0 || uptime_ms >= BACKOFF_FORGET_MS)
        backoff->next_ms = BACKOFF_FIRST_MS;
    uint32_t delay_ms = backoff->next_ms;
    backoff->next_ms = delay_ms * 2 < BACKOFF_MAX_MS ? delay_ms * 2 : BACKOFF_MAX_MS;
    return delay_ms;
}
