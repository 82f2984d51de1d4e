#pragma once

#include "launcher/task.h"

/* All tasks of this host, by id: those that run, and the dead ones whose logs are kept. */
struct tasks;

#define TASKS_MAX 10000u /* that are not dead */

struct tasks_options {
    struct task_host host; /* copied; its callbacks are set here, but for on_news and user */
    void (*on_news)(void *user);
    void *user;
    size_t dead_max; /* more dead tasks than that: the oldest ones go */
};

/* Finds what earlier launchers have left, without touching it yet.  Blocks. */
struct tasks *tasks_open(const struct tasks_options *options, struct error *err) MUST_CHECK;
void tasks_start(struct tasks *tasks);

/* Leaves all processes alone.  `on_closed` runs later. */
void tasks_close(struct tasks *tasks, void (*on_closed)(void *user), void *user);

struct task *tasks_find(const struct tasks *tasks, const char *task_id); /* NULL: none */

/* What the scheduler orders.  Orders may come again. */
void tasks_launch(struct tasks *tasks, const Eos__Scheduler__V1__LaunchTask *launch);
void tasks_kill(struct tasks *tasks, const Eos__Scheduler__V1__KillTask *kill);
void tasks_forget(struct tasks *tasks, const char *task_id);
void tasks_acknowledge(struct tasks *tasks, const char *update_id);

/* What is known here: all that a checkpoint tells of, also dead ones. */
size_t tasks_picture(const struct tasks *tasks, struct arena *arena,
                     Eos__Scheduler__V1__KnownTask ***ret_list);

/* Kills all as LOST.  `done` runs once, later, when all have ended, or the tasks are closed.  From then
 * on no task is taken any more, until the launcher starts again: what the scheduler places anew would
 * come straight back. */
void tasks_stop_all(struct tasks *tasks, const char *message,
                    void (*done)(void *user, size_t stopped), void *user);
bool tasks_are_stopped(const struct tasks *tasks);

/* Those whose executor is connected; in `arena`. */
const char **tasks_running_ids(const struct tasks *tasks, struct arena *arena, size_t *ret_count);

/* Tells the digest of the image of each task that may have a container, "" where it is not known. */
void tasks_used_images(const struct tasks *tasks, void (*add)(void *to, const char *digest),
                       void *to);

size_t tasks_count_live(const struct tasks *tasks);
size_t tasks_count(const struct tasks *tasks);
