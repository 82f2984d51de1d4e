#include "io/metrics.h"

#include "unit/test.h"

#include <pthread.h>

/* The registry belongs to the process, so every test has names of its own and looks for its lines. */
static const char *format(struct text *out)
{
    metrics_format(out);
    return text_string(out);
}

static void the_first_is_nothing(void **state)
{
    cleanup_text struct text out = TEXT_INIT;
    (void)state;
    assert_string_equal(format(&out), "");
}

static void a_family_stands_together(void **state)
{
    cleanup_text struct text out = TEXT_INIT;
    (void)state;
    struct metric *a = metric_open(METRIC_COUNTER, "eos_a_total", "Things.", "kind=\"a\"");
    metric_open(METRIC_GAUGE, "eos_between", "Another.", NULL);
    struct metric *b = metric_open(METRIC_COUNTER, "eos_a_total", "Things.", "kind=\"b\"");
    metric_add(a, 1);
    metric_add(b, 2);
    metric_add(b, 3);
    assert_non_null(strstr(format(&out), "# HELP eos_a_total Things.\n"
                                         "# TYPE eos_a_total counter\n"
                                         "eos_a_total{kind=\"a\"} 1\n"
                                         "eos_a_total{kind=\"b\"} 5\n"
                                         "# HELP eos_between Another.\n"
                                         "# TYPE eos_between gauge\n"
                                         "eos_between 0\n"));
}

static void the_same_name_is_the_same_metric(void **state)
{
    (void)state;
    char labels[] = "x=\"1\"";
    struct metric *first = metric_open(METRIC_GAUGE, "eos_same", "Same.", labels);
    labels[3] = '2';
    assert_ptr_not_equal(metric_open(METRIC_GAUGE, "eos_same", "Same.", labels), first);
    assert_ptr_not_equal(metric_open(METRIC_GAUGE, "eos_same", "Same.", NULL), first);
    assert_ptr_equal(metric_open(METRIC_GAUGE, "eos_same", "Same.", "x=\"1\""), first);
    assert_ptr_equal(metric_open(METRIC_GAUGE, "eos_same", "Same.", ""),
                     metric_open(METRIC_GAUGE, "eos_same", "Same.", NULL));
}

static const struct number_case {
    const char *name;
    double value;
    const char *line;
} numbers[] = {
    // clang-format off
    { "eos_zero",      0,               "eos_zero 0\n" },
    { "eos_whole",     123456789012345, "eos_whole 123456789012345\n" },
    { "eos_large",     1e18,            "eos_large 1e+18\n" },
    { "eos_fraction",  0.25,            "eos_fraction 0.25\n" },
    { "eos_small",     0.000001,        "eos_small 1e-06\n" },
    { "eos_negative",  -3,              "eos_negative -3\n" },
    // clang-format on
};

static void is_written_in_full(void **state)
{
    const struct number_case *c = *state;
    cleanup_text struct text out = TEXT_INIT;
    struct metric *metric = metric_open(METRIC_GAUGE, c->name, "A number.", NULL);
    metric_set(metric, c->value);
    assert_true(metric_value(metric) == c->value);
    assert_non_null(strstr(format(&out), c->line));
}

/* Where an observation falls: a bound belongs to its own bucket. */
static const struct bucket_case {
    const char *name;
    double seconds;
    const char *without, *with; /* the last bucket without it and the first with it */
} buckets[] = {
    // clang-format off
    { "eos_none_seconds",    0,      NULL,     "0.0001" },
    { "eos_bound_seconds",   0.0001, NULL,     "0.0001" },
    { "eos_above_seconds",   0.0002, "0.0001", "0.00025" },
    { "eos_second_seconds",  1,      "0.5",    "1" },
    { "eos_minute_seconds",  60,     "30",     "60" },
    { "eos_forever_seconds", 61,     "60",     "+Inf" },
    // clang-format on
};

static void assert_bucket(const char *text, const char *name, const char *bound, int count)
{
    char line[96];
    if (!bound)
        return;
    snprintf(line, sizeof line, "%s_bucket{a=\"b\",le=\"%s\"} %d\n", name, bound, count);
    assert_non_null(strstr(text, line));
}

static void falls_into_its_bucket(void **state)
{
    const struct bucket_case *c = *state;
    cleanup_text struct text out = TEXT_INIT;
    char line[96];
    histogram_observe(histogram_open(c->name, "Times.", "a=\"b\""), c->seconds);
    const char *text = format(&out);
    assert_bucket(text, c->name, c->without, 0);
    assert_bucket(text, c->name, c->with, 1);
    assert_bucket(text, c->name, "+Inf", 1);
    snprintf(line, sizeof line, "%s_count{a=\"b\"} 1\n", c->name);
    assert_non_null(strstr(text, line));
    snprintf(line, sizeof line, "%s_sum{a=\"b\"} %g\n", c->name, c->seconds);
    assert_non_null(strstr(text, line));
    snprintf(line, sizeof line, "# TYPE %s histogram\n", c->name);
    assert_non_null(strstr(text, line));
}

static void buckets_add_up(void **state)
{
    cleanup_text struct text out = TEXT_INIT;
    struct histogram *histogram = histogram_open("eos_sums_seconds", "Times.", NULL);
    (void)state;
    histogram_observe(histogram, 0.0001);
    histogram_observe(histogram, 0.3);
    histogram_observe(histogram, 0.3);
    histogram_observe(histogram, 100);
    assert_ptr_equal(histogram_open("eos_sums_seconds", "Times.", NULL), histogram);
    const char *text = format(&out);
    assert_non_null(strstr(text, "eos_sums_seconds_bucket{le=\"0.25\"} 1\n"
                                 "eos_sums_seconds_bucket{le=\"0.5\"} 3\n"));
    assert_non_null(strstr(text, "eos_sums_seconds_bucket{le=\"60\"} 3\n"
                                 "eos_sums_seconds_bucket{le=\"+Inf\"} 4\n"
                                 "eos_sums_seconds_sum 100.6001\n"
                                 "eos_sums_seconds_count 4\n"));
}

#define THREADS 4
#define ROUNDS  20000

static void *count(void *arg)
{
    const unsigned *number = arg;
    char labels[48];
    for (unsigned i = 0; i < ROUNDS; i++) {
        snprintf(labels, sizeof labels, "thread=\"%u\",row=\"%u\"", *number, i % 500);
        metric_add(metric_open(METRIC_COUNTER, "eos_rows_total", "Rows.", labels), 1);
        metric_add(metric_open(METRIC_COUNTER, "eos_all_total", "All.", NULL), 1);
        histogram_observe(histogram_open("eos_all_seconds", "Times.", NULL), 1);
    }
    return NULL;
}

static void threads_may_count(void **state)
{
    cleanup_text struct text out = TEXT_INIT;
    pthread_t threads[THREADS];
    unsigned ids[THREADS];
    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        ids[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, count, &ids[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const char *text = format(&out);
    assert_non_null(strstr(text, "eos_all_total 80000\n"));
    assert_non_null(strstr(text, "eos_all_seconds_count 80000\n"));
    assert_non_null(strstr(text, "eos_rows_total{thread=\"3\",row=\"499\"} 40\n"));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(the_first_is_nothing),
        cmocka_unit_test(a_family_stands_together),
        cmocka_unit_test(the_same_name_is_the_same_metric),
        cmocka_unit_test(buckets_add_up),
        cmocka_unit_test(threads_may_count),
    };
    return cmocka_run_group_tests(others, NULL, NULL) + RUN_CASES(numbers, is_written_in_full) +
           RUN_CASES(buckets, falls_into_its_bucket);
}
