#include "executor/frame.h"
#include "executor/identity.h"
#include "executor/plan.h"
#include "executor/runner.h"

#include <assert.h>

/* What the executor reads: a plan, whose task is then run with processes that end as the input says,
 * the frames of a launcher, and an image's passwd file.  The first byte chooses. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void carry_out(struct runner *runner, const struct decision *decision, uint8_t choice,
                      int64_t now_ms)
{
    if (decision->kind != DECIDE_START)
        return;
    if (choice % 4 == 3) {
        runner_not_forked(runner, decision->process, "no memory", now_ms);
        return;
    }
    runner_forked(runner, decision->process, 100, now_ms);
    runner_exited(runner, decision->process, choice % 4 == 2 ? -9 : choice % 4, now_ms);
}

/* Whatever happens, a task comes to an end. */
static void run_task(const Eos__Executor__V1__TaskPlan *plan, const uint8_t *choices, size_t count)
{
    struct runner runner;
    struct decision decision;
    struct error err;
    int64_t now_ms = 1;
    size_t step = 0;
    if (plan->n_processes > 20 || !runner_init(&runner, plan, &err))
        return;
    while (runner.stage != STAGE_ENDED) {
        while (runner_decide(&runner, now_ms, &decision))
            carry_out(&runner, &decision, count ? choices[step++ % count] : 0, now_ms);
        int64_t wait_ms = runner_wait_ms(&runner, now_ms);
        assert(wait_ms >= 0 || runner.stage == STAGE_ENDED);
        now_ms += wait_ms > 0 ? wait_ms : 0;
    }
    runner_done(&runner);
}

static void read_plan(struct slice bytes)
{
    struct error err;
    Eos__Executor__V1__TaskPlan *plan;
    if (!plan_decode(bytes, &plan, &err))
        return;
    if (plan_check(plan, &err))
        run_task(plan, (const uint8_t *)bytes.ptr, bytes.len);
    plan_free(plan);
}

static void read_frames(struct slice bytes)
{
    struct frame_reader reader = { .max = 4096 };
    struct slice message;
    while (bytes.len) {
        size_t piece = 1 + (uint8_t)bytes.ptr[0] % bytes.len;
        frame_feed(&reader, bytes.ptr, piece);
        bytes.ptr += piece;
        bytes.len -= piece;
        enum frame_result result;
        while ((result = frame_take(&reader, &message)) == FRAME_READY) {
            Eos__Executor__V1__ToExecutor *to =
                eos__executor__v1__to_executor__unpack(NULL, message.len,
                                                       (const uint8_t *)message.ptr);
            if (to)
                eos__executor__v1__to_executor__free_unpacked(to, NULL);
        }
        if (result == FRAME_TOO_LONG)
            break;
    }
    frame_reader_done(&reader);
}

static void read_passwd(struct slice bytes)
{
    Eos__Executor__V1__UserPlan user = EOS__EXECUTOR__V1__USER_PLAN__INIT;
    struct text lines = TEXT_INIT;
    struct error err;
    user.name = "joe";
    user.home = "/home/joe";
    (void)!identity_passwd(bytes, &user, &lines, &err);
    identity_group(bytes, &user, &lines);
    text_done(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice bytes = { (const char *)data + 1, size - 1 };
    switch (data[0] % 3) {
    case 0:
        read_plan(bytes);
        break;
    case 1:
        read_frames(bytes);
        break;
    case 2:
        read_passwd(bytes);
        break;
    }
    return 0;
}
