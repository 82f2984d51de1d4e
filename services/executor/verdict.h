#pragma once

#include <eos/executor/v1/executor.pb-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a task ended, from all that the outer process knows once the container is empty. */
struct evidence {
    /* What the container's first process said last; has_report is false when it said nothing. */
    bool has_report;
    Eos__Executor__V1__TaskState reported;
    const char *reported_message;

    int wait_status; /* of the container's first process, as waitpid() gives it */
    bool was_killed; /* a launcher asked for it */
    const char *kill_message;

    int64_t oom_kills;    /* processes that the kernel killed for the memory limit */
    int64_t memory_bytes; /* the limit; 0: none */
    int64_t pids_refused; /* forks that the limit of processes refused */
    int64_t pids;         /* the limit; 0: none */
};

struct verdict {
    Eos__Executor__V1__TaskState state;
    char message[248];
};

void verdict_find(const struct evidence *evidence, struct verdict *ret_verdict);

/* "64 MiB", "1.5 GiB", "1000 bytes": exact where that is short. */
void verdict_format_bytes(int64_t bytes, char *out, size_t size);
