#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum url_part {
    URL_PATH,
    URL_QUERY /* '+' stands for a space */
};

/* Resolves "%41".  The result lives in `arena` with a NUL behind it.  INVALID_ARGUMENT for a broken
 * escape, for NUL and for what is not UTF-8. */
bool url_decode(struct slice encoded, enum url_part part, struct arena *arena,
                struct slice *ret_text, struct error *err) MUST_CHECK;

/* Whether the value of a Host header means this machine: "localhost", a name below it, or a loopback
 * address, with or without a port. */
bool url_host_is_loopback(struct slice host);

/* Whether `origin`, as browsers send it ("http://localhost:8081"), names the same place as `host`. */
bool url_is_origin_of(struct slice origin, struct slice host);
