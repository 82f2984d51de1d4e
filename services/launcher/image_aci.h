#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "launcher/image_config.h"

/* The manifest of an AppC image.  `name` is the one that was asked for; the result lives in `arena`.
 * FAILED_PRECONDITION when the image has another name or is for another host, UNIMPLEMENTED when it
 * needs what cannot be had yet (dependencies, a path white list). */
bool image_aci_parse(struct slice json, const char *name, struct arena *arena,
                     struct image_settings *ret_settings, struct error *err) MUST_CHECK;

#define IMAGE_MAX_ACI_MANIFEST_BYTES (1u << 20)
