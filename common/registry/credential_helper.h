#pragma once

#include "registry/credentials.h"

#include <uv.h>

/* Asks a program `docker-credential-<name>` for the credentials of a registry, by the protocol of
 * docker-credential-helpers. */
struct credential_helper;

#define CREDENTIAL_HELPER_TIMEOUT_MS 10000u

struct credential_helper_request {
    const char *name;    /* checked: no path */
    struct slice server; /* "host[:port]" */

    /* Exactly once, later.  `credential` is NULL when the program knows none, or with an `err`
     * (FAILED_PRECONDITION: it is missing, fails, takes too long, talks nonsense).  Valid until the
     * callback returns; the helper is gone then. */
    void (*on_done)(void *user, const struct credential *credential, const struct error *err);

    /* When every handle is closed, also after a cancel. */
    void (*on_closed)(void *user);
    void *user;
    void *closed_user;
};

/* The request is copied.  NULL with FAILED_PRECONDITION when the program cannot be started: nothing is
 * called then but on_closed, later. */
struct credential_helper *credential_helper_start(uv_loop_t *loop,
                                                  const struct credential_helper_request *request,
                                                  struct error *err) MUST_CHECK;

/* Kills the program.  on_done is not called any more. */
void credential_helper_cancel(struct credential_helper *helper);
