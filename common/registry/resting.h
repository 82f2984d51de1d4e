#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Which mirrors had trouble a moment ago, so that they are asked last. */
struct resting;

#define RESTING_MAX 1024u

struct resting *resting_new(void) __attribute__((returns_nonnull));
void resting_free(struct resting *resting); /* NULL is a no-op */

/* Until then; a later end wins.  With RESTING_MAX of them, all others are forgotten. */
void resting_put(struct resting *resting, const char *base_url, uint64_t until_ms);
bool resting_has(const struct resting *resting, const char *base_url, uint64_t now_ms);
