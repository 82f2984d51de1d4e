#include "base/random.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static uint64_t rotate_left(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

/* xoshiro256**: 256 bits of state, good enough for back-off, and for ids when seeded by the kernel. */
uint64_t random_next(struct random *random)
{
    uint64_t *w = random->words;
    uint64_t result = rotate_left(w[1] * 5, 7) * 9;
    uint64_t shifted = w[1] << 17;

    w[2] ^= w[0];
    w[3] ^= w[1];
    w[1] ^= w[2];
    w[0] ^= w[3];
    w[2] ^= shifted;
    w[3] = rotate_left(w[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    assert(bound > 0);
    return (uint64_t)(((unsigned __int128)random_next(random) * bound) >> 64);
}

void random_uuid(struct random *random, char ret_text[37])
{
    uint64_t high = random_next(random), low = random_next(random);

    high = (high & ~0xf000ull) | 0x4000;
    low = (low & ~(3ull << 62)) | (2ull << 62);
    snprintf(ret_text, 37, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
             high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48,
             low & (uint64_t)0xffffffffffff);
}
