#pragma once

#include "base/slice.h"
#include "base/text.h"

/* Aurora's binding helper: `{{docker.image[name][tag]}}` anywhere in a string. */
struct image_template {
    struct slice whole; /* with its braces */
    struct slice name, tag;
};

/* Finds the next one at or behind `*at`, and moves `*at` behind it.  False: there is none.  Anything of
 * another shape is not ours and stays. */
bool template_next(struct slice text, size_t *at, struct image_template *ret_template);

/* Whether `text` is one template and nothing else. */
bool template_is(struct slice text, struct image_template *ret_template);
