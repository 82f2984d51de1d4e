#include "launcher/frame.h"

#include "base/cleanup.h"
#include "unit/test.h"

#include "eos/executor/v1/executor.pb-c.h"

static void a_frame_comes_back_whole(void **state)
{
    cleanup_text struct text bytes = TEXT_INIT;
    Eos__Executor__V1__State message = EOS__EXECUTOR__V1__STATE__INIT;
    struct error err = { 0 };
    struct slice rest, body;
    (void)state;

    message.task_id = "t";
    frame_add(&bytes, &message.base);
    frame_add(&bytes, &message.base);
    for (size_t len = 0; len < bytes.len / 2; len++) {
        rest = (struct slice){ bytes.ptr, len };
        assert_false(frame_take(&rest, &body, &err));
        assert_int_equal(err.code, ERROR_OK);
    }
    rest = text_slice(&bytes);
    assert_true(frame_take(&rest, &body, &err));
    assert_true(frame_take(&rest, &body, &err));
    assert_int_equal(rest.len, 0);
    Eos__Executor__V1__State *back =
        eos__executor__v1__state__unpack(NULL, body.len, (const uint8_t *)body.ptr);
    assert_string_equal(back->task_id, "t");
    eos__executor__v1__state__free_unpacked(back, NULL);
}

static void too_long_a_frame_is_refused(void **state)
{
    struct slice rest = SLICE("\x7f\xff\xff\xff"), body;
    struct error err = { 0 };
    (void)state;
    assert_false(frame_take(&rest, &body, &err));
    assert_int_equal(err.code, ERROR_RESOURCE_EXHAUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_comes_back_whole),
        cmocka_unit_test(too_long_a_frame_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
