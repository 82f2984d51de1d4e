#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* How images are named: `[host[:port]/]repository[:tag][@digest]`.
 *
 * The first part is a host when it has a '.' or a ':' or is "localhost", and something follows it.
 * A repository has parts of lower-case letters and digits, joined by '.', '_', '__' or dashes; it may
 * be 255 bytes long.  What is absent is "". */
struct image_reference {
    const char *host; /* with its port */
    const char *repository;
    const char *tag;
    const char *digest;
};

/* The parts live in `arena`.  INVALID_ARGUMENT says what is wrong and at which byte, counted from 1. */
bool reference_parse(struct slice text, struct arena *arena, struct image_reference *ret_reference,
                     struct error *err) MUST_CHECK;

bool repository_check(struct slice repository, struct error *err) MUST_CHECK;
bool tag_check(struct slice tag, struct error *err) MUST_CHECK;

/* The tag, or the digest if there is one, or else "latest": what a registry is asked for. */
const char *reference_version(const struct image_reference *reference);

/* "host/repository:tag@digest", without what is absent. */
char *reference_format(const struct image_reference *reference, struct arena *arena);
