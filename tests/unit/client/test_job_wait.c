#include "client/job_wait.h"

#include "unit/test.h"

#define STATE(name) EOS__JOB__V1__SCHEDULE_STATUS__##name
#define CREATED     1000

struct task_row {
    int instance;
    Eos__Job__V1__ScheduleStatus status;
    int64_t at_ms; /* of its first event */
    const char *message;
};

static const struct wait_case {
    const char *name;
    enum job_goal goal;
    int instances;
    struct task_row tasks[5];
    int task_count;
    enum job_outcome outcome;
    int reached;
    const char *message;
} cases[] = {
    { "nothing yet", GOAL_RUNNING, 2, { { 0 } }, 0, OUTCOME_WAITING, 0, "nothing is known" },
    { "pending",
      GOAL_RUNNING,
      1,
      { { 0, STATE(PENDING), 1001, "" } },
      1,
      OUTCOME_WAITING,
      0,
      "instance 0 is PENDING" },
    { "all run",
      GOAL_RUNNING,
      2,
      { { 0, STATE(RUNNING), 1001, "" }, { 1, STATE(RUNNING), 1001, "" } },
      2,
      OUTCOME_REACHED,
      2,
      "" },
    { "one of two runs",
      GOAL_RUNNING,
      2,
      { { 0, STATE(RUNNING), 1001, "" }, { 1, STATE(STARTING), 1001, "pulling" } },
      2,
      OUTCOME_WAITING,
      1,
      "instance 1 is STARTING: pulling" },
    { "an instance that is not listed is waited for",
      GOAL_RUNNING,
      2,
      { { 0, STATE(RUNNING), 1001, "" } },
      1,
      OUTCOME_WAITING,
      1,
      "" },
    { "what has finished has run",
      GOAL_RUNNING,
      1,
      { { 0, STATE(FINISHED), 1001, "" } },
      1,
      OUTCOME_REACHED,
      1,
      "" },
    { "running is not finished",
      GOAL_FINISHED,
      1,
      { { 0, STATE(RUNNING), 1001, "" } },
      1,
      OUTCOME_WAITING,
      0,
      "RUNNING" },
    { "finished",
      GOAL_FINISHED,
      1,
      { { 0, STATE(FINISHED), 1001, "" } },
      1,
      OUTCOME_REACHED,
      1,
      "" },
    { "a task that failed",
      GOAL_RUNNING,
      1,
      { { 0, STATE(FAILED), 1001, "exit 1" } },
      1,
      OUTCOME_FAILED,
      0,
      "instance 0 is FAILED: exit 1" },
    { "a failure counts though its successor waits",
      GOAL_RUNNING,
      1,
      { { 0, STATE(THROTTLED), 1002, "" }, { 0, STATE(FAILED), 1001, "no such user" } },
      2,
      OUTCOME_FAILED,
      0,
      "no such user" },
    { "a failure of an earlier job does not count",
      GOAL_RUNNING,
      1,
      { { 0, STATE(RUNNING), 1001, "" }, { 0, STATE(FAILED), 900, "" } },
      2,
      OUTCOME_REACHED,
      1,
      "" },
    { "somebody killed it",
      GOAL_RUNNING,
      1,
      { { 0, STATE(KILLED), 1001, "Killed by x" } },
      1,
      OUTCOME_FAILED,
      0,
      "Killed by x" },
    { "a lost task is placed again",
      GOAL_RUNNING,
      1,
      { { 0, STATE(PENDING), 1002, "" }, { 0, STATE(LOST), 1001, "" } },
      2,
      OUTCOME_WAITING,
      0,
      "PENDING" },
    { "the newest counts, whatever the order",
      GOAL_RUNNING,
      1,
      { { 0, STATE(LOST), 1001, "" }, { 0, STATE(RUNNING), 1002, "" } },
      2,
      OUTCOME_REACHED,
      1,
      "" },
    { "of two of the same moment the living counts",
      GOAL_RUNNING,
      1,
      { { 0, STATE(LOST), 1001, "" }, { 0, STATE(RUNNING), 1001, "" } },
      2,
      OUTCOME_REACHED,
      1,
      "" },
};

struct made {
    Eos__Job__V1__ScheduledTask task;
    Eos__Job__V1__AssignedTask assigned;
    Eos__Job__V1__TaskEvent event, *events[1];
};

static void make(struct made *made, const struct task_row *row)
{
    eos__job__v1__scheduled_task__init(&made->task);
    eos__job__v1__assigned_task__init(&made->assigned);
    eos__job__v1__task_event__init(&made->event);
    made->assigned.instance_id = row->instance;
    made->event.timestamp_ms = row->at_ms;
    made->event.message = (char *)row->message;
    made->events[0] = &made->event;
    made->task.assigned_task = &made->assigned;
    made->task.status = row->status;
    made->task.task_events = made->events;
    made->task.n_task_events = 1;
}

static void is_judged(void **state)
{
    const struct wait_case *c = *state;
    struct made made[5];
    Eos__Job__V1__ScheduledTask *tasks[5];
    struct arena *arena = arena_new();
    for (int i = 0; i < c->task_count; i++) {
        make(&made[i], &c->tasks[i]);
        tasks[i] = &made[i].task;
    }
    struct job_progress progress =
        job_wait_judge(c->goal, tasks, (size_t)c->task_count, c->instances, CREATED, arena);
    assert_int_equal(progress.outcome, c->outcome);
    assert_int_equal(progress.reached, c->reached);
    assert_int_equal(progress.total, c->instances);
    assert_non_null(strstr(progress.message, c->message));
    arena_free(arena);
}

int main(void)
{
    return RUN_CASES(cases, is_judged);
}
