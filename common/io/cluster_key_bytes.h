#pragma once

#include "io/cluster_key.h"

/* For the module that seals, and nobody else. */
#define CLUSTER_KEY_BYTES 32

struct cluster_key {
    unsigned char bytes[CLUSTER_KEY_BYTES];
};
