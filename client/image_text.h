#pragma once

#include "base/arena.h"
#include "base/text.h"

#include "eos/binder/v1/binder.pb-c.h"

/* Images in words.  All that comes from elsewhere is made fit for a terminal. */

/* The records of a job's images, as `job status --images` shows them. */
void image_records_add(struct text *out, Eos__Job__V1__ImageBinding *const *bindings, size_t count);

/* "1.5 MB" */
const char *image_size_text(int64_t bytes, struct arena *arena);

/* What `image inspect` prints. */
void image_details_add(struct text *out, const Eos__Binder__V1__InspectResponse *image,
                       struct arena *arena);

/* What `image verify` prints. */
void image_verified_add(struct text *out, const Eos__Binder__V1__VerifyResponse *image);
