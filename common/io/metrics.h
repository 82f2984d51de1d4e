#pragma once

#include "base/text.h"

#include <stdint.h>

/* Counters and gauges of this process, in Prometheus's text format.  Rows register themselves when
 * first opened and live as long as the process; names start with "eos_" and use base units.  May be
 * used from any thread.
 *
 *     struct metric *placed = metric_open(METRIC_COUNTER, "eos_scheduler_tasks_placed_total",
 *                                         "Tasks that were given a host.", NULL);
 *     metric_add(placed, 1); */
enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metric;

/* `labels` is the text between the braces, such as "method=\"Sync\"", or NULL.  The same name and
 * labels give the same metric again.  All strings are copied. */
struct metric *metric_open(enum metric_type type, const char *name, const char *help,
                           const char *labels);
void metric_add(struct metric *metric, double by);
void metric_set(struct metric *metric, double value);
double metric_value(const struct metric *metric);

/* A histogram with fixed upper bounds for durations in seconds, 0.0001 to 60. */
struct histogram;
struct histogram *histogram_open(const char *name, const char *help, const char *labels);
void histogram_observe(struct histogram *histogram, double seconds);

/* Everything, grouped by name with HELP and TYPE lines. */
void metrics_format(struct text *out);
