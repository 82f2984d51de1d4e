#pragma once

#include "base/slice.h"
#include "base/text.h"

/* Joins the metrics of several processes into one valid text: the samples of a name stand together
 * behind one HELP and one TYPE line, told apart by a label `service`. */
struct metrics_merge;

struct metrics_merge *metrics_merge_new(void) __attribute__((returns_nonnull));
void metrics_merge_free(struct metrics_merge *merge);

/* `text` is in Prometheus's text format 0.0.4; lines that are not are left out. */
void metrics_merge_add(struct metrics_merge *merge, const char *service, struct slice text);

void metrics_merge_format(const struct metrics_merge *merge, struct text *out);
