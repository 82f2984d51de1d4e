#include "io/metrics.h"

#include "base/alloc.h"
#include "base/map.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

static const double bounds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                 0.1,    0.25,    0.5,    1,     2.5,    5,     10,   30,    60 };
#define BOUND_COUNT (sizeof bounds / sizeof bounds[0])

enum family_type { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM };

static const char *const type_names[] = {
    [FAMILY_COUNTER] = "counter",
    [FAMILY_GAUGE] = "gauge",
    [FAMILY_HISTOGRAM] = "histogram",
};

struct metric {
    double value;
};

struct histogram {
    uint64_t counts[BOUND_COUNT + 1]; /* not cumulative; the last is above all bounds */
    uint64_t count;
    double sum;
};

/* All rows of one name. */
struct family {
    char *name, *help;
    enum family_type type;
    struct map *rows; /* labels -> struct metric or struct histogram */
};

static struct map *families;

/* A process has one loop; a test that plays both sides has two, in two threads. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct family *open_family(enum family_type type, const char *name, const char *help)
{
    if (!families)
        families = map_new();
    struct family *family = map_get(families, slice_of(name));
    if (!family) {
        family = xcalloc(1, sizeof *family);
        family->name = xstrdup(name);
        family->help = xstrdup(help);
        family->type = type;
        family->rows = map_new();
        map_put(families, slice_of(name), family);
    }
    assert(family->type == type);
    return family;
}

static void *open_row(struct family *family, const char *labels, size_t size)
{
    struct slice key = slice_of(labels ? labels : "");
    void *row = map_get(family->rows, key);
    if (!row) {
        row = xcalloc(1, size);
        map_put(family->rows, key, row);
    }
    return row;
}

static void *open_metric(enum family_type type, const char *name, const char *help,
                         const char *labels, size_t size)
{
    pthread_mutex_lock(&mutex);
    void *row = open_row(open_family(type, name, help), labels, size);
    pthread_mutex_unlock(&mutex);
    return row;
}

struct metric *metric_open(enum metric_type type, const char *name, const char *help,
                           const char *labels)
{
    enum family_type family = type == METRIC_COUNTER ? FAMILY_COUNTER : FAMILY_GAUGE;
    return open_metric(family, name, help, labels, sizeof(struct metric));
}

void metric_add(struct metric *metric, double by)
{
    pthread_mutex_lock(&mutex);
    metric->value += by;
    pthread_mutex_unlock(&mutex);
}

void metric_set(struct metric *metric, double value)
{
    pthread_mutex_lock(&mutex);
    metric->value = value;
    pthread_mutex_unlock(&mutex);
}

double metric_value(const struct metric *metric)
{
    pthread_mutex_lock(&mutex);
    double value = metric->value;
    pthread_mutex_unlock(&mutex);
    return value;
}

struct histogram *histogram_open(const char *name, const char *help, const char *labels)
{
    return open_metric(FAMILY_HISTOGRAM, name, help, labels, sizeof(struct histogram));
}

void histogram_observe(struct histogram *histogram, double seconds)
{
    size_t i = 0;
    while (i < BOUND_COUNT && seconds > bounds[i])
        i++;
    pthread_mutex_lock(&mutex);
    histogram->counts[i]++;
    histogram->count++;
    histogram->sum += seconds;
    pthread_mutex_unlock(&mutex);
}

/* -- text ----------------------------------------------------------------------------------------- */

static void add_number(struct text *out, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        text_printf(out, " %.0f\n", value);
    else
        text_printf(out, " %.9g\n", value);
}

static void add_name(struct text *out, const char *name, const char *suffix, struct slice labels,
                     const char *bound)
{
    text_printf(out, "%s%s", name, suffix);
    if (labels.len == 0 && !bound)
        return;
    text_add_char(out, '{');
    text_add_slice(out, labels);
    if (bound)
        text_printf(out, "%sle=\"%s\"", labels.len ? "," : "", bound);
    text_add_char(out, '}');
}

static void add_histogram(struct text *out, const char *name, struct slice labels,
                          const struct histogram *histogram)
{
    uint64_t below = 0;
    for (size_t i = 0; i < BOUND_COUNT; i++) {
        char bound[32];
        snprintf(bound, sizeof bound, "%g", bounds[i]);
        below += histogram->counts[i];
        add_name(out, name, "_bucket", labels, bound);
        add_number(out, (double)below);
    }
    add_name(out, name, "_bucket", labels, "+Inf");
    add_number(out, (double)histogram->count);
    add_name(out, name, "_sum", labels, NULL);
    add_number(out, histogram->sum);
    add_name(out, name, "_count", labels, NULL);
    add_number(out, (double)histogram->count);
}

static void add_family(struct text *out, const struct family *family)
{
    text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                type_names[family->type]);
    size_t cursor = 0;
    struct slice labels;
    void *row;
    while (map_next(family->rows, &cursor, &labels, &row)) {
        if (family->type == FAMILY_HISTOGRAM) {
            add_histogram(out, family->name, labels, row);
            continue;
        }
        add_name(out, family->name, "", labels, NULL);
        add_number(out, ((const struct metric *)row)->value);
    }
}

void metrics_format(struct text *out)
{
    size_t cursor = 0;
    struct slice name;
    void *family;
    pthread_mutex_lock(&mutex);
    while (families && map_next(families, &cursor, &name, &family))
        add_family(out, family);
    pthread_mutex_unlock(&mutex);
}
