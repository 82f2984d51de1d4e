#pragma once

#include "base/error.h"
#include "base/map.h"

#include <stdint.h>
#include <sys/types.h>

/* Processes of the host, each told apart from a later one of the same number by its start. */

#define BOOT_ID_BYTES 37 /* with a NUL */

/* Clock ticks after the host's start; 0 when there is no such process or it is a zombie. */
uint64_t host_process_start(pid_t pid);

/* Changes with every start of the host; "" when it cannot be read. */
void host_boot_id(char ret_id[BOOT_ID_BYTES]);

struct host_process {
    pid_t pid;
    uint64_t start_ticks;
};

/* All processes with the arguments "--plan PATH", where PATH is below `directory`: struct host_process
 * by PATH, the oldest for each.  Anybody may call a process like that, so only those count that are of
 * this process's user and in no container.  Release with host_processes_free(). */
struct map *host_processes_find(const char *directory);
void host_processes_free(struct map *processes);
