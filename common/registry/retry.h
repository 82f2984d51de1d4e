#pragma once

#include "base/slice.h"

#include <stdint.h>

/* When a request to a registry is worth another try, and how long to wait first. */
#define RETRY_MIN_ATTEMPTS   4u /* of what is waited for */
#define RETRY_HASTY_ATTEMPTS 2u /* of what has a substitute */

/* How long to go on after RETRY_MIN_ATTEMPTS: a tenth of the deadline, up to 15 s.  Whoever asks for a
 * document wants to know soon; whoever pulls an image would rather wait for a registry to restart. */
uint32_t retry_patience_ms(uint32_t deadline_ms);

/* Too many requests, and what a proxy or an overloaded registry answers. */
bool retry_is_worth(unsigned http_status);

/* The pause before attempt `attempt` (the first repetition is 1): doubles from 200 ms to 5 s, and
 * `random` takes up to half of it away, so that many clients do not come back at once. */
uint32_t retry_delay_ms(unsigned attempt, uint32_t random);

/* A Retry-After header: seconds, or an HTTP date.  False when it is neither.  A date that is over gives
 * 0; more than a day is a day. */
bool retry_after_parse(struct slice value, int64_t now_ms, uint32_t *ret_delay_ms);
