#include "executor/verdict.h"

#include "executor/report.h"

#include <string.h>
#include <sys/wait.h>

#define STATE(name) EOS__EXECUTOR__V1__TASK_STATE__##name

void verdict_format_bytes(int64_t bytes, char *out, size_t size)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    size_t unit = 0;
    int64_t scale = 1;
    while (unit + 1 < sizeof units / sizeof units[0] && bytes >= scale * 1024) {
        scale *= 1024;
        unit++;
    }
    if (bytes % scale == 0)
        snprintf(out, size, "%lld %s", (long long)(bytes / scale), units[unit]);
    else
        snprintf(out, size, "%.1f %s", (double)bytes / (double)scale, units[unit]);
}

static bool is_final(Eos__Executor__V1__TaskState state)
{
    return state != STATE(STARTING) && state != STATE(RUNNING);
}

static void memory_verdict(const struct evidence *evidence, struct verdict *verdict)
{
    char limit[32];
    verdict_format_bytes(evidence->memory_bytes, limit, sizeof limit);
    verdict->state = STATE(FAILED);
    if (evidence->memory_bytes)
        snprintf(verdict->message, sizeof verdict->message, "memory limit of %s exceeded", limit);
    else
        snprintf(verdict->message, sizeof verdict->message,
                 "a process was killed because memory ran out");
}

static void kill_verdict(const struct evidence *evidence, struct verdict *verdict)
{
    verdict->state = STATE(KILLED);
    snprintf(verdict->message, sizeof verdict->message, "%s",
             evidence->kill_message && evidence->kill_message[0] ? evidence->kill_message
                                                                 : "the task was killed");
}

/* The first process ended without a word: nothing of ours does that. */
static void loss_verdict(const struct evidence *evidence, struct verdict *verdict)
{
    verdict->state = STATE(LOST);
    if (WIFSIGNALED(evidence->wait_status))
        snprintf(verdict->message, sizeof verdict->message,
                 "the container's first process was killed by signal %d (%s)",
                 WTERMSIG(evidence->wait_status), strsignal(WTERMSIG(evidence->wait_status)));
    else
        snprintf(verdict->message, sizeof verdict->message,
                 "the container's first process exited with status %d before the task was over",
                 WEXITSTATUS(evidence->wait_status));
}

static void reported_verdict(const struct evidence *evidence, struct verdict *verdict)
{
    verdict->state = evidence->reported;
    int len = snprintf(verdict->message, sizeof verdict->message, "%s", evidence->reported_message);
    if (evidence->reported != STATE(FAILED) || evidence->pids_refused == 0 || len < 0 ||
        (size_t)len >= sizeof verdict->message)
        return;
    snprintf(verdict->message + len, sizeof verdict->message - (size_t)len,
             "; its limit of %lld processes was reached", (long long)evidence->pids);
}

void verdict_find(const struct evidence *evidence, struct verdict *ret_verdict)
{
    bool has_ended = evidence->has_report && is_final(evidence->reported);
    bool ended_otherwise = has_ended && evidence->reported != STATE(KILLED);
    if (evidence->was_killed && !ended_otherwise)
        kill_verdict(evidence, ret_verdict);
    else if (evidence->oom_kills > 0)
        memory_verdict(evidence, ret_verdict);
    else if (has_ended)
        reported_verdict(evidence, ret_verdict);
    else
        loss_verdict(evidence, ret_verdict);
    report_trim(ret_verdict->message);
}
