#pragma once

#include <stdint.h>

/* What an image may ask of the host.  An image is chosen by a user and made by a stranger: every size
 * in it is bounded, and the message that refuses it names the bound. */
#define IMAGE_MAX_MANIFEST_BYTES    (4u << 20)
#define IMAGE_MAX_CONFIG_BYTES      (8u << 20)
#define IMAGE_MAX_BLOB_BYTES        (64ll << 30)
#define IMAGE_MAX_WINDOW_BYTES      (32u << 20) /* of zstd; all that are inflated at a time together */
#define IMAGE_MAX_XZ_BYTES          (80u << 20) /* of memory for one stream; xz -9 takes 65 MiB */
#define IMAGE_MAX_PATH_BYTES        4095
#define IMAGE_MAX_COMPONENT_BYTES   255
#define IMAGE_MAX_PATH_DEPTH        128
#define IMAGE_MAX_ENVIRONMENT       1024
#define IMAGE_MAX_ENVIRONMENT_BYTES (128u << 10) /* the kernel's limit for one string at exec */
#define IMAGE_MAX_LABELS            64
#define IMAGE_MAX_LABEL_BYTES       1024
#define IMAGE_MAX_ACI_NAME_BYTES    255
#define IMAGE_MAX_ACI_DEPTH         16         /* of dependencies of dependencies */
#define IMAGE_MAX_DISCOVERY_BYTES   (1u << 20) /* of the HTML of meta discovery */
#define IMAGE_MAX_DISCOVERY_TAGS    64

/* What unpacking one archive may cost; tests choose smaller ones. */
struct image_limits {
    int64_t bytes; /* of the archive when inflated, and of its files' sizes together */
    int64_t entries;
    int64_t header_bytes;     /* of one entry before its data: names, PAX records, sparse maps */
    int64_t directory_bytes;  /* what is kept of all directories to set their times at the end */
    int64_t ratio;            /* inflated to compressed … */
    int64_t ratio_free_bytes; /* … checked beyond so many inflated bytes */
};

#define IMAGE_LIMITS                                                                               \
    {                                                                                              \
        .bytes = 64ll << 30, .entries = 1000000, .header_bytes = 4 << 20,                          \
        .directory_bytes = 32 << 20, .ratio = 200, .ratio_free_bytes = 256 << 20                   \
    }
