#include "base/cleanup.h"
#include "unit/test.h"
#include "json/message_json.h"

#include "eos/config/v1/config.pb-c.h"
#include "eos/gateway/v1/gateway.pb-c.h"
#include "eos/job/v1/job.pb-c.h"
#include "eos/rpc/v1/rpc.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

#define CREATE  &eos__gateway__v1__create_job_request__descriptor
#define TASK    &eos__job__v1__task_config__descriptor
#define CALL    &eos__rpc__v1__call__descriptor
#define TASKS   &eos__scheduler__v1__list_tasks_request__descriptor
#define FILE_   &eos__config__v1__source_file__descriptor
#define RES     &eos__job__v1__resource__descriptor
#define BINDING &eos__job__v1__image_binding__descriptor
#define VOLUME  &eos__job__v1__volume__descriptor

/* What goes in comes out again, in the one canonical form. */
static const struct form_case {
    const char *name;
    const ProtobufCMessageDescriptor *type;
    const char *in, *out;
} forms[] = {
    { "defaults are shown", &eos__job__v1__job_key__descriptor, "{}",
      "{\"role\":\"\",\"environment\":\"\",\"name\":\"\"}" },
    { "null is not set", &eos__job__v1__job_key__descriptor, "{\"role\":null,\"name\":\"n\"}",
      "{\"role\":\"\",\"environment\":\"\",\"name\":\"n\"}" },
    { "messages and oneofs that are not set are left out", CREATE, "{\"pin\":true}",
      "{\"cluster\":\"\",\"pin\":true,\"requestId\":\"\",\"noPin\":false,\"skipCache\":false}" },
    { "a name as in the proto", CREATE, "{\"request_id\":\"x\"}",
      "{\"cluster\":\"\",\"pin\":false,\"requestId\":\"x\",\"noPin\":false,\"skipCache\":false}" },
    { "64 bits are strings", BINDING, "{\"sizeBytes\":-9223372036854775808,\"resolvedAtMs\":\"7\"}",
      "{\"reference\":\"\",\"registry\":\"\",\"repository\":\"\",\"tag\":\"\",\"digest\":\"\","
      "\"resolved\":\"\",\"mediaType\":\"\",\"platform\":\"\",\"sizeBytes\":\"-"
      "9223372036854775808\","
      "\"resolvedAtMs\":\"7\",\"authentication\":\"\",\"signedBy\":\"\",\"signingKeyId\":\"\"}" },
    { "unsigned 64 bits up to the end", CALL, "{\"callId\":\"18446744073709551615\"}",
      "{\"kind\":\"REQUEST\",\"clientId\":\"0\",\"callId\":\"18446744073709551615\",\"method\":"
      "\"\","
      "\"timeLeftMs\":0,\"metadata\":[],\"payload\":\"\",\"chunk\":0,\"hasMore\":false,"
      "\"connection\":0,\"received\":\"0\",\"credit\":0,\"server\":\"0\"}" },
    { "a double comes back", RES, "{\"numCpus\":0.1}", "{\"numCpus\":0.1}" },
    { "a double of many digits", RES, "{\"numCpus\":0.30000000000000004}",
      "{\"numCpus\":0.30000000000000004}" },
    { "a whole double", RES, "{\"numCpus\":2}", "{\"numCpus\":2}" },
    { "a double in a string", RES, "{\"numCpus\":\"1.5\"}", "{\"numCpus\":1.5}" },
    { "not a number", RES, "{\"numCpus\":\"NaN\"}", "{\"numCpus\":\"NaN\"}" },
    { "minus infinity", RES, "{\"numCpus\":\"-Infinity\"}", "{\"numCpus\":\"-Infinity\"}" },
    { "an integer with a point", RES, "{\"ramMb\":128.0}", "{\"ramMb\":\"128\"}" },
    { "a zero in a oneof counts as set", RES, "{\"ramMb\":0}", "{\"ramMb\":\"0\"}" },
    { "an enum by name", VOLUME, "{\"mode\":\"RO\"}",
      "{\"containerPath\":\"\",\"hostPath\":\"\",\"mode\":\"RO\"}" },
    { "an enum by number", VOLUME, "{\"mode\":1}",
      "{\"containerPath\":\"\",\"hostPath\":\"\",\"mode\":\"RW\"}" },
    { "bytes", FILE_, "{\"content\":\"AP8Q\"}",
      "{\"path\":\"\",\"content\":\"AP8Q\",\"isMissing\":false,\"isReadable\":false}" },
    { "bytes with padding, in the other alphabet", FILE_, "{\"content\":\"_-8=\"}",
      "{\"path\":\"\",\"content\":\"/+8=\",\"isMissing\":false,\"isReadable\":false}" },
    { "bytes without padding", FILE_, "{\"content\":\"YQ\"}",
      "{\"path\":\"\",\"content\":\"YQ==\",\"isMissing\":false,\"isReadable\":false}" },
    { "arrays of numbers and names", TASKS,
      "{\"instances\":[1,\"2\"],\"statuses\":[\"RUNNING\",0]}",
      "{\"role\":\"\",\"environment\":\"\",\"name\":\"\",\"instances\":[1,2],"
      "\"statuses\":[\"RUNNING\",\"PENDING\"],\"taskIds\":[],\"hostId\":\"\","
      "\"withoutConfigs\":false,\"pageSize\":0,\"pageToken\":\"\"}" },
    { "strings are escaped", &eos__job__v1__identity__descriptor,
      "{\"user\":\"\\u00e4\\\"\\n\\u0001\"}", "{\"user\":\"\u00e4\\\"\\n\\u0001\"}" },
};

static void comes_out_canonical(void **state)
{
    const struct form_case *c = *state;
    struct arena *arena = arena_new();
    cleanup_text struct text out = TEXT_INIT;
    struct error err = { 0 };
    ProtobufCMessage *message = NULL;

    assert_true(message_from_json(slice_of(c->in), c->type, MESSAGE_JSON_REJECT_UNKNOWN, arena,
                                  &message, &err));
    message_to_json(message, &out);
    assert_string_equal(text_string(&out), c->out);
    assert_int_equal(err.code, ERROR_OK);

    ProtobufCMessage *again = NULL;
    cleanup_text struct text second = TEXT_INIT;
    assert_true(message_from_json(text_slice(&out), c->type, MESSAGE_JSON_REJECT_UNKNOWN, arena,
                                  &again, &err));
    message_to_json(again, &second);
    assert_string_equal(text_string(&second), c->out);
    arena_free(arena);
}

static const struct mistake_case {
    const char *name;
    const ProtobufCMessageDescriptor *type;
    const char *in;
    enum error_code code;
    const char *message;
} mistakes[] = {
    { "unknown field deep inside", CREATE, "{\"job\":{\"taskConfig\":{\"resourcess\":[]}}}",
      ERROR_INVALID_ARGUMENT,
      "job.taskConfig.resourcess: unknown field, did you mean \"resources\"?" },
    { "unknown field at the top", CREATE, "{\"clutser\":1}", ERROR_INVALID_ARGUMENT,
      "clutser: unknown field, did you mean \"cluster\"?" },
    { "unknown field like nothing else", CREATE, "{\"elephant\":1}", ERROR_INVALID_ARGUMENT,
      "elephant: unknown field" },
    { "a name that is no name is not repeated", CREATE, "{\"\\n<script>\":1}",
      ERROR_INVALID_ARGUMENT, "unknown field, its name is not an identifier" },
    { "a number for a string", CREATE, "{\"cluster\":1}", ERROR_INVALID_ARGUMENT,
      "cluster: expected a string" },
    { "a string for an object", CREATE, "{\"job\":\"x\"}", ERROR_INVALID_ARGUMENT,
      "job: expected an object" },
    { "an object for an array", TASK, "{\"resources\":{}}", ERROR_INVALID_ARGUMENT,
      "resources: expected an array" },
    { "a string for a bool", CREATE, "{\"pin\":\"true\"}", ERROR_INVALID_ARGUMENT,
      "pin: expected true or false" },
    { "an element of an array", TASK, "{\"resources\":[{\"ramMb\":1},{\"ramMb\":\"x\"}]}",
      ERROR_INVALID_ARGUMENT, "resources[1].ramMb: expected an integer" },
    { "null in an array", TASK, "{\"resources\":[null]}", ERROR_INVALID_ARGUMENT,
      "resources[0]: expected an object" },
    { "half a number", TASK, "{\"priority\":1.5}", ERROR_INVALID_ARGUMENT,
      "priority: expected an integer" },
    { "over 32 bits", TASK, "{\"priority\":2147483648}", ERROR_OUT_OF_RANGE,
      "priority: expected an integer from -2147483648 to 2147483647" },
    { "below zero", TASKS, "{\"pageSize\":-1}", ERROR_OUT_OF_RANGE,
      "pageSize: expected an integer from 0 to 4294967295" },
    { "over 64 bits", CALL, "{\"callId\":\"18446744073709551616\"}", ERROR_OUT_OF_RANGE,
      "callId: " },
    { "over 63 bits as a number", CALL, "{\"callId\":18446744073709551615}", ERROR_INVALID_ARGUMENT,
      "a number is too large" },
    { "a word for a number", RES, "{\"numCpus\":\"many\"}", ERROR_INVALID_ARGUMENT,
      "numCpus: expected a number" },
    { "a misspelt enum", TASKS, "{\"statuses\":[\"RUNING\"]}", ERROR_INVALID_ARGUMENT,
      "statuses[0]: unknown name, did you mean \"RUNNING\"?" },
    { "an enum number without name", VOLUME, "{\"mode\":9}", ERROR_INVALID_ARGUMENT,
      "mode: expected one of VOLUME_MODE_UNSPECIFIED, RW, RO" },
    { "both of a oneof", CREATE, "{\"source\":{},\"job\":{}}", ERROR_INVALID_ARGUMENT,
      "job: cannot be given together with \"source\"" },
    { "both spellings of one field", CREATE, "{\"requestId\":\"a\",\"request_id\":\"b\"}",
      ERROR_INVALID_ARGUMENT, "requestId: is given twice" },
    { "one name twice", CREATE, "{\"pin\":true,\n\"pin\":true}", ERROR_INVALID_ARGUMENT,
      "line 2, column 5: a name is given twice in one object" },
    { "no base64", FILE_, "{\"content\":\"a b\"}", ERROR_INVALID_ARGUMENT,
      "content: expected a string in base64" },
    { "base64 of impossible length", FILE_, "{\"content\":\"abcde\"}", ERROR_INVALID_ARGUMENT,
      "content: expected a string in base64" },
    { "nothing", CREATE, "", ERROR_INVALID_ARGUMENT, "expected a JSON object, got nothing" },
    { "an array at the top", CREATE, "[]", ERROR_INVALID_ARGUMENT, "expected an object" },
    { "cut off", CREATE, "{\"pin\":", ERROR_INVALID_ARGUMENT, "the text ends too early" },
    { "more behind the end", CREATE, "{} {}", ERROR_INVALID_ARGUMENT, "expected nothing more" },
    { "not JSON", CREATE, "{pin:true}", ERROR_INVALID_ARGUMENT,
      "line 1, column 4: not valid JSON" },
    { "not UTF-8", CREATE, "{\"cluster\":\"\xff\"}", ERROR_INVALID_ARGUMENT, "not valid UTF-8" },
    { "NUL", CREATE, "{\"cluster\":\"a\\u0000b\"}", ERROR_INVALID_ARGUMENT,
      "may not hold the character NUL" },
    { "too deep", CREATE, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", ERROR_INVALID_ARGUMENT,
      "nested more than 32 levels" },
};

static void is_explained(void **state)
{
    const struct mistake_case *c = *state;
    struct arena *arena = arena_new();
    struct error err = { 0 };
    ProtobufCMessage *const untouched = (ProtobufCMessage *)&err, *message = untouched;

    assert_false(message_from_json(slice_of(c->in), c->type, MESSAGE_JSON_REJECT_UNKNOWN, arena,
                                   &message, &err));
    assert_int_equal(err.code, c->code);
    assert_ptr_equal(message, untouched);
    if (!strstr(err.message, c->message))
        assert_string_equal(err.message, c->message);
    arena_free(arena);
}

static void too_many_values_are_refused(void **state)
{
    (void)state;
    cleanup_text struct text json = TEXT_INIT;
    struct error err = { 0 };
    json_t *value = NULL;
    text_add(&json, "[0");
    for (int i = 0; i < MESSAGE_JSON_MAX_VALUES; i++)
        text_add(&json, ",0");
    text_add(&json, "]");
    assert_false(json_parse(text_slice(&json), &value, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    assert_null(value);
}

static void a_client_ignores_what_it_does_not_know(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct error err = { 0 };
    ProtobufCMessage *message = NULL;
    assert_true(
        message_from_json(SLICE("{\"hostPath\":\"/x\",\"later\":{\"a\":[1]},\"mode\":\"NEW\"}"),
                          VOLUME, MESSAGE_JSON_IGNORE_UNKNOWN, arena, &message, &err));
    const Eos__Job__V1__Volume *volume = (const Eos__Job__V1__Volume *)message;
    assert_string_equal(volume->host_path, "/x");
    assert_int_equal(volume->mode, EOS__JOB__V1__VOLUME_MODE__VOLUME_MODE_UNSPECIFIED);
    arena_free(arena);
}

static void pretty_form_is_indented(void **state)
{
    (void)state;
    cleanup_text struct text out = TEXT_INIT;
    Eos__Scheduler__V1__Veto veto = EOS__SCHEDULER__V1__VETO__INIT, *vetoes[] = { &veto };
    Eos__Scheduler__V1__PendingReason reason = EOS__SCHEDULER__V1__PENDING_REASON__INIT;
    reason.vetoes = vetoes;
    reason.n_vetoes = 1;
    message_to_json_pretty(&reason.base, &out);
    assert_string_equal(text_string(&out), "{\n"
                                           "  \"taskId\": \"\",\n"
                                           "  \"instanceId\": 0,\n"
                                           "  \"reason\": \"\",\n"
                                           "  \"vetoes\": [\n"
                                           "    {\n"
                                           "      \"reason\": \"\",\n"
                                           "      \"hostCount\": 0\n"
                                           "    }\n"
                                           "  ],\n"
                                           "  \"pendingSinceMs\": \"0\"\n"
                                           "}\n");
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(a_client_ignores_what_it_does_not_know),
        cmocka_unit_test(pretty_form_is_indented),
    };
    return RUN_CASES(forms, comes_out_canonical) + RUN_CASES(mistakes, is_explained) +
           cmocka_run_group_tests(others, NULL, NULL);
}
