#include "registry/fetch_state.h"

#include "base/alloc.h"
#include "registry/retry.h"

#include <assert.h>
#include <time.h>

#define CONNECT_TIMEOUT_MS     10000u
#define MIN_CONNECT_TIMEOUT_MS 500u
#define STALL_TIMEOUT_MS       30000u
#define MIN_STALL_TIMEOUT_MS   1000u

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
    fetch_queue_leave(fetch);
    fetch_reread_leave(fetch);
    uv_close((uv_handle_t *)&fetch->timer, on_timer_closed);
}

/* Nobody who waits for the same authorization would fare better; but they may have more time, or want
 * something else that is there. */
static bool is_of_all(const struct error *err)
{
    return err->code != ERROR_DEADLINE_EXCEEDED && err->code != ERROR_NOT_FOUND;
}

void fetch_finish(struct fetch *fetch, const struct error *err)
{
    if (err && is_of_all(err) && fetch_queue_is_led_by(fetch)) {
        fetch_queue_refused(fetch, err);
        return;
    }
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

static void on_wake(uv_timer_t *timer)
{
    struct fetch *fetch = timer->data;
    arm_deadline(fetch);
    fetch_authorize(fetch);
}

void fetch_wake(struct fetch *fetch)
{
    uv_timer_start(&fetch->timer, on_wake, 0, 0);
}

/* From the registry's own URL: one that it redirected to may have expired. */
void fetch_start_over(struct fetch *fetch)
{
    const struct fetch_request *request = &fetch->request;
    fetch->url = request->foreign_url ? request->foreign_url
                                      : arena_printf(fetch->arena, "%s/v2/%s/%s", request->base_url,
                                                     request->repository, request->path);
    fetch->is_home = !request->foreign_url;
    fetch->hops = 0;
}

static uint32_t random_number(void)
{
    uint32_t number = 0;
    (void)uv_random(NULL, NULL, &number, sizeof number, 0, NULL);
    return number;
}

/* One that has a substitute gets a second chance; one that has none is waited for. */
static bool is_hopeless(const struct fetch *fetch, uint32_t delay_ms)
{
    uint64_t again_at_ms = fetch_now_ms(fetch) + delay_ms;
    if (again_at_ms >= fetch->deadline_at_ms)
        return true;
    if (fetch->request.patience == FETCH_HASTY)
        return fetch->attempt >= RETRY_HASTY_ATTEMPTS;
    return fetch->attempt >= RETRY_MIN_ATTEMPTS &&
           again_at_ms - fetch->trouble_since_ms > retry_patience_ms(fetch->request.deadline_ms);
}

void fetch_try_again(struct fetch *fetch, struct slice retry_after, const struct error *err)
{
    if (fetch->attempt++ == 0)
        fetch->trouble_since_ms = fetch_now_ms(fetch);
    uint32_t delay_ms = retry_delay_ms(fetch->attempt, random_number());
    uint32_t asked_ms;
    if (retry_after_parse(retry_after, (int64_t)time(NULL) * 1000, &asked_ms) &&
        asked_ms > delay_ms)
        delay_ms = asked_ms;
    if (is_hopeless(fetch, delay_ms)) {
        fetch_finish(fetch, err);
        return;
    }
    metric_add(fetch->client->retries, 1);
    fetch->is_fresh = false;
    fetch_start_over(fetch);
    uv_timer_start(&fetch->timer, on_pause_over, delay_ms, 0);
}

/* -- the request ---------------------------------------------------------------------------------- */

static uint32_t part_of(uint32_t whole, uint32_t divisor, uint32_t least, uint32_t most)
{
    uint32_t part = whole / divisor;
    return part < least ? least : part > most ? most : part;
}

/* A deadline leaves time for another try with a host that does not answer. */
struct http_request fetch_http_request(struct fetch *fetch, const char *url)
{
    uint32_t deadline_ms = fetch->request.deadline_ms;
    struct http_request request = {
        .url = url,
        .user = fetch,
        .connect_timeout_ms = part_of(deadline_ms, 3, MIN_CONNECT_TIMEOUT_MS, CONNECT_TIMEOUT_MS),
        .stall_timeout_ms = part_of(deadline_ms, 2, MIN_STALL_TIMEOUT_MS, STALL_TIMEOUT_MS),
    };
    struct origin origin;
    struct error ignored;
    if (origin_parse(slice_of(url), &origin, &ignored)) {
        request.is_direct = origin_is_loopback(&origin);
        request.certificates =
            certificates_find(fetch->client->files.certificates, origin.authority);
    }
    return request;
}

static const struct grant *known_grant(const struct fetch *fetch)
{
    return fetch->is_home ? grants_find(fetch->client->grants, fetch->request.base_url,
                                        fetch->request.repository, fetch_now_ms(fetch))
                          : NULL;
}

void fetch_send(struct fetch *fetch)
{
    const char *headers[3];
    const struct grant *grant = known_grant(fetch);
    struct http_request request = fetch_http_request(fetch, fetch->url);
    request.headers = headers;
    request.is_head = fetch->request.is_head;
    request.on_data = fetch_on_data;
    request.on_done = fetch_on_done;
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
    fetch->sent_grant = grant ? grant->serial : 0;
    fetch->is_answer_begun = false;
    fetch->skip = 0;
    text_clear(&fetch->body);
    fetch->transfer = http_start(fetch->client->http, &request);
    if (fetch->is_paused)
        http_pause(fetch->transfer);
}

bool fetch_check_foreign(struct registry_client *client, const char *url, const struct origin *home,
                         struct error *err)
{
    struct origin origin;
    if (!origin_parse(slice_of(url), &origin, err) ||
        !origin_check_security(&origin, &client->insecure, err))
        return false;
    return !origin_is_loopback(&origin) || origin_is_loopback(home) ||
           error_set(err, ERROR_FAILED_PRECONDITION,
                     "a layer's URL leads to this machine, which its registry is not on");
}

static bool check_request(struct registry_client *client, const struct fetch_request *request,
                          struct error *err)
{
    struct origin home;
    assert(request->deadline_ms > 0);
    if (origin_parse(slice_of(request->base_url), &home, err) &&
        (request->foreign_url ? fetch_check_foreign(client, request->foreign_url, &home, err)
                              : origin_check_security(&home, &client->insecure, err)))
        return true;
    return error_prefix(err, "registry");
}

static struct fetch *fetch_new(struct registry_client *client, const struct fetch_request *request)
{
    struct error err;
    struct fetch *fetch = xcalloc(1, sizeof *fetch);
    fetch->client = client;
    fetch->arena = arena_new();
    fetch->request = *request;
    fetch->request.base_url = arena_strdup(fetch->arena, request->base_url);
    fetch->request.repository = arena_strdup(fetch->arena, request->repository);
    fetch->request.path = arena_strdup(fetch->arena, request->path);
    fetch->request.what = arena_strdup(fetch->arena, request->what);
    if (request->foreign_url)
        fetch->request.foreign_url = arena_strdup(fetch->arena, request->foreign_url);
    if (!origin_parse(slice_of(fetch->request.base_url), &fetch->home, &err))
        abort(); /* it could a moment ago */
    fetch->content_type = fetch->digest_header = "";
    fetch->received = request->received;
    fetch->files_serial = client->files_serial;
    fetch->timer.data = fetch;
    return fetch;
}

struct fetch *fetch_start(struct registry_client *client, const struct fetch_request *request,
                          struct error *err)
{
    if (!check_request(client, request, err))
        return NULL;
    struct fetch *fetch = fetch_new(client, request);
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

bool fetch_was_stopped(const struct fetch *fetch)
{
    return fetch->was_stopped;
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
