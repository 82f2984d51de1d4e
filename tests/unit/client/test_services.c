#include "client/dev/services.h"

#include "base/cleanup.h"
#include "unit/test.h"

static const struct service_case {
    const char *name;
    enum service_id id;
    const char *expected;
} cases[] = {
    { "scheduler", SERVICE_SCHEDULER,
      "/bin/eos-scheduler --listen ipc:///s/run/scheduler.sock --listen-cluster "
      "ipc:///s/run/cluster.sock --state-dir /s/scheduler --cluster dev "
      "--allow-docker-parameters --allow-container-volumes" },
    { "config", SERVICE_CONFIG, "/bin/eos-config --listen ipc:///s/run/config.sock" },
    { "binder", SERVICE_BINDER,
      "/bin/eos-binder --listen ipc:///s/run/binder.sock --clusters a.json --clusters b.json "
      "--certs-dir /certs --insecure-registry h:5000" },
    { "launcher", SERVICE_LAUNCHER,
      "/bin/eos-launcher --scheduler ipc:///s/run/cluster.sock --listen ipc:///s/run/launcher.sock "
      "--state-dir /s/launcher --cluster dev --docker-socket /d.sock "
      "--appc-simple-discovery-uri-prefix /aci/ --clusters a.json --clusters b.json "
      "--certs-dir /certs --insecure-registry h:5000" },
    { "gateway", SERVICE_GATEWAY,
      "/bin/eos-gateway --http 127.0.0.1:8081 --config ipc:///s/run/config.sock --binder "
      "ipc:///s/run/binder.sock --scheduler ipc:///s/run/scheduler.sock --cluster dev" },
};

static void is_started_with(void **state)
{
    const struct service_case *c = *state;
    const char *files[] = { "a.json", "b.json" }, *registries[] = { "h:5000" };
    struct flags flags = flags_default();
    flags.clusters = (struct option_list){ .items = files, .count = 2 };
    flags.insecure_registry = (struct option_list){ .items = registries, .count = 1 };
    flags.docker_socket = "/d.sock";
    flags.certs_dir = "/certs";
    flags.appc_prefix = "/aci/";
    struct dev_settings settings = { "/bin", "/s", "127.0.0.1:8081", "dev", &flags };
    struct arena *arena = arena_new();
    struct text got = TEXT_INIT;
    for (char **word = service_command(c->id, &settings, arena); *word; word++)
        text_printf(&got, "%s%s", got.len > 0 ? " " : "", *word);
    text_printf(&got, "%s", "");
    char *drain = strstr(got.ptr, " --drain-timeout 5000ms");
    assert_non_null(drain);
    *drain = '\0';
    assert_string_equal(got.ptr, c->expected);
    text_done(&got);
    arena_free(arena);
}

static void all_are_stopped(void **state)
{
    bool is_in[SERVICE_COUNT] = { false };
    (void)state;
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        is_in[service_stop_order(i)] = true;
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        assert_true(is_in[i]);
    assert_int_equal(service_stop_order(0), SERVICE_GATEWAY);
    assert_int_equal(service_stop_order(SERVICE_COUNT - 1), SERVICE_SCHEDULER);
}

static void what_passes_by_itself_is_known(void **state)
{
    (void)state;
    assert_true(
        service_is_in_use("eos-gateway: could not listen on 127.0.0.1:1: address already in use"));
    assert_true(
        service_is_in_use("eos-config: \"/s/run/config.sock\" is in use by another program"));
    assert_true(
        service_is_in_use("eos-launcher: another launcher uses the state directory \"/s\""));
    assert_true(service_is_in_use("eos-launcher: another process uses the image store \"/s\""));
    assert_false(
        service_is_in_use("eos-gateway: token file \"/t\" is open to others than its owner"));
    assert_false(service_is_in_use(""));
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(all_are_stopped),
                                               cmocka_unit_test(what_passes_by_itself_is_known) };
    return RUN_CASES(cases, is_started_with) + cmocka_run_group_tests(tests, NULL, NULL);
}
