#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "registry/manifest.h"

#include "eos/binder/v1/binder.pb-c.h"

/* What an image says about itself, for people: everything of it comes from whoever made the image. */
#define IMAGE_CONFIG_MAX_BYTES (4u << 20)
#define IMAGE_CONFIG_MAX_ITEMS 4096u /* of each list */

/* "linux/arm64/v8".  INVALID_ARGUMENT says what is expected. */
bool platform_parse(struct slice text, struct arena *arena, struct platform *ret_platform,
                    struct error *err) MUST_CHECK;

/* All in `arena`. */
Eos__Binder__V1__ImageManifest *manifest_entry(const struct descriptor *descriptor,
                                               struct arena *arena)
    __attribute__((returns_nonnull));

/* Fills layers and sizes of the answer from the manifest of an image. */
void details_add_layers(const struct manifest *manifest, struct arena *arena,
                        Eos__Binder__V1__InspectResponse *response);

/* "linux/arm/v7", or "" when the configuration does not tell; in `arena`. */
const char *config_platform(const Eos__Binder__V1__ImageConfig *config, struct arena *arena);

/* The configuration of an image.  What is absent or null is empty; FAILED_PRECONDITION: it is no JSON
 * object, or something of it has another type. */
bool details_parse_config(struct slice bytes, struct arena *arena,
                          Eos__Binder__V1__ImageConfig **ret_config, struct error *err) MUST_CHECK;
