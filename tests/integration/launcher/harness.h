#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"

#include "eos/launcher/v1/launcher.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

#include <sys/types.h>
#include <uv.h>

/* eos-launcher as a program, between this test as its scheduler and real executors.
 *
 * Everything runs on one loop; the functions that wait run it.  The scheduler here is as simple as can
 * be: it repeats its commands with every answer until the task is named, acknowledges all updates
 * (unless told not to), and holds polls. */

#define HARNESS_DEADLINE_MS 20000

struct update_seen {
    struct update_seen *next;
    char *update_id, *task_id, *message;
    Eos__Job__V1__ScheduleStatus status;
};

struct harness {
    uv_loop_t loop;
    char folder[64], cluster_url[128], launcher_url[128], state_dir[96], log_path[96];
    const char *flags[32]; /* further ones; NULL-terminated */
    pid_t pid;             /* of the launcher; 0: none */

    struct rpc_server *server;
    struct rpc_client *client;
    struct rpc_request *held;          /* the poll */
    struct rpc_request *overtaken[16]; /* those that are not let go */
    uv_timer_t clock;
    uint64_t deadline_ms;

    /* what the scheduler wants */
    struct arena *arena;
    Eos__Scheduler__V1__LaunchTask *launches[64];
    size_t launch_count;
    char *kills[64], *forgets[64];
    size_t kill_count, forget_count;
    bool keeps_silent;  /* acknowledges nothing */
    bool wants_picture; /* asks for all tasks with the next answer */
    bool never_lets_go; /* of polls that later ones have overtaken */

    /* what the launcher has said */
    struct update_seen *updates, **updates_end;
    size_t polls, pictures;
    struct map *picture; /* of the last poll with all tasks: task id to status + 1 */
    char session[64], host_id[64];
    uint64_t last_sequence;
    bool was_draining;
    Eos__Scheduler__V1__HostResources *total; /* in the arena */
    size_t attribute_count;
};

/* A fresh one with its own directory; starts nothing. */
struct harness *harness_make(void);

/* Kills what is left and removes everything. */
void harness_done(struct harness *harness);

void harness_add_flag(struct harness *harness, const char *name, const char *value);

/* Starts the launcher and waits for its first poll. */
bool harness_start(struct harness *harness);
void harness_kill(struct harness *harness);      /* SIGKILL */
int harness_terminate(struct harness *harness);  /* SIGTERM; its exit status, or -1 */
int harness_run_to_end(struct harness *harness); /* starts it and waits: it is to fail */

/* The id that a task has on this machine, where other tests may run at the same time: control groups
 * and containers are named after it.  The functions here take the short form, "t1". */
const char *harness_id(const struct harness *harness, const char *task_id);

/* A task of one process.  `container` may be NULL; both are borrowed. */
struct task_spec {
    const char *id, *role, *cmdline;
    Eos__Job__V1__Container *container;
    const char *executor_data; /* instead of a command line */
};
void harness_launch(struct harness *harness, const struct task_spec *spec);
void harness_order_kill(struct harness *harness, const char *task_id);
void harness_order_forget(struct harness *harness, const char *task_id);

/* Runs the loop until the condition holds; false after the deadline. */
typedef bool harness_condition(const struct harness *harness, const void *what);
bool harness_wait(struct harness *harness, harness_condition *condition, const void *what);

/* Waits until an update of that status was seen, and gives its message; NULL after the deadline. */
const char *harness_wait_for(struct harness *harness, const char *task_id,
                             Eos__Job__V1__ScheduleStatus status);
size_t harness_count(const struct harness *harness, const char *task_id,
                     Eos__Job__V1__ScheduleStatus status);

/* Reads a log to its end, also as it grows when `follow` is set.  False with `err` when it fails. */
struct log_wish {
    const char *task_id, *process;
    Eos__Launcher__V1__LogStream stream;
    int32_t run;
    int64_t offset, limit_bytes;
    bool follow;
    const char *until; /* stop as soon as that was seen; or NULL */
};
bool harness_read_log(struct harness *harness, const struct log_wish *wish, struct text *out,
                      struct error *err);

/* Any unary method of the launcher; the answer is a copy to be freed, NULL with `err`. */
ProtobufCMessage *harness_ask(struct harness *harness, const char *method,
                              const ProtobufCMessage *request, struct error *err);

/* How many processes have `pattern` in their command line. */
size_t harness_processes(const char *pattern);
bool harness_nothing_left(const struct harness *harness, const void *ignored);

/* A file below the test's directory, such as "log" or "state/…"; "" when it is not there. */
void harness_read_file(const struct harness *harness, const char *path, struct text *out);

/* Takes the executor out of a task's checkpoint, as if the launcher had died before it noted it. */
void harness_forget_executor(const struct harness *harness, const char *task_id);
