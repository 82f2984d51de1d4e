#pragma once

#include "base/arena.h"
#include "base/slice.h"
#include "base/text.h"

/* Base64 of RFC 4648 section 4, padded. */
void base64_encode(struct slice bytes, struct text *out);

/* Takes the standard and the URL-safe alphabet, with and without padding.  The bytes live in `arena`.
 * False when `text` is anything else. */
bool base64_decode(struct slice text, struct arena *arena, struct slice *ret_bytes);
