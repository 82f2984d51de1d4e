#pragma once

#include "base/error.h"
#include "base/options.h"

#include <uv.h>

/* The shape that all daemons share: flags, log, loop, signals, readiness, drain.
 *
 *     int main(int argc, char **argv)
 *     {
 *         static struct config_options options;
 *         static const struct option rows[] = { … { 0 } };
 *         struct daemon_spec spec = { .name = "scheduler", .summary = "…", .options = rows,
 *                                     .open = service_open, .drain = service_drain,
 *                                     .close = service_close, .user = &options };
 *         return daemon_main(&spec, argc, argv);
 *     }
 */
struct daemon_spec {
    const char *name;             /* "scheduler": the program is eos-scheduler */
    const char *summary;          /* one line for --help */
    const struct option *options; /* its own rows; the common ones are added */
    void *user;

    /* Opens everything on `loop` and returns the service; false: `err` is the one sentence that the
     * program prints before it exits with 1. */
    bool (*open)(uv_loop_t *loop, void *user, void **ret_service, struct error *err);

    /* On SIGTERM or SIGINT: finish or hand over what is in flight, then call daemon_drained() once.
     * Bounded by --drain-timeout; after it, and on a second signal, the program closes anyway. */
    void (*drain)(void *service);

    /* Closes every handle; the loop then runs until none is left. */
    void (*close)(void *service);
};

/* Common rows: --help, --version, --log-format plain|json, --log-level, --drain-timeout.  Raises the
 * soft limit of open files to the hard one, ignores SIGPIPE, sets umask 077.  Sends READY=1, STOPPING=1 and WATCHDOG=1 to
 * $NOTIFY_SOCKET.  When EOS_DIE_WITH_PARENT is 1, the kernel sends SIGTERM when the parent dies.
 * Exit status 0 after a drain, 1 when opening failed, 2 for wrong flags. */
int daemon_main(const struct daemon_spec *spec, int argc, char **argv);

void daemon_drained(void);
