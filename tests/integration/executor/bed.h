#pragma once

#include "base/arena.h"
#include "executor/frame.h"

#include <eos/executor/v1/executor.pb-c.h>
#include <sys/types.h>

/* A test bed: a directory with what one executor needs, a plan to fill in, and a launcher's end of
 * its socket.  Every wait is bounded, and failing is cmocka's. */
struct bed {
    struct arena *arena;
    char *directory; /* run/, sandbox/, rootfs/, upper/, work/, root/, plan, output */
    Eos__Executor__V1__TaskPlan *plan;
    const char *wrapper; /* a command, without quotes, that starts the executor; NULL: none */
    pid_t pid;           /* of the executor or the wrapper; 0: none runs */
    int pid_fd;
    int socket; /* -1: not connected */
    struct frame_reader reader;
    Eos__Executor__V1__State *state; /* the newest that was received; of unpack() */
};

/* cmocka's set-up and tear-down: `*state` is the bed.  Tear-down fails when a process, a mount or a
 * cgroup of it is left. */
int bed_open(void **state);
int bed_close(void **state);

char *bed_path(struct bed *bed, const char *name) __attribute__((returns_nonnull)); /* absolute */

/* The plan holds no process at first.  The new one has max_failures 1. */
Eos__Executor__V1__ProcessPlan *bed_add_process(struct bed *bed, const char *name,
                                                const char *cmdline);
void bed_add_order(struct bed *bed, const char *first, const char *second);
void bed_set_variable(struct bed *bed, const char *name, const char *value);

/* The processes run as this user, who owns the sandbox. */
void bed_use_user(struct bed *bed, const char *name, unsigned uid);

/* Puts the task into a container of its own: an image of busybox, all namespaces, the usual mounts, a
 * cgroup of version 1 without limits.  The sandbox is /sandbox. */
void bed_contain(struct bed *bed);
Eos__Executor__V1__MountPlan *bed_add_mount(struct bed *bed, const char *type, const char *source,
                                            const char *target);

/* Writes the plan and starts the executor. */
void bed_start(struct bed *bed);
/* The same and waits for its end; returns its exit status (a signal counts as 128 more). */
int bed_run(struct bed *bed);
/* Runs the executor beside with one more flag, such as "--clean"; returns its exit status. */
int bed_run_beside(struct bed *bed, const char *flag);
int bed_wait(struct bed *bed);

/* The launcher's side. */
void bed_connect(struct bed *bed); /* closes the connection before, if there is one */
void bed_send_bytes(struct bed *bed, const void *bytes, size_t len);
void bed_hello(struct bed *bed);
void bed_kill(struct bed *bed, const char *message);
void bed_acknowledge(struct bed *bed);
void bed_await(struct bed *bed, Eos__Executor__V1__TaskState state); /* reads until it comes */
/* Reads until process `name` is in that state; returns its pid. */
int bed_await_run(struct bed *bed, const char *name, const char *run_state);
void bed_await_hangup(struct bed *bed);

/* What it left in run/exit. */
void bed_assert_ended(struct bed *bed, Eos__Executor__V1__TaskState state, const char *message);

/* The contents of a file in the bed; waits until there is one that is not empty. */
const char *bed_read(struct bed *bed, const char *name);
const char *bed_read_log(struct bed *bed, const char *process, int run, const char *stream);
bool bed_has(struct bed *bed, const char *name);
void bed_write(struct bed *bed, const char *name, const char *contents);
void bed_make_directory(struct bed *bed, const char *name);
void bed_link(struct bed *bed, const char *name, const char *target);

/* The host's process ids of this bed's executor processes: the outer one, then the container's first;
 * 0 where there is none. */
pid_t bed_inner(struct bed *bed);
void bed_await_no_process(struct bed *bed); /* nobody works in the bed any more */
