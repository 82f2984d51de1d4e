#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "launcher/image_store.h"

#define IMAGE_DEFAULT_REGISTRY "https://registry-1.docker.io"

/* Where an image is.  `label` and `origin` are for messages: "eos/hello:1.0", "http://127.0.0.1:5000". */
struct image_place {
    const char *label;
    const char *origin;
    const char *key; /* the same for two requests that want the same */

    /* Docker */
    const char *base_url, *repository, *reference;
    bool is_by_digest;

    /* AppC: exactly one of these */
    const char *path, *url;
};

/* Checks the request and says where to look.  Everything lives in `arena`.  INVALID_ARGUMENT tells
 * what is wrong with the name; FAILED_PRECONDITION that an option is missing. */
bool image_place_find(const struct image_request *request,
                      const struct image_store_options *options, struct arena *arena,
                      struct image_place *ret_place, struct error *err) MUST_CHECK;
