#pragma once

#include "base/deadlines.h"
#include "base/random.h"
#include "scheduler/host.h"
#include "scheduler/task_fsm.h"

struct job;

/* What happened to a task, and when. */
struct task_event {
    int64_t at_ms;
    enum task_status status;
    char *message; /* NULL: none */
};

/* One run of one instance of a job. */
struct task {
    struct entity entity;
    char *id;
    uint64_t serial; /* rises with every task that is made */
    struct job *job;
    struct task_config *config;
    struct host *host; /* NULL until it is assigned */
    char *ancestor_id; /* the task that it stands in for; NULL: it is the first */
    int32_t *ports;    /* config->demand.ports of them while it has a host */
    struct task_event *events;
    uint16_t event_count;
    enum task_status status;
    int32_t instance, failure_count, times_partitioned;

    struct deadline deadline; /* what becomes due depends on the status */
    int64_t told_ms;          /* when the host was last given the command that is due; 0: never */
    bool is_placed;           /* it is counted in its host's `used` and in its list */
    bool is_named;            /* its launcher has spoken of it in this session */
    struct task *previous_on_host, *next_on_host;
    struct task *previous_pending, *next_pending;
};

/* Takes over `id`. */
struct task *task_new(char *id, uint64_t serial, struct job *job, struct task_config *config,
                      int32_t instance);
void task_free(struct task *task);

/* `<role>-<environment>-<name>-<instance>-<UUID>`, with '-' for what is not a letter, digit, '_' or
 * '-'.  Release with free(). */
char *task_id_make(const Eos__Job__V1__JobKey *key, int32_t instance, struct random *random);

/* Replaces the message of the last event, of which there is one.  False: it is the same. */
bool task_set_message(struct task *task, const char *message);

/* Sets the status and adds an event; `message` may be NULL. */
void task_add_event(struct task *task, enum task_status status, const char *message,
                    int64_t now_ms);

/* Drops the last two events when they only tell of a partition that came and went before the one
 * that begins now. */
void task_fold_partitions(struct task *task);

const struct task_event *task_last_event(const struct task *task); /* NULL: no event */
bool task_has_event(const struct task *task, enum task_status status);
struct task_facts task_facts(const struct task *task);

#define TASK_MESSAGE_MAX_BYTES 1024 /* longer messages of events are cut */
#define TASK_EVENTS_MAX        100  /* older ones but the first are dropped */
