#pragma once

#include "registry/credential_helper.h"
#include "registry/fetch.h"

#include "base/arena.h"
#include "base/text.h"

#define FETCH_MAX_WHY_BYTES 100u /* of somebody else's words in a message */

/* A fetch is at any moment waiting for exactly one thing: an answer of the registry or of its token
 * server (`transfer`), of a program that knows credentials (`helper`), another fetch that is getting the
 * authorization for both (`queue`), the files to be read again (`reread`), or the
 * end of a pause (the timer, which otherwise is the deadline). */
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
    uint64_t trouble_since_ms;       /* when the first of them failed */
    bool is_home;                    /* the URL is the registry's own */
    bool is_fresh;                   /* what is being sent as authorization was made for this try */
    bool is_probed;                  /* whether there is a registry at all has been asked */
    bool is_paused;
    uint64_t sent_grant;       /* its serial number, 0: none */
    struct fetch_queue *queue; /* it stands at its head, or waits in it */
    struct fetch *next_in_queue;
    struct reread *reread; /* it waits for it */
    struct fetch *next_in_reread;
    bool has_reread;         /* once is enough */
    uint64_t files_serial;   /* of the files that the first request was made with */
    enum auth_scheme scheme; /* what the last request to the registry was sent with */

    struct text body;     /* collected, or that of an error */
    uint64_t received;    /* bytes that went to on_data */
    uint64_t skip;        /* bytes of this answer that were there already */
    bool is_answer_begun; /* on_data has seen this answer's status */
    bool has_failed;      /* `failure` tells why the body is not read on */
    bool was_stopped;     /* by on_data */
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

/* Calls fetch_authorize() when the loop turns. */
void fetch_wake(struct fetch *fetch);

uint64_t fetch_now_ms(const struct fetch *fetch);

/* A request to `url`, with what is right for every request; the rest is the caller's. */
struct http_request fetch_http_request(struct fetch *fetch, const char *url);

/* -- fetch_answer.c --------------------------------------------------------------------------------- */

bool fetch_on_data(void *fetch, const char *bytes, size_t len);
void fetch_on_done(void *fetch, enum http_outcome outcome, const char *why);

/* The body of a refusal, up to what is read of one; false when there is more. */
bool fetch_on_refusal_data(void *fetch, const char *bytes, size_t len);

/* What happened to a transfer that brought no answer, in a sentence's end: "could not be reached". */
void fetch_describe_break(struct fetch *fetch, enum http_outcome outcome, const char *why,
                          struct error *ret_err);

/* -- fetch_probe.c: whether there is a registry ------------------------------------------------------ */

/* Ends with `err`, or with the sentence that the host is no registry, if that is so. */
void fetch_probe(struct fetch *fetch, const struct error *err);

/* -- fetch_queue.c: those who need the same authorization -------------------------------------------- */

/* True when this fetch is to get the authorization; else it waits for the one that does, and goes on
 * when that is done. */
bool fetch_queue_lead(struct fetch *fetch);

/* The leader has it: it goes on, and so do those who wait. */
void fetch_queue_granted(struct fetch *fetch);

bool fetch_queue_is_led_by(const struct fetch *fetch);

/* The leader cannot get it: it ends with `err`, and so do those who wait. */
void fetch_queue_refused(struct fetch *fetch, const struct error *err);

/* A fetch ends for other reasons: when it was the leader, the next one is. */
void fetch_queue_leave(struct fetch *fetch);

/* A document may not lead to what only we can reach: a foreign URL, and what it redirects to, has TLS,
 * unless its registry itself is on this machine. */
bool fetch_check_foreign(struct registry_client *client, const char *url, const struct origin *home,
                         struct error *err) MUST_CHECK;

/* -- fetch_reread.c: files that changed since they were read ------------------------------------------ */

/* Ends with `err`, unless credentials or certificates have changed: then it starts over with those. */
void fetch_finish_unless_reread(struct fetch *fetch, const struct error *err);

/* A fetch that waits for it ends. */
void fetch_reread_leave(struct fetch *fetch);

/* -- fetch_auth.c ----------------------------------------------------------------------------------- */

/* Keeps the strongest challenge of the answer at hand; when there is none, the error is of the last. */
void fetch_read_challenges(struct fetch *fetch, struct error *err);

/* Goes on after a 401.  `err` tells why there is no challenge. */
void fetch_unauthorized(struct fetch *fetch, const struct error *err);

/* At the head of the queue: goes on to get the authorization. */
void fetch_authorize(struct fetch *fetch);
