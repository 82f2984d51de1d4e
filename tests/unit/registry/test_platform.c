#include "registry/platform.h"
#include "unit/test.h"

#include <string.h>

static const struct fit_case {
    const char *name;
    struct platform image, host;
    unsigned fit;
} fits[] = {
    { "same", { "linux", "amd64", "" }, { "linux", "amd64", "" }, 100 },
    { "v1 is what is meant", { "linux", "amd64", "v1" }, { "linux", "amd64", "" }, 100 },
    { "the host's own level", { "linux", "amd64", "v3" }, { "linux", "amd64", "v3" }, 100 },
    { "below the host's level", { "linux", "amd64", "v2" }, { "linux", "amd64", "v3" }, 2 },
    { "any amd64", { "linux", "amd64", "" }, { "linux", "amd64", "v4" }, 1 },
    { "above the host's level", { "linux", "amd64", "v4" }, { "linux", "amd64", "v3" }, 0 },
    { "v8 is what is meant", { "linux", "arm64", "" }, { "linux", "arm64", "v8" }, 100 },
    { "an older ARM", { "linux", "arm", "v6" }, { "linux", "arm", "v7" }, 6 },
    { "v7 is what is meant", { "linux", "arm", "" }, { "linux", "arm", "v7" }, 100 },
    { "a newer ARM", { "linux", "arm", "v7" }, { "linux", "arm", "v6" }, 0 },
    { "32 bits on 64", { "linux", "arm", "v7" }, { "linux", "arm64", "v8" }, 0 },
    { "a word for a variant", { "linux", "arm", "softfloat" }, { "linux", "arm", "v7" }, 0 },
    { "another system", { "windows", "amd64", "" }, { "linux", "amd64", "" }, 0 },
};

static void fit_is_judged(void **state)
{
    const struct fit_case *c = *state;
    assert_int_equal(platform_fit(&c->image, &c->host), c->fit);
}

static void host_runs_what_is_for_it(void **state)
{
    struct platform host = platform_host();
    struct platform plain = { host.os, host.architecture, "" };
    (void)state;
    assert_string_equal(host.os, "linux");
    assert_int_equal(platform_fit(&host, &host), 100);
    if (strcmp(host.architecture, "amd64") == 0)
        assert_in_range(platform_fit(&plain, &host), 1, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(host_runs_what_is_for_it) };
    return RUN_CASES(fits, fit_is_judged) + cmocka_run_group_tests(tests, NULL, NULL);
}
