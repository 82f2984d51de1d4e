#include "scheduler/request_memory.h"

#include "fixture.h"

#include "unit/test.h"

typedef Eos__Scheduler__V1__GetJobRequest some_request;
typedef Eos__Scheduler__V1__CreateJobResponse some_response;

static void remember(struct fixture *f, const char *id, int32_t answer)
{
    some_request request = EOS__SCHEDULER__V1__GET_JOB_REQUEST__INIT;
    some_response response = EOS__SCHEDULER__V1__CREATE_JOB_RESPONSE__INIT;
    response.instance_count = answer;
    request_memory_add(f->state, id, "M", &request.base, &response.base, f->now_ms);
}

/* The number that was remembered, or -1. */
static int32_t recall(struct fixture *f, const char *id)
{
    some_request request = EOS__SCHEDULER__V1__GET_JOB_REQUEST__INIT;
    ProtobufCMessage *response;
    struct error err;
    bool ok = request_memory_find(f->state, id, "M", &request.base,
                                  &eos__scheduler__v1__create_job_response__descriptor, f->arena,
                                  &response, &err);
    assert_true(ok);
    return response ? ((some_response *)response)->instance_count : -1;
}

static void answers_are_kept_for_an_hour(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    remember(&f, "a", 1);
    f.now_ms += REQUEST_MEMORY_KEEP_MS / 2;
    remember(&f, "b", 2);
    f.now_ms += REQUEST_MEMORY_KEEP_MS / 2;
    request_memory_expire(f.state, f.now_ms);
    assert_int_equal(recall(&f, "a"), 1);
    request_memory_expire(f.state, f.now_ms + 1);
    assert_int_equal(recall(&f, "a"), -1);
    assert_int_equal(recall(&f, "b"), 2);
    fixture_done(&f);
}

static void only_so_many_are_kept(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    for (unsigned i = 0; i < REQUEST_MEMORY_MAX + 5; i++)
        remember(&f, arena_printf(f.arena, "%u", i), (int32_t)i);
    assert_int_equal(map_count(f.state->requests), REQUEST_MEMORY_MAX);
    assert_int_equal(recall(&f, "4"), -1);
    assert_int_equal(recall(&f, "5"), 5);
    fixture_done(&f);
}

static void requests_without_an_id_are_not_kept(void **state)
{
    struct fixture f = fixture_make();
    (void)state;
    remember(&f, "", 1);
    assert_int_equal(map_count(f.state->requests), 0);
    assert_int_equal(recall(&f, ""), -1);
    fixture_done(&f);
}

static void the_id_belongs_to_the_request(void **state)
{
    struct fixture f = fixture_make();
    some_request request = EOS__SCHEDULER__V1__GET_JOB_REQUEST__INIT;
    Eos__Job__V1__JobKey key = EOS__JOB__V1__JOB_KEY__INIT;
    ProtobufCMessage *response;
    struct error err;
    char long_id[REQUEST_ID_MAX_BYTES + 2];
    const ProtobufCMessageDescriptor *type = &eos__scheduler__v1__create_job_response__descriptor;
    (void)state;

    remember(&f, "a", 1);
    assert_false(
        request_memory_find(f.state, "a", "N", &request.base, type, f.arena, &response, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    request.key = &key;
    assert_false(
        request_memory_find(f.state, "a", "M", &request.base, type, f.arena, &response, &err));
    memset(long_id, 'x', sizeof long_id);
    long_id[sizeof long_id - 1] = 0;
    assert_false(
        request_memory_find(f.state, long_id, "M", &request.base, type, f.arena, &response, &err));
    assert_non_null(strstr(err.message, "longer than 128 bytes"));
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_kept_for_an_hour),
        cmocka_unit_test(only_so_many_are_kept),
        cmocka_unit_test(requests_without_an_id_are_not_kept),
        cmocka_unit_test(the_id_belongs_to_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
