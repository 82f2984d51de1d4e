#include "registry/fetch.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "registry/answer.h"
#include "registry/credential_helper.h"
#include "registry/retry.h"
#include "json/base64.h"

#include <assert.h>
#include <time.h>

/* A fetch is at any moment waiting for exactly one thing: an answer of the registry or of its token
 * server (`transfer`), of a program that knows credentials (`helper`), or the end of a pause (the timer,
 * which otherwise is the deadline). */

#define MAX_REDIRECTS     5u
#define TOKEN_SLACK_MS    5000u
#define BASIC_LIFETIME_MS 3600000u
#define MAX_CHALLENGES    8u
#define MAX_WHY_BYTES     100u

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

static void send_request(struct fetch *fetch);

static uint64_t now_ms(const struct fetch *fetch)
{
    return uv_now(fetch->client->loop);
}

/* -- ending --------------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *timer)
{
    struct fetch *fetch = timer->data;
    struct registry_client *client = fetch->client;
    text_done(&fetch->body);
    arena_free(fetch->arena);
    free(fetch);
    registry_client_part_closed(client);
}

void fetch_cancel(struct fetch *fetch)
{
    if (fetch->transfer)
        http_cancel(fetch->transfer);
    if (fetch->helper)
        credential_helper_cancel(fetch->helper);
    fetch->transfer = NULL;
    fetch->helper = NULL;
    uv_close((uv_handle_t *)&fetch->timer, on_timer_closed);
}

static void finish(struct fetch *fetch, const struct error *err)
{
    if (err)
        metric_add(fetch->client->failures, 1);
    fetch->request.on_done(fetch->request.user, err);
    fetch_cancel(fetch);
}

static void fail(struct fetch *fetch, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct fetch *fetch, enum error_code code, const char *fmt, ...)
{
    struct error err;
    va_list ap;
    va_start(ap, fmt);
    error_set(&err, code, "%s", arena_vprintf(fetch->arena, fmt, ap));
    va_end(ap);
    finish(fetch, &err);
}

static void on_deadline(uv_timer_t *timer)
{
    struct fetch *fetch = timer->data;
    fail(fetch, ERROR_DEADLINE_EXCEEDED, "registry %s did not deliver %s within %u ms",
         fetch->request.base_url, fetch->request.what, fetch->request.deadline_ms);
}

static void arm_deadline(struct fetch *fetch)
{
    uint64_t now = now_ms(fetch);
    uv_timer_start(&fetch->timer, on_deadline,
                   fetch->deadline_at_ms > now ? fetch->deadline_at_ms - now : 0, 0);
}

/* -- trying again --------------------------------------------------------------------------------- */

static void on_pause_over(uv_timer_t *timer)
{
    struct fetch *fetch = timer->data;
    arm_deadline(fetch);
    send_request(fetch);
}

/* From the registry's own URL: one that it redirected to may have expired. */
static void start_over(struct fetch *fetch)
{
    fetch->url = arena_printf(fetch->arena, "%s/v2/%s/%s", fetch->request.base_url,
                              fetch->request.repository, fetch->request.path);
    fetch->is_home = true;
    fetch->hops = 0;
}

static uint32_t random_number(void)
{
    uint32_t number = 0;
    (void)uv_random(NULL, NULL, &number, sizeof number, 0, NULL);
    return number;
}

/* Waits and tries again, or ends with `err` when there were tries enough or no time is left. */
static void try_again(struct fetch *fetch, struct slice retry_after, const struct error *err)
{
    fetch->attempt++;
    uint32_t delay_ms = retry_delay_ms(fetch->attempt, random_number());
    uint32_t asked_ms;
    if (retry_after_parse(retry_after, (int64_t)time(NULL) * 1000, &asked_ms) &&
        asked_ms > delay_ms)
        delay_ms = asked_ms;
    if (fetch->attempt >= RETRY_MAX_ATTEMPTS || now_ms(fetch) + delay_ms >= fetch->deadline_at_ms) {
        finish(fetch, err);
        return;
    }
    metric_add(fetch->client->retries, 1);
    fetch->is_fresh = false;
    start_over(fetch);
    uv_timer_start(&fetch->timer, on_pause_over, delay_ms, 0);
}

/* -- authentication ------------------------------------------------------------------------------- */

/* What is known for the registry, or NULL. */
static const struct credential *known_credential(const struct fetch *fetch)
{
    if (fetch->helped.user)
        return &fetch->helped;
    return credentials_find(fetch->client->credentials, fetch->home.authority);
}

static char *basic_header(struct fetch *fetch, const struct credential *credential)
{
    struct text out = TEXT_INIT;
    char *both = arena_printf(fetch->arena, "%s:%s", credential->user, credential->password);
    base64_encode(slice_of(both), &out);
    char *header = arena_printf(fetch->arena, "Authorization: Basic %s", text_string(&out));
    text_done(&out);
    return header;
}

static void use_grant(struct fetch *fetch, enum auth_scheme scheme, const char *header,
                      uint64_t lifetime_ms)
{
    grants_put(fetch->client->grants, fetch->request.base_url, fetch->request.repository, scheme,
               header, now_ms(fetch) + lifetime_ms);
    fetch->is_fresh = true;
    send_request(fetch);
}

static const char *token_host(struct fetch *fetch)
{
    struct origin origin;
    struct error ignored;
    return origin_parse(slice_of(fetch->url), &origin, &ignored)
               ? arena_printf(fetch->arena, "%.*s", SLICE_ARG(origin.authority))
               : "";
}

static void take_token(struct fetch *fetch)
{
    struct answer_token token;
    struct error err;
    if (!answer_token_parse(text_slice(&fetch->body), fetch->arena, &token, &err)) {
        fail(fetch, err.code, "token server %s of registry %s: %s", token_host(fetch),
             fetch->request.base_url, err.message);
        return;
    }
    uint64_t lifetime_ms = (uint64_t)token.expires_in_s * 1000;
    const char *header = arena_printf(fetch->arena, "Authorization: Bearer %s", token.token);
    start_over(fetch);
    use_grant(fetch, AUTH_BEARER, header,
              lifetime_ms > 2 * TOKEN_SLACK_MS ? lifetime_ms - TOKEN_SLACK_MS : lifetime_ms / 2);
}

static bool on_token_data(void *user, const char *bytes, size_t len)
{
    struct fetch *fetch = user;
    if (fetch->body.len + len > ANSWER_MAX_BYTES)
        return false;
    text_add_bytes(&fetch->body, bytes, len);
    return true;
}

static void on_token_done(void *user, enum http_outcome outcome, const char *why)
{
    struct fetch *fetch = user;
    unsigned status = http_status(fetch->transfer);
    struct slice retry_after = http_header(fetch->transfer, "Retry-After", 0);
    struct error err;

    fetch->transfer = NULL;
    if (outcome == HTTP_COMPLETE && status == 200) {
        take_token(fetch);
        return;
    }
    const char *said = outcome == HTTP_COMPLETE
                           ? answer_error(text_slice(&fetch->body), fetch->arena)
                           : answer_printable(slice_of(why), MAX_WHY_BYTES, fetch->arena);
    bool is_refusal = status == 401 || status == 403;
    error_set(&err, is_refusal ? ERROR_UNAUTHENTICATED : ERROR_UNAVAILABLE,
              "token server %s of registry %s %s %s (%u%s%s)", token_host(fetch),
              fetch->request.base_url, is_refusal ? "refused access to" : "gave no token for",
              fetch->request.repository, status, said[0] ? " " : "", said);
    if (outcome == HTTP_BROKEN || retry_is_worth(status))
        try_again(fetch, retry_after, &err);
    else
        finish(fetch, &err);
}

static void add_parameter(struct text *to, const char *name, struct slice value)
{
    if (value.len == 0)
        return;
    text_printf(to, "%s%s=", to->len > 0 ? "&" : "", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c && strchr("-._~:/", c));
        if (is_plain)
            text_add_char(to, c);
        else
            text_printf(to, "%%%02X", (unsigned char)c);
    }
}

/* Every scope is a parameter of its own. */
static void add_scopes(struct fetch *fetch, const char *scopes, struct text *to)
{
    struct slice rest = slice_of(
        scopes[0] ? scopes
                  : arena_printf(fetch->arena, "repository:%s:pull", fetch->request.repository));
    while (rest.ptr)
        add_parameter(to, "scope", slice_split(&rest, ' '));
}

static void ask_for_token(struct fetch *fetch)
{
    const struct auth_challenge *challenge = &fetch->challenge;
    struct text query = TEXT_INIT;
    struct origin server;
    struct error err;
    if (!origin_parse(slice_of(challenge->realm), &server, &err) ||
        !origin_check_security(&server, &fetch->client->insecure, &err)) {
        fail(fetch, err.code, "token server of registry %s: %s", fetch->request.base_url,
             err.message);
        return;
    }
    const struct credential *credential = known_credential(fetch);
    if (!credential)
        credential = credentials_find(fetch->client->credentials, server.authority);
    struct http_request request = {
        .is_direct = origin_is_loopback(&server),
        .user = fetch,
        .on_data = on_token_data,
        .on_done = on_token_done,
    };
    const char *header = NULL;
    add_parameter(&query, "service", slice_of(challenge->service));
    add_scopes(fetch, challenge->scope, &query);
    fetch->url = challenge->realm;
    if (credential && credential->identity_token[0]) {
        add_parameter(&query, "grant_type", SLICE("refresh_token"));
        add_parameter(&query, "client_id", SLICE("eos"));
        add_parameter(&query, "refresh_token", slice_of(credential->identity_token));
        request.form = text_string(&query);
    } else {
        fetch->url = arena_printf(fetch->arena, "%s%c%s", challenge->realm,
                                  strchr(challenge->realm, '?') ? '&' : '?', text_string(&query));
        if (credential)
            header = basic_header(fetch, credential);
    }
    request.url = fetch->url;
    request.headers = &header;
    request.header_count = header ? 1 : 0;
    text_clear(&fetch->body);
    fetch->transfer = http_start(fetch->client->http, &request);
    text_done(&query);
}

static void answer_basic(struct fetch *fetch)
{
    const struct credential *credential = known_credential(fetch);
    if (!credential || !credential->user[0]) {
        fail(fetch, ERROR_UNAUTHENTICATED,
             "registry %s needs a user name and password for %s, and none are known for %.*s",
             fetch->request.base_url, fetch->request.repository, SLICE_ARG(fetch->home.authority));
        return;
    }
    use_grant(fetch, AUTH_BASIC, basic_header(fetch, credential), BASIC_LIFETIME_MS);
}

/* The strongest of all challenges; when there is none, the error is of the last. */
static void read_challenges(struct fetch *fetch, struct error *err)
{
    struct auth_challenge best = { .scheme = AUTH_NONE };
    error_set(err, ERROR_UNAUTHENTICATED, "it does not say how to authenticate");
    for (size_t n = 0; n < MAX_CHALLENGES; n++) {
        struct slice header = http_header(fetch->transfer, "WWW-Authenticate", n);
        struct auth_challenge challenge;
        if (header.len > 0 && auth_challenge_parse(header, fetch->arena, &challenge, err) &&
            challenge.scheme > best.scheme)
            best = challenge;
    }
    fetch->challenge = best;
}

static void refused(struct fetch *fetch)
{
    bool has_credentials = fetch->scheme == AUTH_BASIC || known_credential(fetch);
    const char *said = answer_error(text_slice(&fetch->body), fetch->arena);
    if (fetch->scheme == AUTH_BEARER && has_credentials)
        fail(fetch, ERROR_PERMISSION_DENIED,
             "registry %s does not let the user that is known for %.*s have %s (401%s%s)",
             fetch->request.base_url, SLICE_ARG(fetch->home.authority), fetch->request.what,
             said[0] ? " " : "", said);
    else
        fail(fetch, ERROR_UNAUTHENTICATED, "registry %s refused %s %s (401%s%s)",
             fetch->request.base_url,
             has_credentials ? "the user name or password for" : "anonymous access to",
             fetch->request.what, said[0] ? " " : "", said);
}

static void answer_challenge(struct fetch *fetch)
{
    if (fetch->challenge.scheme == AUTH_BASIC)
        answer_basic(fetch);
    else
        ask_for_token(fetch);
}

static void on_helped(void *user, const struct credential *credential, const struct error *err)
{
    struct fetch *fetch = user;
    fetch->helper = NULL;
    if (err) {
        fail(fetch, err->code, "registry %s: %s", fetch->request.base_url, err->message);
        return;
    }
    if (credential)
        fetch->helped = (struct credential){
            .user = arena_strdup(fetch->arena, credential->user),
            .password = arena_strdup(fetch->arena, credential->password),
            .identity_token = arena_strdup(fetch->arena, credential->identity_token),
        };
    answer_challenge(fetch);
}

static void on_helper_closed(void *user)
{
    registry_client_part_closed(user);
}

static void ask_helper(struct fetch *fetch, const char *name)
{
    struct credential_helper_request request = {
        .name = name,
        .server = fetch->home.authority,
        .on_done = on_helped,
        .on_closed = on_helper_closed,
        .user = fetch,
        .closed_user = fetch->client,
    };
    struct error err;
    fetch->is_helped = true;
    fetch->client->open_parts++;
    fetch->helper = credential_helper_start(fetch->client->loop, &request, &err);
    if (!fetch->helper)
        fail(fetch, err.code, "registry %s: %s", fetch->request.base_url, err.message);
}

/* `err` tells why there is no challenge. */
static void unauthorized(struct fetch *fetch, const struct error *err)
{
    const char *helper = credentials_helper(fetch->client->credentials, fetch->home.authority);
    if (fetch->is_fresh) {
        grants_forget(fetch->client->grants, fetch->request.base_url, fetch->request.repository);
        refused(fetch);
    } else if (!fetch->is_home) {
        fail(fetch, ERROR_UNAUTHENTICATED,
             "registry %s redirected to a host that refuses access to %s (401)",
             fetch->request.base_url, fetch->request.what);
    } else if (fetch->challenge.scheme == AUTH_NONE) {
        fail(fetch, ERROR_UNAUTHENTICATED, "registry %s refused access to %s (401): %s",
             fetch->request.base_url, fetch->request.what, err->message);
    } else if (helper && !fetch->is_helped) {
        ask_helper(fetch, helper);
    } else {
        answer_challenge(fetch);
    }
}

/* -- the answer ----------------------------------------------------------------------------------- */

static const struct refusal {
    unsigned status;
    enum error_code code;
    const char *verb;
} refusals[] = {
    { 400, ERROR_INVALID_ARGUMENT, "does not understand the request for" },
    { 403, ERROR_PERMISSION_DENIED, "denies access to" },
    { 404, ERROR_NOT_FOUND, "does not have" },
    { 410, ERROR_NOT_FOUND, "does not have" },
    { 429, ERROR_RESOURCE_EXHAUSTED, "has had too many requests to give" },
    { 0, ERROR_FAILED_PRECONDITION, "did not give" },
};

static void describe_status(struct fetch *fetch, unsigned status, struct error *err)
{
    const struct refusal *refusal = refusals;
    while (refusal->status && refusal->status != status)
        refusal++;
    enum error_code code = status >= 500 ? ERROR_UNAVAILABLE : refusal->code;
    const char *said = answer_error(text_slice(&fetch->body), fetch->arena);
    error_set(err, code, "registry %s %s %s: it answered %u%s%s%s", fetch->request.base_url,
              refusal->verb, fetch->request.what, status, said[0] ? " (" : "", said,
              said[0] ? ")" : "");
}

static void follow(struct fetch *fetch, const char *url)
{
    struct origin origin;
    struct error err;
    if (++fetch->hops > MAX_REDIRECTS) {
        fail(fetch, ERROR_FAILED_PRECONDITION, "registry %s redirected over %u times for %s",
             fetch->request.base_url, MAX_REDIRECTS, fetch->request.what);
        return;
    }
    if (!origin_parse(slice_of(url), &origin, &err) ||
        !origin_check_security(&origin, &fetch->client->insecure, &err)) {
        fail(fetch, ERROR_FAILED_PRECONDITION, "registry %s redirected for %s: %s",
             fetch->request.base_url, fetch->request.what, err.message);
        return;
    }
    fetch->url = url;
    fetch->is_home = origin_equal(&origin, &fetch->home);
    send_request(fetch);
}

static bool is_redirect(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_success(unsigned status)
{
    return status == 200 || status == 206;
}

/* What is needed of the headers is read before anything else happens: they go with the transfer. */
static void on_answer(struct fetch *fetch)
{
    struct http_transfer *transfer = fetch->transfer;
    struct error err = { 0 };
    unsigned status = http_status(transfer);
    struct slice retry_after = http_header(transfer, "Retry-After", 0);
    const char *location = arena_strdup(fetch->arena, http_redirect_url(transfer));

    metric_add(fetch->client->answers, 1);
    if (status == 401)
        read_challenges(fetch, &err);
    fetch->content_type =
        answer_printable(http_header(transfer, "Content-Type", 0), MAX_WHY_BYTES, fetch->arena);
    fetch->digest_header = answer_printable(http_header(transfer, "Docker-Content-Digest", 0),
                                            2 * MAX_WHY_BYTES, fetch->arena);
    fetch->transfer = NULL;
    if (is_success(status)) {
        finish(fetch, NULL);
    } else if (status == 401) {
        unauthorized(fetch, &err);
    } else if (is_redirect(status) && location[0]) {
        follow(fetch, location);
    } else {
        describe_status(fetch, status, &err);
        if (retry_is_worth(status))
            try_again(fetch, retry_after, &err);
        else
            finish(fetch, &err);
    }
}

static void on_broken(struct fetch *fetch, enum http_outcome outcome, const char *why)
{
    bool was_reached = http_status(fetch->transfer) != 0;
    struct error err;
    fetch->transfer = NULL;
    error_set(&err, ERROR_UNAVAILABLE, "registry %s %s for %s: %s", fetch->request.base_url,
              was_reached ? "broke off its answer" : "could not be reached", fetch->request.what,
              answer_printable(slice_of(why), MAX_WHY_BYTES, fetch->arena));
    if (outcome == HTTP_BROKEN)
        try_again(fetch, SLICE(""), &err);
    else
        finish(fetch, &err);
}

static void on_done(void *user, enum http_outcome outcome, const char *why)
{
    struct fetch *fetch = user;
    if (outcome == HTTP_REFUSED_BY_READER && fetch->has_failed) {
        fetch->transfer = NULL;
        finish(fetch, &fetch->failure);
    } else if (outcome == HTTP_COMPLETE || outcome == HTTP_REFUSED_BY_READER) {
        on_answer(fetch);
    } else {
        on_broken(fetch, outcome, why);
    }
}

/* -- the body ------------------------------------------------------------------------------------- */

static bool refuse(struct fetch *fetch)
{
    fetch->has_failed = true;
    return false;
}

/* "bytes 100-199/200" must start where we stopped. */
static bool begin_stream(struct fetch *fetch)
{
    uint64_t first;
    struct slice range = http_header(fetch->transfer, "Content-Range", 0);
    fetch->is_answer_begun = true;
    if (http_status(fetch->transfer) != 206) {
        fetch->skip = fetch->received;
        return true;
    }
    slice_split(&range, ' ');
    if (range.ptr && slice_to_u64(slice_split(&range, '-'), UINT64_MAX, &first) &&
        first == fetch->received)
        return true;
    error_set(&fetch->failure, ERROR_DATA_LOSS,
              "registry %s did not continue %s where it was interrupted", fetch->request.base_url,
              fetch->request.what);
    return refuse(fetch);
}

static bool stream(struct fetch *fetch, const char *bytes, size_t len)
{
    if (!fetch->is_answer_begun && !begin_stream(fetch))
        return false;
    size_t known = fetch->skip < len ? (size_t)fetch->skip : len;
    fetch->skip -= known;
    if (known == len)
        return true;
    fetch->received += len - known;
    fetch->attempt = 0;
    fetch->is_fresh = false;
    return fetch->request.on_data(fetch->request.user, bytes + known, len - known,
                                  &fetch->failure) ||
           refuse(fetch);
}

static bool collect(struct fetch *fetch, const char *bytes, size_t len)
{
    if (fetch->body.len + len > fetch->request.collect_max) {
        error_set(&fetch->failure, ERROR_FAILED_PRECONDITION,
                  "registry %s sent more than %zu bytes for %s", fetch->request.base_url,
                  fetch->request.collect_max, fetch->request.what);
        return refuse(fetch);
    }
    text_add_bytes(&fetch->body, bytes, len);
    return true;
}

/* The body of a refusal that is too long is simply not read to its end. */
static bool on_data(void *user, const char *bytes, size_t len)
{
    struct fetch *fetch = user;
    metric_add(fetch->client->received_bytes, (double)len);
    if (is_success(http_status(fetch->transfer)))
        return fetch->request.collect_max > 0 ? collect(fetch, bytes, len)
                                              : stream(fetch, bytes, len);
    if (fetch->body.len + len > ANSWER_MAX_BYTES)
        return false;
    text_add_bytes(&fetch->body, bytes, len);
    return true;
}

/* -- the request ---------------------------------------------------------------------------------- */

static void send_request(struct fetch *fetch)
{
    const char *headers[3];
    struct origin origin = { 0 };
    struct error ignored;
    const struct grant *grant = fetch->is_home
                                    ? grants_find(fetch->client->grants, fetch->request.base_url,
                                                  fetch->request.repository, now_ms(fetch))
                                    : NULL;
    struct http_request request = {
        .url = fetch->url,
        .headers = headers,
        .is_direct =
            origin_parse(slice_of(fetch->url), &origin, &ignored) && origin_is_loopback(&origin),
        .user = fetch,
        .on_data = on_data,
        .on_done = on_done,
    };
    if (fetch->request.accept)
        headers[request.header_count++] =
            arena_printf(fetch->arena, "Accept: %s", fetch->request.accept);
    if (grant)
        headers[request.header_count++] = grant->header;
    if (fetch->received > 0)
        headers[request.header_count++] =
            arena_printf(fetch->arena, "Range: bytes=%llu-", (unsigned long long)fetch->received);
    if (fetch->is_home)
        fetch->scheme = grant ? grant->scheme : AUTH_NONE;
    fetch->is_answer_begun = false;
    fetch->skip = 0;
    text_clear(&fetch->body);
    fetch->transfer = http_start(fetch->client->http, &request);
    if (fetch->is_paused)
        http_pause(fetch->transfer);
}

struct fetch *fetch_start(struct registry_client *client, const struct fetch_request *request,
                          struct error *err)
{
    struct origin home;
    assert(request->deadline_ms > 0);
    if (!origin_parse(slice_of(request->base_url), &home, err) ||
        !origin_check_security(&home, &client->insecure, err)) {
        error_prefix(err, "registry");
        return NULL;
    }
    struct fetch *fetch = xcalloc(1, sizeof *fetch);
    fetch->client = client;
    fetch->arena = arena_new();
    fetch->request = *request;
    fetch->request.base_url = arena_strdup(fetch->arena, request->base_url);
    fetch->request.repository = arena_strdup(fetch->arena, request->repository);
    fetch->request.path = arena_strdup(fetch->arena, request->path);
    fetch->request.what = arena_strdup(fetch->arena, request->what);
    if (!origin_parse(slice_of(fetch->request.base_url), &fetch->home, err))
        abort(); /* it could a moment ago */
    fetch->content_type = fetch->digest_header = "";
    fetch->timer.data = fetch;
    uv_timer_init(client->loop, &fetch->timer);
    client->open_parts++;
    fetch->deadline_at_ms = now_ms(fetch) + request->deadline_ms;
    arm_deadline(fetch);
    start_over(fetch);
    send_request(fetch);
    return fetch;
}

void fetch_pause(struct fetch *fetch)
{
    fetch->is_paused = true;
    if (fetch->transfer)
        http_pause(fetch->transfer);
}

void fetch_resume(struct fetch *fetch)
{
    fetch->is_paused = false;
    if (fetch->transfer)
        http_resume(fetch->transfer);
}

struct slice fetch_body(const struct fetch *fetch)
{
    return text_slice(&fetch->body);
}

const char *fetch_content_type(const struct fetch *fetch)
{
    return fetch->content_type;
}

const char *fetch_digest_header(const struct fetch *fetch)
{
    return fetch->digest_header;
}

enum auth_scheme fetch_authentication(const struct fetch *fetch)
{
    return fetch->scheme;
}
