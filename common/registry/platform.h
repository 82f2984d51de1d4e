#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A machine as Go names it: "linux", "amd64", variant "v3"; what is absent is "". */
struct platform {
    const char *os;
    const char *architecture;
    const char *variant;
};

/* The machine that this program runs on: "linux", "amd64", "arm64", …, and its variant; of amd64 the
 * level of its processor, "" to "v4". */
struct platform platform_host(void);

/* How well an image for `image` runs on `host`: 0 not at all, higher is better.  An image for an older
 * variant of ARM runs on a newer one; one for a newer amd64 (v2 to v4) only on a host that says so. */
unsigned platform_fit(const struct platform *image, const struct platform *host);
