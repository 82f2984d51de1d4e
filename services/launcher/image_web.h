#pragma once

#include "base/arena.h"
#include "launcher/image_source.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What AppC images and their discovery need of the web: a GET that a worker thread waits for. */
struct image_web_options {
    const char *netrc;     /* credentials for the hosts; NULL: none */
    const char *certs_dir; /* their certificates, as Docker lays them out; NULL: none */
    /* "host[:port]" that may speak plain HTTP besides loopback; borrowed. */
    const char *const *insecure_hosts;
    size_t insecure_host_count;
};

/* Read-only once it is made, so that all workers share it. */
struct image_web;
struct image_web *image_web_new(const struct image_web_options *options,
                                struct error *err) MUST_CHECK;
void image_web_free(struct image_web *web); /* NULL is a no-op */

/* Whether the host of an image's name may be asked without TLS. */
bool image_web_permits_plain(const struct image_web *web, const char *url);

struct image_web_request {
    const char *url;
    const char *known; /* what image_web_validator() said of it the last time, or "" */
    int64_t max_bytes; /* of the answer's body */
    bool is_tried_once;
    const atomic_bool *cancelled; /* the transfer ends with CANCELLED soon after it is true */
};

struct image_web_answer;

/* Follows redirections, but never from https to http, tries again what may work the second time, and
 * returns when the answer begins.  Credentials of the netrc file go to their own host only.
 *   FAILED_PRECONDITION  plain HTTP to a host that may not, a redirection that leads nowhere
 *   UNAVAILABLE          the server could not be reached, or answered 429 or 5xx to every try
 *   CANCELLED            nobody waits for it any more */
struct image_web_answer *image_web_get(const struct image_web *web,
                                       const struct image_web_request *request,
                                       struct error *err) MUST_CHECK;
void image_web_close(struct image_web_answer *answer); /* NULL is a no-op */

/* 200, 304 (what is known is still so) or 4xx. */
unsigned image_web_status(const struct image_web_answer *answer);

/* The error of a 4xx. */
bool image_web_refuse(const struct image_web_answer *answer, struct error *err);

/* Tells this content of the URL from a later one; "" when the server does not. */
const char *image_web_validator(const struct image_web_answer *answer);

/* The body of a 200.  When the connection breaks and the server can go on where it was, it does. */
struct image_source *image_web_source(struct image_web_answer *answer);
