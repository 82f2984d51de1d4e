#include "executor/verdict.h"

#include "unit/test.h"

#include <string.h>

#define STATE(name) EOS__EXECUTOR__V1__TASK_STATE__##name
#define MIB         (1ll << 20)
#define SIGNAL(n)   (n)
#define STATUS(n)   ((n) << 8)

static const struct verdict_case {
    const char *name;
    struct evidence evidence;
    Eos__Executor__V1__TaskState state;
    const char *message;
} cases[] = {
    { "it said so",
      { .has_report = true, .reported = STATE(FINISHED), .reported_message = "done" },
      STATE(FINISHED),
      "done" },
    { "it said it failed",
      { .has_report = true, .reported = STATE(FAILED), .reported_message = "status 1" },
      STATE(FAILED),
      "status 1" },
    { "failed at its limit of processes",
      { .has_report = true,
        .reported = STATE(FAILED),
        .reported_message = "status 1",
        .pids_refused = 3,
        .pids = 50 },
      STATE(FAILED),
      "status 1; its limit of 50 processes was reached" },
    { "finished in spite of its limit of processes",
      { .has_report = true,
        .reported = STATE(FINISHED),
        .reported_message = "done",
        .pids_refused = 3,
        .pids = 50 },
      STATE(FINISHED),
      "done" },
    { "out of memory, and its first process with it",
      { .has_report = true,
        .reported = STATE(RUNNING),
        .reported_message = "",
        .wait_status = SIGNAL(9),
        .oom_kills = 1,
        .memory_bytes = 64 * MIB },
      STATE(FAILED),
      "memory limit of 64 MiB exceeded" },
    { "out of memory while it was being set up",
      { .wait_status = SIGNAL(9), .oom_kills = 1, .memory_bytes = 64 * MIB },
      STATE(FAILED),
      "memory limit of 64 MiB exceeded" },
    { "out of memory, and it failed of that",
      { .has_report = true,
        .reported = STATE(FAILED),
        .reported_message = "status 137",
        .oom_kills = 1,
        .memory_bytes = 1536 * MIB },
      STATE(FAILED),
      "memory limit of 1.5 GiB exceeded" },
    { "out of memory without a limit of its own",
      { .wait_status = SIGNAL(9), .oom_kills = 1 },
      STATE(FAILED),
      "a process was killed because memory ran out" },
    { "killed by a launcher",
      { .has_report = true,
        .reported = STATE(KILLED),
        .reported_message = "why",
        .was_killed = true,
        .kill_message = "why" },
      STATE(KILLED),
      "why" },
    { "killed by a launcher, with force",
      { .has_report = true,
        .reported = STATE(RUNNING),
        .reported_message = "",
        .wait_status = SIGNAL(9),
        .was_killed = true,
        .kill_message = "why" },
      STATE(KILLED),
      "why" },
    { "killed by a launcher that does not say why",
      { .wait_status = SIGNAL(9), .was_killed = true, .kill_message = "" },
      STATE(KILLED),
      "the task was killed" },
    { "finished before the kill came",
      { .has_report = true,
        .reported = STATE(FINISHED),
        .reported_message = "done",
        .was_killed = true,
        .kill_message = "why" },
      STATE(FINISHED),
      "done" },
    { "killed, and out of memory while ending",
      { .has_report = true,
        .reported = STATE(KILLED),
        .reported_message = "why",
        .was_killed = true,
        .kill_message = "why",
        .oom_kills = 1 },
      STATE(KILLED),
      "why" },
    { "its first process was killed by somebody",
      { .has_report = true,
        .reported = STATE(RUNNING),
        .reported_message = "",
        .wait_status = SIGNAL(9) },
      STATE(LOST),
      "first process was killed by signal 9 (Killed)" },
    { "its first process crashed",
      { .wait_status = SIGNAL(11) },
      STATE(LOST),
      "first process was killed by signal 11" },
    { "its first process left without a word",
      { .wait_status = STATUS(1) },
      STATE(LOST),
      "first process exited with status 1 before" },
};

static void is_found(void **state)
{
    const struct verdict_case *c = *state;
    struct verdict verdict;
    verdict_find(&c->evidence, &verdict);
    assert_int_equal(verdict.state, c->state);
    assert_non_null(strstr(verdict.message, c->message));
}

static const struct bytes_case {
    const char *name;
    int64_t bytes;
    const char *text;
} bytes_cases[] = {
    { "bytes", 1000, "1000 bytes" },     { "kibibytes", 1024, "1 KiB" },
    { "mebibytes", 64 * MIB, "64 MiB" }, { "a fraction", 1536 * MIB, "1.5 GiB" },
    { "odd", 64 * MIB + 1, "64.0 MiB" }, { "tebibytes", 1024 * 1024 * MIB, "1 TiB" },
    { "nothing", 0, "0 bytes" },
};

static void are_shown(void **state)
{
    const struct bytes_case *c = *state;
    char text[32];
    verdict_format_bytes(c->bytes, text, sizeof text);
    assert_string_equal(text, c->text);
}

int main(void)
{
    return RUN_CASES(cases, is_found) + RUN_CASES(bytes_cases, are_shown);
}
