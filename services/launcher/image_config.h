#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* What a container needs to know of its image, whichever kind. */
struct image_settings {
    const char *const *environment; /* "NAME=value" */
    size_t environment_count;
    const char *working_directory; /* absolute and without ".."; "" when none */
};

/* The config blob of a Docker or OCI image. */
struct image_config {
    struct image_settings settings;
    const char *const *diff_ids; /* of the uncompressed layers, lowest first */
    size_t diff_id_count;
};

/* The result lives in `arena`.  `layer_count` is the manifest's.  FAILED_PRECONDITION when the image
 * is for another operating system or processor than this host's. */
bool image_config_parse(struct slice json, size_t layer_count, struct arena *arena,
                        struct image_config *ret_config, struct error *err) MUST_CHECK;

/* The processor of this host in the words of Docker ("amd64") and of AppC ("amd64", "aarch64"). */
extern const char *const image_docker_architecture;
extern const char *const image_appc_architecture;

/* "NAME=value" that a process may be given. */
bool image_settings_check_variable(const char *variable, struct error *err) MUST_CHECK;

/* "a/../b" is "/b": nothing that an image says leaves its root. */
const char *image_clean_directory(const char *path, struct arena *arena);
