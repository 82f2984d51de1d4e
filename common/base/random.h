#pragma once

#include <stdint.h>

/* A source of random numbers that is seeded once, so that the core needs none of its own: the same
 * seed gives the same decisions. */
struct random {
    uint64_t words[4]; /* not all zero */
};

uint64_t random_next(struct random *random);

/* In [0, bound), bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* A version 4 UUID in its text form, with the terminating NUL. */
void random_uuid(struct random *random, char ret_text[37]);
