#pragma once

#include "base/error.h"
#include "base/slice.h"

#include <eos/executor/v1/executor.pb-c.h>

/* The task's directory on the host: socket, record and exit.  Held by one executor at a time. */
struct run_directory {
    int fd; /* also holds the lock */
};

/* FAILED_PRECONDITION when another executor has it. */
bool run_directory_open(struct run_directory *directory, const char *path,
                        struct error *err) MUST_CHECK;
void run_directory_close(struct run_directory *directory);

/* Listens on "executor.sock", also where its path would be too long for an address. */
bool run_directory_listen(const struct run_directory *directory, int *ret_fd,
                          struct error *err) MUST_CHECK;
void run_directory_remove_socket(const struct run_directory *directory);

bool run_directory_has_exit(const struct run_directory *directory);

/* "record" and, when the task is over, "exit": an encoded State, replaced as a whole. */
bool run_directory_write(const struct run_directory *directory, const char *name,
                         const Eos__Executor__V1__State *state, struct error *err) MUST_CHECK;
