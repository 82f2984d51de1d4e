#pragma once

#include "base/arena.h"
#include "base/error.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <sys/types.h>

/* The logs of a task: "<sandbox>/.logs/<process>/<run>/stdout" and "stderr".
 *
 * The task's user owns all of it, so nothing in it is trusted: no link is followed, nothing but a
 * regular file is read, and lists are bounded.  All of these block. */

#define LOG_FILES_MAX 10000u
#define LOG_ENTRIES_MAX                                                                            \
    20000u /* of directories, read at a time: the task may have made any number */
#define LOG_RUN_NEWEST (-1)

/* By the first start of the process, then run, then stream. */
bool log_files_list(const char *sandbox, struct arena *arena,
                    Eos__Launcher__V1__ListLogsResponse *response, struct error *err) MUST_CHECK;

struct log_file {
    int fd;
    char process[256];
    int32_t run;
};

/* `process` empty: the one that began first; `run` LOG_RUN_NEWEST: its newest.
 *   INVALID_ARGUMENT  a name that no process can have
 *   NOT_FOUND         names what is not there (yet) */
bool log_files_open(const char *sandbox, const char *process, int32_t run,
                    Eos__Launcher__V1__LogStream stream, struct log_file *ret_file,
                    struct error *err) MUST_CHECK;
