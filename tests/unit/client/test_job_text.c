#include "client/job_text.h"

#include "base/cleanup.h"
#include "decode.h"
#include "unit/test.h"

/* Tasks come as JSON, as the gateway sends them. */
#define TASK(status, extra)                                                                        \
    "{\"status\": \"" status "\", \"assignedTask\": {\"taskId\": \"t1\", \"hostname\": \"h1\", "   \
    "\"instanceId\": 3, \"task\": {\"job\": {\"role\": \"r\", \"environment\": \"e\", \"name\": "  \
    "\"n\"}, \"maxTaskFailures\": 1, \"resources\": [{\"diskMb\": \"16\"}, {\"numCpus\": 0.5}, "   \
    "{\"ramMb\": \"32\"}, {\"namedPort\": \"http\"}]" extra "}"

static const struct status_case {
    const char *name, *task, *reason, *expected;
} cases[] = {
    { "an active task",
      TASK("RUNNING",
           "") "}, \"taskEvents\": [{\"timestampMs\": \"0\", \"status\": \"PENDING\"}, "
               "{\"timestampMs\": \"61000\", \"status\": \"RUNNING\", \"message\": \"up\"}]}",
      NULL,
      "Active tasks (1):\n"
      "\tTask role: r, env: e, name: n, instance: 3, status: RUNNING on h1\n"
      "\t  CPU: 0.5 core(s), RAM: 32 MB, Disk: 16 MB, Port: http\n"
      "\t  events:\n"
      "\t   1970-01-01 00:00:00 PENDING: \n"
      "\t   1970-01-01 00:01:01 RUNNING: up\n"
      "Inactive tasks (0):\n" },
    { "an inactive task with ports and metadata",
      TASK(
          "FAILED",
          ", \"metadata\": [{\"key\": \"k\", \"value\": \"v\"}]") ", \"assignedPorts\": "
                                                                  "[{\"name\": \"http\", \"port\": "
                                                                  "31000}]}, \"failureCount\": 2}",
      NULL,
      "Active tasks (0):\n"
      "Inactive tasks (1):\n"
      "\tTask role: r, env: e, name: n, instance: 3, status: FAILED on h1\n"
      "\t  CPU: 0.5 core(s), RAM: 32 MB, Disk: 16 MB, Port: http\n"
      "\t  assigned ports: {'http': 31000}\n"
      "\t  failure count: 2 (max 1)\n"
      "\t  events:\n"
      "\t  metadata:\n"
      "\t\t  (key: 'k', value: 'v')\n" },
    { "why it is pending", TASK("PENDING", "") "}}", "insufficient ram",
      "Active tasks (1):\n"
      "\tTask role: r, env: e, name: n, instance: 3, status: PENDING on h1\n"
      "\t  CPU: 0.5 core(s), RAM: 32 MB, Disk: 16 MB, Port: http\n"
      "\t  pending: insufficient ram\n"
      "\t  events:\n"
      "Inactive tasks (0):\n" },
    { "a message cannot steer the terminal",
      TASK("LOST", "") "}, \"taskEvents\": [{\"timestampMs\": \"0\", \"status\": \"LOST\", "
                       "\"message\": \"\\u001b[2J\"}]}",
      NULL,
      "Active tasks (0):\n"
      "Inactive tasks (1):\n"
      "\tTask role: r, env: e, name: n, instance: 3, status: LOST on h1\n"
      "\t  CPU: 0.5 core(s), RAM: 32 MB, Disk: 16 MB, Port: http\n"
      "\t  events:\n"
      "\t   1970-01-01 00:00:00 LOST: ?[2J\n" },
    { "a message of two lines stays beside its event",
      TASK("KILLED", "") "}, \"taskEvents\": [{\"timestampMs\": \"0\", \"status\": \"KILLED\", "
                         "\"message\": \"Killed by me.\\nold\"}]}",
      NULL,
      "Active tasks (0):\n"
      "Inactive tasks (1):\n"
      "\tTask role: r, env: e, name: n, instance: 3, status: KILLED on h1\n"
      "\t  CPU: 0.5 core(s), RAM: 32 MB, Disk: 16 MB, Port: http\n"
      "\t  events:\n"
      "\t   1970-01-01 00:00:00 KILLED: Killed by me. old\n" },
};

static void is_shown(void **state)
{
    const struct status_case *c = *state;
    struct arena *arena = arena_new();
    struct text out = TEXT_INIT;
    Eos__Job__V1__ScheduledTask *task =
        (Eos__Job__V1__ScheduledTask *)decode(c->task, &eos__job__v1__scheduled_task__descriptor,
                                              arena);
    Eos__Scheduler__V1__PendingReason reason = EOS__SCHEDULER__V1__PENDING_REASON__INIT;
    Eos__Scheduler__V1__PendingReason *reasons[] = { &reason };
    reason.task_id = (char *)"t1";
    reason.reason = (char *)c->reason;
    struct job_status status = { &task, 1, reasons, c->reason != NULL, false, NULL, 0 };
    job_status_add(&out, &status, arena, false);
    assert_string_equal(text_string(&out), c->expected);
    text_done(&out);
    arena_free(arena);
}

static void images_are_shown_when_wanted(void **state)
{
    struct text out = TEXT_INIT, json = TEXT_INIT;
    Eos__Job__V1__ImageBinding binding = EOS__JOB__V1__IMAGE_BINDING__INIT,
                               *bindings[] = { &binding };
    struct job_status status = { NULL, 0, NULL, 0, true, bindings, 1 };
    struct arena *arena = arena_new();
    (void)state;
    binding.reference = (char *)"a/b:1";
    job_status_add(&out, &status, arena, false);
    assert_non_null(strstr(text_string(&out), "Inactive tasks (0):\nImages (1):\n\ta/b:1\n"));
    job_status_add_json(&json, "c/r/e/n", &status);
    assert_non_null(strstr(text_string(&json), ",\"images\":[{\"reference\":\"a/b:1\""));
    text_clear(&json);
    status.has_images = false;
    job_status_add_json(&json, "c/r/e/n", &status);
    assert_null(strstr(text_string(&json), "images"));
    text_done(&json);
    text_done(&out);
    arena_free(arena);
}

static void json_has_both_groups(void **state)
{
    struct arena *arena = arena_new();
    struct text out = TEXT_INIT;
    struct error err = { 0 };
    json_t *value;
    (void)state;
    Eos__Job__V1__ScheduledTask *tasks[] = {
        (Eos__Job__V1__ScheduledTask *)decode(cases[0].task,
                                              &eos__job__v1__scheduled_task__descriptor, arena),
        (Eos__Job__V1__ScheduledTask *)decode(cases[1].task,
                                              &eos__job__v1__scheduled_task__descriptor, arena),
    };
    struct job_status status = { tasks, 2, NULL, 0, false, NULL, 0 };
    job_status_add_json(&out, "c/r/e/n", &status);
    assert_true(json_parse(text_slice(&out), &value, &err));
    assert_string_equal(json_string_value(json_object_get(value, "job")), "c/r/e/n");
    const json_t *active = json_array_get(json_object_get(value, "active"), 0);
    const json_t *inactive = json_array_get(json_object_get(value, "inactive"), 0);
    assert_string_equal(json_string_value(json_object_get(active, "status")), "RUNNING");
    assert_string_equal(json_string_value(json_object_get(inactive, "status")), "FAILED");
    json_decref(value);
    text_done(&out);
    arena_free(arena);
}

static const struct container_case {
    const char *name, *task, *expected;
} container_cases[] = {
    { "none", "{}", "host" },
    { "mesos without image", "{\"container\": {\"mesos\": {}}}", "host" },
    { "a tag",
      "{\"container\": {\"mesos\": {\"image\": {\"docker\": {\"name\": \"a/b\", \"tag\": "
      "\"1\"}}}}}",
      "docker image a/b:1" },
    { "a digest",
      "{\"container\": {\"mesos\": {\"image\": {\"docker\": {\"name\": \"a\", \"tag\": "
      "\"sha256:00\"}}}}}",
      "docker image a@sha256:00" },
    { "appc", "{\"container\": {\"mesos\": {\"image\": {\"appc\": {\"name\": \"x.org/y\"}}}}}",
      "appc image x.org/y" },
    { "the engine", "{\"container\": {\"docker\": {\"image\": \"a/b:1\"}}}",
      "docker engine a/b:1" },
};

static void container_is_named(void **state)
{
    const struct container_case *c = *state;
    struct arena *arena = arena_new();
    Eos__Job__V1__TaskConfig *task =
        (Eos__Job__V1__TaskConfig *)decode(c->task, &eos__job__v1__task_config__descriptor, arena);
    assert_string_equal(job_container_text(task, arena), c->expected);
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(json_has_both_groups),
                                               cmocka_unit_test(images_are_shown_when_wanted) };
    setenv("TZ", "UTC", 1);
    return RUN_CASES(cases, is_shown) + RUN_CASES(container_cases, container_is_named) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
