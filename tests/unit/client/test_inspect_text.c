#include "client/inspect_text.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "unit/test.h"
#include "json/message_json.h"

static const char job[] =
    "{\"key\": {\"role\": \"r\", \"environment\": \"e\", \"name\": \"n\"}, \"instanceCount\": 2, "
    "\"cronSchedule\": \"* * * * *\", \"taskConfig\": {\"contactEmail\": \"a@b\", \"isService\": "
    "true, "
    "\"constraints\": [{\"name\": \"host\", \"limit\": {\"limit\": 1}}, {\"name\": \"rack\", "
    "\"value\": {\"negated\": true, \"values\": [\"a\", \"b\"]}}], \"executorName\": "
    "\"AuroraExecutor\", \"executorData\": \"{\\\"task\\\": {\\\"name\\\": \\\"t\\\", "
    "\\\"constraints\\\": [{\\\"order\\\": [\\\"a\\\", \\\"b\\\"]}], \\\"processes\\\": "
    "[{\\\"name\\\": "
    "\\\"a\\\", \\\"final\\\": true, \\\"cmdline\\\": \\\"one\\\\ntwo\\\\n\\\"}]}}\"}}";

static Eos__Job__V1__JobConfiguration *decode(struct arena *arena)
{
    ProtobufCMessage *message;
    struct error err = { 0 };
    assert_true(message_from_json(slice_of(job), &eos__job__v1__job_configuration__descriptor,
                                  MESSAGE_JSON_REJECT_UNKNOWN, arena, &message, &err));
    return (Eos__Job__V1__JobConfiguration *)message;
}

static void a_job_reads_as_it_did(void **state)
{
    struct arena *arena = arena_new();
    struct text out = TEXT_INIT;
    struct error err = { 0 };
    Eos__Config__V1__JobResult result = EOS__CONFIG__V1__JOB_RESULT__INIT;
    (void)state;
    result.job = decode(arena);
    result.cluster = (char *)"c";
    assert_true(inspect_add(&out, &result, &err));
    assert_string_equal(text_string(&out), "Job level information\n"
                                           "  name:       'n'\n"
                                           "  role:       'r'\n"
                                           "  contact:    'a@b'\n"
                                           "  cluster:    'c'\n"
                                           "  instances:  '2'\n"
                                           "  cron:\n"
                                           "    schedule: '* * * * *'\n"
                                           "    policy:   'KILL_EXISTING'\n"
                                           "  constraints:\n"
                                           "    'host': 'limit:1'\n"
                                           "    'rack': '!a,b'\n"
                                           "  service:    True\n"
                                           "  production: False\n"
                                           "\n"
                                           "Task level information\n"
                                           "  name: 't'\n"
                                           "  constraints:\n"
                                           "  a < b\n"
                                           "\n"
                                           "Process 'a':\n"
                                           "  final\n"
                                           "  cmdline:\n"
                                           "    one\n"
                                           "    two\n"
                                           "\n");
    text_done(&out);
    arena_free(arena);
}

static void broken_data_is_no_crash(void **state)
{
    struct arena *arena = arena_new();
    struct text out = TEXT_INIT;
    struct error err = { 0 };
    Eos__Config__V1__JobResult result = EOS__CONFIG__V1__JOB_RESULT__INIT;
    (void)state;
    result.job = decode(arena);
    result.cluster = (char *)"c";
    result.job->task_config->executor_data = (char *)"{";
    assert_false(inspect_add(&out, &result, &err));
    assert_int_equal(err.code, ERROR_DATA_LOSS);
    result.job->task_config->executor_data = (char *)"{\"task\": [1, {\"processes\": 7}]}";
    assert_true(inspect_add(&out, &result, &err));
    text_done(&out);
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(a_job_reads_as_it_did),
                                               cmocka_unit_test(broken_data_is_no_crash) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
