#include "client/job_wait.h"

#include "client/task_state.h"

typedef Eos__Job__V1__ScheduledTask scheduled_task;

static int64_t first_event_ms(const scheduled_task *task)
{
    return task->n_task_events > 0 ? task->task_events[0]->timestamp_ms : 0;
}

static const char *last_message(const scheduled_task *task)
{
    return task->n_task_events > 0 ? task->task_events[task->n_task_events - 1]->message : "";
}

static bool is_of_this_job(const scheduled_task *task, int64_t created_at_ms)
{
    return task->assigned_task && first_event_ms(task) >= created_at_ms;
}

static const scheduled_task *newest_of(scheduled_task *const *tasks, size_t count, int instance,
                                       int64_t created_at_ms)
{
    const scheduled_task *newest = NULL;
    for (size_t i = 0; i < count; i++) {
        const scheduled_task *task = tasks[i];
        if (!is_of_this_job(task, created_at_ms) || task->assigned_task->instance_id != instance)
            continue;
        bool is_newer =
            !newest || first_event_ms(task) > first_event_ms(newest) ||
            (first_event_ms(task) == first_event_ms(newest) && task_state_is_active(task->status));
        if (is_newer)
            newest = task;
    }
    return newest;
}

static const char *describe(const scheduled_task *task, struct arena *arena)
{
    const char *message = last_message(task);
    return arena_printf(arena, "instance %d is %s%s%s", task->assigned_task->instance_id,
                        task_state_name(task->status), message[0] ? ": " : "", message);
}

static const scheduled_task *find_failed(scheduled_task *const *tasks, size_t count,
                                         int64_t created_at_ms)
{
    for (size_t i = 0; i < count; i++)
        if (is_of_this_job(tasks[i], created_at_ms) &&
            (tasks[i]->status == EOS__JOB__V1__SCHEDULE_STATUS__FAILED ||
             tasks[i]->status == EOS__JOB__V1__SCHEDULE_STATUS__KILLED))
            return tasks[i];
    return NULL;
}

static bool has_reached(enum job_goal goal, const scheduled_task *task)
{
    if (task->status == EOS__JOB__V1__SCHEDULE_STATUS__FINISHED)
        return true;
    return goal == GOAL_RUNNING && task_state_is_live(task->status);
}

struct job_progress job_wait_judge(enum job_goal goal, scheduled_task *const *tasks, size_t count,
                                   int instances, int64_t created_at_ms, struct arena *arena)
{
    struct job_progress progress = { .total = instances, .message = "nothing is known of it yet" };
    bool is_described = false;
    const scheduled_task *failed = find_failed(tasks, count, created_at_ms);
    if (failed) {
        progress.outcome = OUTCOME_FAILED;
        progress.message = describe(failed, arena);
        return progress;
    }
    for (int i = 0; i < instances; i++) {
        const scheduled_task *task = newest_of(tasks, count, i, created_at_ms);
        if (task && has_reached(goal, task)) {
            progress.reached++;
        } else if (task && !is_described) {
            progress.message = describe(task, arena);
            is_described = true;
        }
    }
    if (progress.reached == instances)
        progress.outcome = OUTCOME_REACHED;
    return progress;
}
