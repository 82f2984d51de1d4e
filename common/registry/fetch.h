#pragma once

#include "registry/client.h"

/* One document or blob of a registry: a request with authentication, redirects and retries, within a
 * deadline.  What arrives is not checked here. */
struct fetch;

enum fetch_patience {
    FETCH_PATIENT, /* of a registry: until it is back, if the deadline leaves time for that */
    FETCH_HASTY,   /* of one whose place another takes: two tries */
};

struct fetch_request {
    const char *base_url, *repository;
    const char *path;   /* behind "/v2/<repository>/" */
    const char *accept; /* NULL: anything */
    const char *what;   /* for messages: "image a/b:1.0" */
    uint32_t deadline_ms;
    enum fetch_patience patience;
    bool is_head; /* only the headers; a refusal is not looked into */

    /* Somewhere else than the registry, which then is only in messages: without any authorization.
     * NULL: at the registry. */
    const char *foreign_url;

    /* So many bytes are there already, and are not given to `on_data` again. */
    uint64_t received;

    /* The largest body that is collected for fetch_body().  0: the body goes to `on_data` instead,
     * each byte once and in order, also when the transfer has to be taken up again. */
    size_t collect_max;
    bool (*on_data)(void *user, const char *bytes, size_t len, struct error *err);

    /* Exactly once, later; the fetch is gone when it returns.  `err` is NULL when all is there. */
    void (*on_done)(void *user, const struct error *err);
    void *user;
};

/* The request is copied.  NULL with
 *   INVALID_ARGUMENT     the base URL is malformed
 *   FAILED_PRECONDITION  plain HTTP to a host that is not allowed to, or to a foreign URL */
struct fetch *fetch_start(struct registry_client *client, const struct fetch_request *request,
                          struct error *err) MUST_CHECK;
void fetch_cancel(struct fetch *fetch); /* no further callback; gone */
void fetch_pause(struct fetch *fetch);
void fetch_resume(struct fetch *fetch);

/* Within on_done, when there was an error: whether it is the one that on_data set. */
bool fetch_was_stopped(const struct fetch *fetch);

/* Within on_done, when there was no error. */
struct slice fetch_body(const struct fetch *fetch);
const char *fetch_content_type(const struct fetch *fetch);
const char *fetch_digest_header(const struct fetch *fetch); /* "" when there was none */
enum auth_scheme fetch_authentication(const struct fetch *fetch);
