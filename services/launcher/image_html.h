#pragma once

#include "base/arena.h"
#include "base/slice.h"

/* As much of HTML as meta discovery needs. */
struct image_html_meta {
    const char *name, *content; /* "" when absent; character references replaced */
};

/* The next <meta> tag of `*rest`, which shrinks; false when there is none before </head>, <body> or the
 * end.  Comments, scripts, styles and titles are passed over.  The result lives in `arena`. */
bool image_html_next_meta(struct slice *rest, struct arena *arena,
                          struct image_html_meta *ret_meta);
