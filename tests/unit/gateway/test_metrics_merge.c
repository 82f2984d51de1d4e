#include "base/cleanup.h"
#include "gateway/metrics_merge.h"
#include "unit/test.h"

static void names_stand_together(void **state)
{
    (void)state;
    struct metrics_merge *merge = metrics_merge_new();
    cleanup_text struct text out = TEXT_INIT;
    metrics_merge_add(merge, "a",
                      SLICE("# HELP x Help.\n# TYPE x counter\nx 1\nx{l=\"v\"} 2\n"
                            "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_sum 4\n"
                            "h_count 5\nplain 6\n"));
    metrics_merge_add(merge, "b",
                      SLICE("# HELP x Other help.\n# TYPE x counter\nx{} 7\n# TYPE empty gauge\n"));
    metrics_merge_format(merge, &out);
    assert_string_equal(text_string(&out), "# HELP x Help.\n# TYPE x counter\n"
                                           "x{service=\"a\"} 1\n"
                                           "x{service=\"a\",l=\"v\"} 2\n"
                                           "x{service=\"b\"} 7\n"
                                           "# HELP h H.\n# TYPE h histogram\n"
                                           "h_bucket{service=\"a\",le=\"1\"} 3\n"
                                           "h_sum{service=\"a\"} 4\n"
                                           "h_count{service=\"a\"} 5\n"
                                           "plain{service=\"a\"} 6\n");
    metrics_merge_free(merge);
}

static void what_is_no_metric_is_left_out(void **state)
{
    (void)state;
    struct metrics_merge *merge = metrics_merge_new();
    cleanup_text struct text out = TEXT_INIT;
    metrics_merge_add(merge, "a", SLICE("#\n# HELP\n# TYPE \n# a comment\n<html>\nx\n\n9x 1\ny 2"));
    metrics_merge_format(merge, &out);
    assert_string_equal(text_string(&out), "y{service=\"a\"} 2\n");
    metrics_merge_free(merge);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_stand_together),
                                        cmocka_unit_test(what_is_no_metric_is_left_out) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
