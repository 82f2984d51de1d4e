#include "base/cleanup.h"
#include "gateway/routes.h"
#include "unit/test.h"
#include "json/message_json.h"

static const struct route_case {
    const char *name, *method, *target, *body;
    enum error_code code;
    const char *seen; /* "path-of-row request-as-JSON", part of the sentence, or what is allowed */
} cases[] = {
    { "list jobs", "GET", "/v1/jobs?role=a&pageSize=5", "", ERROR_OK,
      "/v1/jobs "
      "{\"role\":\"a\",\"environment\":\"\",\"name\":\"\",\"pageSize\":5,\"pageToken\":\"\"}" },
    { "head is get", "HEAD", "/v1/hosts", "", ERROR_OK, "/v1/hosts {}" },
    { "a job", "GET", "/v1/jobs/www-data/prod/h%65llo", "", ERROR_OK,
      "/v1/jobs/{key.role}/{key.environment}/{key.name} "
      "{\"key\":{\"role\":\"www-data\",\"environment\":\"prod\",\"name\":\"hello\"}}" },
    { "kill without body", "POST", "/v1/jobs/r/e/n:kill", "", ERROR_OK,
      "/v1/jobs/{job.role}/{job.environment}/{job.name}:kill "
      "{\"job\":{\"role\":\"r\",\"environment\":\"e\",\"name\":\"n\"},\"instances\":[],"
      "\"message\":\"\",\"requestId\":\"\",\"user\":\"\"}" },
    { "kill with body", "POST", "/v1/jobs/r/e/n:kill", "{\"instances\":[1,2],\"message\":\"m\"}",
      ERROR_OK,
      "/v1/jobs/{job.role}/{job.environment}/{job.name}:kill "
      "{\"job\":{\"role\":\"r\",\"environment\":\"e\",\"name\":\"n\"},\"instances\":[1,2],"
      "\"message\":\"m\",\"requestId\":\"\",\"user\":\"\"}" },
    { "lists in a query", "GET",
      "/v1/tasks?instances=0,2&instances=5&statuses=RUNNING&withoutConfigs=true", "", ERROR_OK,
      "/v1/tasks {\"role\":\"\",\"environment\":\"\",\"name\":\"\",\"instances\":[0,2,5],"
      "\"statuses\":[\"RUNNING\"],\"taskIds\":[],\"hostId\":\"\",\"withoutConfigs\":true,"
      "\"pageSize\":0,\"pageToken\":\"\"}" },
    { "a log", "GET", "/v1/tasks/t-1/log?process=a+b%26c&stream=STDERR&offset=-5&follow", "",
      ERROR_OK,
      "/v1/tasks/{task_id}/log {\"taskId\":\"t-1\",\"process\":\"a b&c\",\"stream\":\"STDERR\","
      "\"run\":-1,\"offset\":\"-5\",\"limitBytes\":\"0\",\"follow\":true}" },
    { "a run of a log", "GET", "/v1/tasks/t-1/log?run=0", "", ERROR_OK,
      "/v1/tasks/{task_id}/log {\"taskId\":\"t-1\",\"process\":\"\",\"stream\":\"STDOUT\","
      "\"run\":0,\"offset\":\"0\",\"limitBytes\":\"0\",\"follow\":false}" },
    { "no head of a stream", "HEAD", "/v1/tasks/t-1/log", "", ERROR_UNIMPLEMENTED, "GET" },
    { "nothing there", "GET", "/v1/jab", "", ERROR_NOT_FOUND, "nothing at this path" },
    { "nothing below", "GET", "/v1/jobs/", "", ERROR_NOT_FOUND, "nothing at this path" },
    { "an empty segment", "GET", "/v1/jobs//e/n", "", ERROR_NOT_FOUND, "nothing at this path" },
    { "another method", "DELETE", "/v1/jobs", "", ERROR_UNIMPLEMENTED, "POST, GET, HEAD" },
    { "get of a verb", "GET", "/v1/jobs/r/e/n:kill", "", ERROR_UNIMPLEMENTED, "POST" },
    { "an unknown verb", "POST", "/v1/jobs/r/e/n:frob", "", ERROR_NOT_FOUND, "nothing" },
    { "an unknown parameter", "GET", "/v1/jobs?rule=a", "", ERROR_INVALID_ARGUMENT,
      "unknown query parameter \"rule\"" },
    { "a parameter that the path has", "GET", "/v1/tasks/t/logs?taskId=u", "",
      ERROR_INVALID_ARGUMENT, "unknown query parameter" },
    { "a parameter twice", "GET", "/v1/jobs?role=a&role=b", "", ERROR_INVALID_ARGUMENT,
      "\"role\" is given twice" },
    { "not a number", "GET", "/v1/jobs?pageSize=x", "", ERROR_OUT_OF_RANGE, "pageSize" },
    { "a broken escape", "GET", "/v1/jobs?role=%4", "", ERROR_INVALID_ARGUMENT, "hexadecimal" },
    { "a query with a post", "POST", "/v1/compile?user=x", "{}", ERROR_INVALID_ARGUMENT,
      "takes no query" },
    { "a body with a get", "GET", "/v1/jobs", "{}", ERROR_INVALID_ARGUMENT, "takes no body" },
    { "another key in the body", "POST", "/v1/jobs/r/e/n:kill", "{\"job\":{\"role\":\"x\"}}",
      ERROR_INVALID_ARGUMENT, "role: the body says something else" },
    { "a body that is no object", "POST", "/v1/compile", "[]", ERROR_INVALID_ARGUMENT, "object" },
    { "a body that is no JSON", "POST", "/v1/compile", "{\"files\":", ERROR_INVALID_ARGUMENT,
      "ends too early" },
    { "an unknown field", "POST", "/v1/jobs", "{\"reqestId\":\"x\"}", ERROR_INVALID_ARGUMENT,
      "reqestId: unknown field, did you mean \"requestId\"?" },
};

static bool find_and_decode(const struct route_case *c, struct arena *arena, struct text *seen,
                            struct error *err)
{
    struct slice query = slice_of(c->target), path = slice_split(&query, '?');
    struct route_match match;
    ProtobufCMessage *request = NULL;

    if (!route_find(slice_of(c->method), path, arena, &match, seen, err))
        return false;
    text_printf(seen, "%s ", match.route->path);
    if (!match.route->request)
        return true;
    if (!route_request(&match, query.ptr ? query : SLICE(""), slice_of(c->body), arena, &request,
                       err))
        return false;
    message_to_json(request, seen);
    return true;
}

static void finds_its_request(void **state)
{
    const struct route_case *c = *state;
    struct arena *arena = arena_new();
    cleanup_text struct text seen = TEXT_INIT;
    struct error err = { 0 };

    bool ok = find_and_decode(c, arena, &seen, &err);

    assert_int_equal(err.code, c->code);
    assert_int_equal(ok, c->code == ERROR_OK);
    if (ok || c->code == ERROR_UNIMPLEMENTED)
        assert_string_equal(text_string(&seen), c->seen);
    else if (!strstr(err.message, c->seen))
        assert_string_equal(err.message, c->seen);
    arena_free(arena);
}

/* A field that a row names exists, and a call that it names is one of its service. */
static void every_row_is_whole(void **state)
{
    (void)state;
    for (const struct route *route = routes; route->method; route++) {
        if (!route->service)
            continue;
        const ProtobufCMethodDescriptor *method =
            protobuf_c_service_descriptor_get_method_by_name(route->service, route->call);
        assert_non_null(method);
        assert_ptr_equal(method->input, route->request);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(every_row_is_whole) };
    return RUN_CASES(cases, finds_its_request) + cmocka_run_group_tests(others, NULL, NULL);
}
