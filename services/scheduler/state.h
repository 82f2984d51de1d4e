#pragma once

#include "scheduler/job.h"
#include "scheduler/validation.h"

/* Everything that the scheduler knows, with its indexes.  It lives in memory; what of it is on disk is
 * brought up to date through `changes`, see records.h. */

struct state_settings {
    const char *scheduler_name; /* shown in task events; borrowed */
    const char *cluster;        /* borrowed */
    int64_t host_timeout_ms;    /* silence after which a host is lost from view */
    int64_t transient_timeout_ms;
    int64_t flapping_threshold_ms; /* a run shorter than this is flapping */
    int64_t flapping_delay_min_ms, flapping_delay_max_ms;
    int64_t history_min_ms, history_max_ms; /* how long dead tasks are kept */
    int64_t history_per_job; /* more dead tasks than this go once they are history_min_ms old */
    int64_t launch_repeat_ms, kill_repeat_ms; /* commands that got no reaction are given again */
    int64_t reconcile_ms;                     /* how often a host is asked for all its tasks */
    struct job_rules rules;
};

extern const struct state_settings state_default_settings;

/* Events since the start, for the metrics. */
struct state_counters {
    uint64_t tasks_created, tasks_placed, tasks_timed_out, tasks_pruned, tasks_throttled;
    uint64_t illegal_changes, updates, unknown_tasks, hosts_lost, placement_checks;
};

struct state {
    struct state_settings settings;
    struct random random;

    struct map *configs;       /* content in normal form -> struct task_config */
    struct map *configs_by_id; /* 8 bytes */
    struct map *tasks, *hosts; /* by id */
    struct map *requests;      /* by request id; oldest first */
    struct job **jobs;         /* by key */
    size_t job_count, job_capacity;

    struct task_config *first_group, *last_group; /* configurations with pending tasks */
    size_t status_counts[TASK_STATUS_COUNT];
    struct change_list changes;
    struct deadlines deadlines;
    struct host *woken; /* hosts that there may be something to say to */

    uint64_t next_config_id, next_serial;
    uint64_t capacity_epoch; /* rises whenever a task might fit that did not before */
    bool is_placement_due;
    struct state_counters counters;
};

struct state *state_new(const struct state_settings *settings, struct random random);
void state_free(struct state *state);

struct job *state_find_job(const struct state *state, const Eos__Job__V1__JobKey *key);
/* The index of the first job behind `key` or, with `at_key`, at or behind it. */
size_t state_job_from(const struct state *state, const Eos__Job__V1__JobKey *key, bool at_key);
struct task *state_find_task(const struct state *state, const char *id);
struct host *state_find_host(const struct state *state, const char *id);

/* The shared configuration with this content; takes over `message`, which is in normal form. */
struct task_config *state_intern(struct state *state, Eos__Job__V1__TaskConfig *message);
void state_use_config(struct task_config *config);
void state_drop_config(struct state *state, struct task_config *config);

/* Adds what is new; the state owns it from then on. */
void state_add_config(struct state *state, struct task_config *config);
void state_add_job(struct state *state, struct job *job);
void state_add_host(struct state *state, struct host *host);
void state_add_task(struct state *state, struct task *task);

/* Takes it out of all indexes, and frees it once that is on disk. */
void state_remove_job(struct state *state, struct job *job);
void state_remove_host(struct state *state, struct host *host);
void state_remove_task(struct state *state,
                       struct task *task); /* and its job, when it was the last */

void state_changed(struct state *state, struct entity *entity);

/* The host is to get an answer to the poll that it holds, if there is something in it. */
void state_wake(struct state *state, struct host *host);
struct host *state_next_woken(struct state *state); /* NULL: none left */

/* Something became free, or a host changed: all that is pending is tried again. */
void state_capacity_grew(struct state *state);

/* Adds `by` (1 or -1) to the counts by status, before and after a change of status. */
void state_count_task(struct state *state, const struct task *task, int by);

/* Puts the task on its host: the host's resources, ports and lists count it; and the other way. */
void state_occupy(struct state *state, struct task *task);
void state_vacate(struct state *state, struct task *task);

/* The queue of tasks that wait for a host. */
void state_enqueue(struct state *state, struct task *task);
void state_dequeue(struct state *state, struct task *task);

#define STATE_MAX_HOSTS 20000u
