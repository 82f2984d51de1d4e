#pragma once

#include "registry/credential_helper.h"
#include "registry/fetch.h"

#include "base/arena.h"
#include "base/text.h"

#define FETCH_MAX_WHY_BYTES 100u /* of somebody else's words in a message */

/* A fetch is at any moment waiting for exactly one thing: an answer of the registry or of its token
 * server (`transfer`), of a program that knows credentials (`helper`), or the end of a pause (the timer,
 * which otherwise is the deadline). */
struct fetch {
    struct registry_client *client;
    struct fetch_request request;
    struct arena *arena; /* what lives as long as the fetch */
    struct origin home;  /* of the registry */
    uv_timer_t timer;
    uint64_t deadline_at_ms;

    struct http_transfer *transfer;
    struct credential_helper *helper;
    struct auth_challenge challenge; /* the last one */
    struct credential helped;        /* what the helper knew */
    bool is_helped;                  /* it has been asked */
    const char *url;                 /* of the request under way */
    unsigned hops, attempt;          /* redirects; tries that failed since there was progress */
    bool is_home;                    /* the URL is the registry's own */
    bool is_fresh;                   /* what is being sent as authorization was made for this try */
    bool is_paused;
    enum auth_scheme scheme; /* what the last request to the registry was sent with */

    struct text body;     /* collected, or that of an error */
    uint64_t received;    /* bytes that went to on_data */
    uint64_t skip;        /* bytes of this answer that were there already */
    bool is_answer_begun; /* on_data has seen this answer's status */
    bool has_failed;      /* `failure` tells why the body is not read on */
    struct error failure;
    const char *content_type, *digest_header;
};

/* -- fetch.c: what a step may end with; each of these is the last thing that it does ---------------- */

/* The registry's URL is asked again from the start. */
void fetch_start_over(struct fetch *fetch);

/* Sends what `url` says, with the authorization that is known. */
void fetch_send(struct fetch *fetch);

/* Waits and starts over, or ends with `err` when there were tries enough or no time is left. */
void fetch_try_again(struct fetch *fetch, struct slice retry_after, const struct error *err);

/* The end; NULL is success. */
void fetch_finish(struct fetch *fetch, const struct error *err);
void fetch_fail(struct fetch *fetch, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

uint64_t fetch_now_ms(const struct fetch *fetch);

/* -- fetch_auth.c ----------------------------------------------------------------------------------- */

/* Keeps the strongest challenge of the answer at hand; when there is none, the error is of the last. */
void fetch_read_challenges(struct fetch *fetch, struct error *err);

/* Goes on after a 401.  `err` tells why there is no challenge. */
void fetch_unauthorized(struct fetch *fetch, const struct error *err);
