#pragma once

#include "launcher/docker_engine.h"
#include "launcher/executor_link.h"
#include "launcher/image_store.h"
#include "launcher/launch.h"
#include "launcher/process_watch.h"
#include "launcher/task_fsm.h"
#include "launcher/updates.h"

#include "base/map.h"

#include "eos/launcher/v1/checkpoint.pb-c.h"

#include <uv.h>

/* One task on this host, from the command to launch it until it is forgotten.
 *
 *   task.c           the events, and what is done about them
 *   task_record.c    its checkpoint
 *   task_fetch.c     its image
 *   task_executor.c  its executor: starting, dialling, listening, the end */

/* What all tasks of a launcher share. */
struct task_host {
    uv_loop_t *loop;
    const struct launch_settings *settings;
    struct image_store *images;   /* NULL: none */
    struct docker_engine *docker; /* NULL: none */
    struct updates *updates;
    char boot_id[40];
    void (*on_news)(void *user);        /* the scheduler is to be told something */
    void (*on_dead)(void *user);        /* a task has come to its end, or its cleaning has failed */
    void (*on_task_closed)(void *user); /* after task_close() */
    void *user;
};

struct task_observer {
    struct task_observer *next;
    void (*on_change)(void *user); /* of stage, status, or processes; may not remove observers */
    void *user;
};

struct task {
    struct task_host *host;
    char *id;
    enum task_stage stage;
    bool is_dispatching, is_closing, is_known; /* known: its checkpoint is on disk */
    enum task_event queue[8];
    size_t queued;

    /* what the checkpoint holds */
    Eos__Job__V1__AssignedTask *assigned;
    char *cluster, *image_digest, *docker_id, *kill_message, *message;
    enum container_kind kind;
    pid_t pid;
    uint64_t start_ticks;
    bool is_kill_wanted, is_lost_wanted, is_clean, has_ended;
    Eos__Job__V1__ScheduleStatus status;
    int64_t ended_at_ms;

    struct launch_paths paths;
    struct error failure; /* of the step that failed */

    /* task_record.c */
    uv_work_t record_work;
    uint64_t record_wanted, record_written, record_awaited;
    bool is_recording, has_record_failed, is_record_durable;
    char *record_bytes;
    size_t record_len;
    struct error record_error;

    /* one step in a worker at a time */
    uv_work_t step_work;
    bool is_stepping, is_step_ok;
    bool (*step_fn)(struct task *task, struct error *err);
    void (*step_after)(struct task *task, bool ok);
    struct error step_error;

    uv_timer_t timer; /* what it means depends on the stage */
    bool has_timer;
    uint64_t stage_since_ms, kill_told_ms; /* of the loop's clock */
    unsigned clean_failures;

    struct image_fetch *fetch;
    struct docker_call *docker_call;
    struct arena *image_arena; /* of `image` */
    struct image *image;
    bool is_user_foreign;

    struct executor_link *link;
    struct process_watch *watch;
    bool is_gone, has_been_connected;
    Eos__Executor__V1__State *state;      /* the newest from the executor, or NULL */
    Eos__Executor__V1__State *exit_state; /* just read in a worker */

    struct task_observer *observers;
};

/* A new task; takes over `assigned`, which launch_check() has passed. */
struct task *task_new(struct task_host *host, Eos__Job__V1__AssignedTask *assigned,
                      const char *cluster);

/* One that an earlier launcher has left: takes its checkpoint over. */
struct task *task_restore(struct task_host *host, Eos__Launcher__V1__Checkpoint *checkpoint,
                          const struct map *processes);

/* Lets it begin, or go on. */
void task_start(struct task *task);

/* Ends it; `is_lost` reports the end as LOST, so that the scheduler places it again. */
enum task_kill { TASK_KILL_BY_ORDER, TASK_KILL_AS_LOST };
void task_kill(struct task *task, enum task_kill how, const char *message);

/* An update of it has been acknowledged. */
void task_acknowledged(struct task *task);

/* Leaves its processes alone, and frees it when all handles are closed: on_task_closed() then. */
void task_close(struct task *task);

bool task_is_dead(const struct task *task);

/* Dead, or dead but for something that could not be removed yet and is tried again. */
bool task_has_ended(const struct task *task);

void task_observe(struct task *task, struct task_observer *observer);
void task_unobserve(struct task *task, struct task_observer *observer);

/* -- for the other files of the task ------------------------------------------------------------- */

void task_event(struct task *task, enum task_event event);

/* The step under way cannot be done. */
void task_fail(struct task *task, const struct error *err);

/* Runs `fn` in a worker and `after` here; not while another step is running. */
void task_step_in_worker(struct task *task, bool (*fn)(struct task *, struct error *),
                         void (*after)(struct task *, bool ok));

void task_set_timer(struct task *task, uint64_t after_ms);

/* Notes how it ended, tells the scheduler, and has it recorded. */
void task_end(struct task *task, Eos__Job__V1__ScheduleStatus status, const char *message);
void task_report(struct task *task, Eos__Job__V1__ScheduleStatus status, const char *message);
void task_changed(struct task *task); /* calls the observers */

enum record_wait { RECORD_ASYNC, RECORD_AWAIT }; /* AWAIT: EVENT_RECORDED when it is on disk */
void task_record(struct task *task, enum record_wait wait);
void task_record_again(struct task *task);   /* after a failure */
void task_close_continue(struct task *task); /* a worker has ended while the task is being closed */

void task_fetch(struct task *task);
void task_report_progress(struct task *task); /* of its fetch */
void task_cancel_fetch(struct task *task);

/* While the Docker engine is restarted, the step is tried again instead of failing the task. */
bool task_waits_for_engine(struct task *task);
void task_start_executor(struct task *task);
void task_watch_executor(struct task *task);
void task_connect(struct task *task);
void task_hello(struct task *task);
void task_tell_kill(struct task *task);
void task_force(struct task *task);
void task_acknowledge(struct task *task);
void task_end_final(struct task *task);
void task_read_exit(struct task *task);

/* Reads how a dead task ended, for DescribeTask; blocks. */
void task_recall_end(struct task *task);

/* Calls a hook of the isolators; what fails is logged, as the task runs already. */
void task_isolate(struct task *task, const char *what,
                  bool (*hook)(const struct isolators *, const char *, pid_t, struct error *));
void task_clean(struct task *task);
void task_executor_timer(struct task *task);
