#include "registry/fetch_state.h"

#include "base/alloc.h"
#include "registry/answer.h"
#include "registry/retry.h"

#include <assert.h>
#include <time.h>

#define MAX_REDIRECTS 5u

uint64_t fetch_now_ms(const struct fetch *fetch)
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

void fetch_finish(struct fetch *fetch, const struct error *err)
{
    if (err)
        metric_add(fetch->client->failures, 1);
    fetch->request.on_done(fetch->request.user, err);
    fetch_cancel(fetch);
}

void fetch_fail(struct fetch *fetch, enum error_code code, const char *fmt, ...)
{
    struct error err;
    va_list ap;
    va_start(ap, fmt);
    error_set(&err, code, "%s", arena_vprintf(fetch->arena, fmt, ap));
    va_end(ap);
    fetch_finish(fetch, &err);
}

static void on_deadline(uv_timer_t *timer)
{
    struct fetch *fetch = timer->data;
    fetch_fail(fetch, ERROR_DEADLINE_EXCEEDED, "registry %s did not deliver %s within %u ms",
               fetch->request.base_url, fetch->request.what, fetch->request.deadline_ms);
}

static void arm_deadline(struct fetch *fetch)
{
    uint64_t now = fetch_now_ms(fetch);
    uv_timer_start(&fetch->timer, on_deadline,
                   fetch->deadline_at_ms > now ? fetch->deadline_at_ms - now : 0, 0);
}

/* -- trying again --------------------------------------------------------------------------------- */

static void on_pause_over(uv_timer_t *timer)
{
    struct fetch *fetch = timer->data;
    arm_deadline(fetch);
    fetch_send(fetch);
}

/* From the registry's own URL: one that it redirected to may have expired. */
void fetch_start_over(struct fetch *fetch)
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

void fetch_try_again(struct fetch *fetch, struct slice retry_after, const struct error *err)
{
    fetch->attempt++;
    uint32_t delay_ms = retry_delay_ms(fetch->attempt, random_number());
    uint32_t asked_ms;
    if (retry_after_parse(retry_after, (int64_t)time(NULL) * 1000, &asked_ms) &&
        asked_ms > delay_ms)
        delay_ms = asked_ms;
    if (fetch->attempt >= RETRY_MAX_ATTEMPTS ||
        fetch_now_ms(fetch) + delay_ms >= fetch->deadline_at_ms) {
        fetch_finish(fetch, err);
        return;
    }
    metric_add(fetch->client->retries, 1);
    fetch->is_fresh = false;
    fetch_start_over(fetch);
    uv_timer_start(&fetch->timer, on_pause_over, delay_ms, 0);
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
        fetch_fail(fetch, ERROR_FAILED_PRECONDITION, "registry %s redirected over %u times for %s",
                   fetch->request.base_url, MAX_REDIRECTS, fetch->request.what);
        return;
    }
    if (!origin_parse(slice_of(url), &origin, &err) ||
        !origin_check_security(&origin, &fetch->client->insecure, &err)) {
        fetch_fail(fetch, ERROR_FAILED_PRECONDITION, "registry %s redirected for %s: %s",
                   fetch->request.base_url, fetch->request.what, err.message);
        return;
    }
    fetch->url = url;
    fetch->is_home = origin_equal(&origin, &fetch->home);
    fetch_send(fetch);
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
        fetch_read_challenges(fetch, &err);
    fetch->content_type = answer_printable(http_header(transfer, "Content-Type", 0),
                                           FETCH_MAX_WHY_BYTES, fetch->arena);
    fetch->digest_header = answer_printable(http_header(transfer, "Docker-Content-Digest", 0),
                                            2 * FETCH_MAX_WHY_BYTES, fetch->arena);
    fetch->transfer = NULL;
    if (is_success(status)) {
        fetch_finish(fetch, NULL);
    } else if (status == 401) {
        fetch_unauthorized(fetch, &err);
    } else if (is_redirect(status) && location[0]) {
        follow(fetch, location);
    } else {
        describe_status(fetch, status, &err);
        if (retry_is_worth(status))
            fetch_try_again(fetch, retry_after, &err);
        else
            fetch_finish(fetch, &err);
    }
}

static void on_broken(struct fetch *fetch, enum http_outcome outcome, const char *why)
{
    bool was_reached = http_status(fetch->transfer) != 0;
    struct error err;
    fetch->transfer = NULL;
    error_set(&err, ERROR_UNAVAILABLE, "registry %s %s for %s: %s", fetch->request.base_url,
              was_reached ? "broke off its answer" : "could not be reached", fetch->request.what,
              answer_printable(slice_of(why), FETCH_MAX_WHY_BYTES, fetch->arena));
    if (outcome == HTTP_BROKEN)
        fetch_try_again(fetch, SLICE(""), &err);
    else
        fetch_finish(fetch, &err);
}

static void on_done(void *user, enum http_outcome outcome, const char *why)
{
    struct fetch *fetch = user;
    if (outcome == HTTP_REFUSED_BY_READER && fetch->has_failed) {
        fetch->transfer = NULL;
        fetch_finish(fetch, &fetch->failure);
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

void fetch_send(struct fetch *fetch)
{
    const char *headers[3];
    struct origin origin = { 0 };
    struct error ignored;
    const struct grant *grant = fetch->is_home
                                    ? grants_find(fetch->client->grants, fetch->request.base_url,
                                                  fetch->request.repository, fetch_now_ms(fetch))
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
    fetch->deadline_at_ms = fetch_now_ms(fetch) + request->deadline_ms;
    arm_deadline(fetch);
    fetch_start_over(fetch);
    fetch_send(fetch);
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
