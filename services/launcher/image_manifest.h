#pragma once

#include "registry/manifest.h"

/* The manifest of one platform, as manifest_parse() reads it, whose layers this store can unpack:
 * at least one, within the limits, of known kinds.  `media_type` is what the registry called it, or
 * "".  UNIMPLEMENTED for kinds that cannot run, OUT_OF_RANGE beyond a limit. */
bool image_manifest_parse(struct slice json, const char *media_type, struct arena *arena,
                          struct manifest *ret_manifest, struct error *err) MUST_CHECK;
