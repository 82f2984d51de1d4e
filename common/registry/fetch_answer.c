#include "registry/fetch_state.h"

#include "registry/answer.h"
#include "registry/retry.h"

/* What an answer of a registry means for a fetch, and where its bytes go. */

#define MAX_REDIRECTS 5u

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
    { 405, ERROR_UNIMPLEMENTED, "does not know the request for" },
    { 429, ERROR_RESOURCE_EXHAUSTED, "has had too many requests to give" },
    { 501, ERROR_UNIMPLEMENTED, "does not know the request for" },
    { 500, ERROR_UNAVAILABLE, "did not give" }, /* and all above */
    { 0, ERROR_FAILED_PRECONDITION, "did not give" },
};

static void describe_status(struct fetch *fetch, unsigned status, struct error *err)
{
    const struct refusal *refusal = refusals;
    while (refusal->status && refusal->status != status &&
           !(refusal->status == 500 && status > 500))
        refusal++;
    const char *said = answer_error(text_slice(&fetch->body), fetch->arena);
    error_set(err, refusal->code, "registry %s %s %s: it answered %u%s%s%s",
              fetch->request.base_url, refusal->verb, fetch->request.what, status,
              said[0] ? " (" : "", said, said[0] ? ")" : "");
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
    bool is_foreign = fetch->request.foreign_url != NULL;
    bool ok = origin_parse(slice_of(url), &origin, &err) &&
              (is_foreign ? fetch_check_foreign(fetch->client, url, &fetch->home, &err)
                          : origin_check_security(&origin, &fetch->client->insecure, &err));
    if (!ok) {
        fetch_fail(fetch, ERROR_FAILED_PRECONDITION, "registry %s redirected for %s: %s",
                   fetch->request.base_url, fetch->request.what, err.message);
        return;
    }
    fetch->url = url;
    fetch->is_home = !is_foreign && origin_equal(&origin, &fetch->home);
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

/* All that was wanted had come before the connection broke, and nothing is behind it. */
static bool is_past_end(const struct fetch *fetch, unsigned status)
{
    return status == 416 && fetch->received > 0;
}

static void on_refusal(struct fetch *fetch, unsigned status, struct slice retry_after,
                       bool is_of_registry)
{
    struct error err = { 0 };
    describe_status(fetch, status, &err);
    if (retry_is_worth(status))
        fetch_try_again(fetch, retry_after, &err);
    else if (status == 403 && fetch->is_home)
        fetch_finish_unless_reread(fetch, &err);
    else if (is_of_registry || fetch->is_probed || fetch->request.is_head)
        fetch_finish(fetch, &err);
    else
        fetch_probe(fetch, &err);
}

/* A registry says so in a header, or by the form of its errors; and whatever another host answers
 * says nothing of the registry. */
static bool is_registry_answer(struct fetch *fetch)
{
    return !fetch->is_home ||
           http_header(fetch->transfer, "Docker-Distribution-Api-Version", 0).len > 0 ||
           answer_error(text_slice(&fetch->body), fetch->arena)[0];
}

/* What is needed of the headers is read before anything else happens: they go with the transfer. */
static void on_answer(struct fetch *fetch)
{
    struct http_transfer *transfer = fetch->transfer;
    struct error err = { 0 };
    unsigned status = http_status(transfer);
    struct slice retry_after = http_header(transfer, "Retry-After", 0);
    const char *location = arena_strdup(fetch->arena, http_redirect_url(transfer));
    bool is_of_registry = is_registry_answer(fetch);

    metric_add(fetch->client->answers, 1);
    if (status == 401)
        fetch_read_challenges(fetch, &err);
    fetch->content_type = answer_printable(http_header(transfer, "Content-Type", 0),
                                           FETCH_MAX_WHY_BYTES, fetch->arena);
    fetch->digest_header = answer_printable(http_header(transfer, "Docker-Content-Digest", 0),
                                            2 * FETCH_MAX_WHY_BYTES, fetch->arena);
    fetch->transfer = NULL;
    if (is_success(status) || is_past_end(fetch, status))
        fetch_finish(fetch, NULL);
    else if (status == 401)
        fetch_unauthorized(fetch, &err);
    else if (is_redirect(status) && location[0])
        follow(fetch, location);
    else
        on_refusal(fetch, status, retry_after, is_of_registry);
}

static const char *host_of(struct fetch *fetch)
{
    struct origin origin;
    struct error ignored;
    return origin_parse(slice_of(fetch->url), &origin, &ignored)
               ? arena_printf(fetch->arena, "%.*s", SLICE_ARG(origin.authority))
               : "";
}

/* What OpenSSL says of a chain that ends with nobody whom we trust. */
static const char *advice(struct fetch *fetch, enum http_outcome outcome, const char *why)
{
    bool is_unknown =
        strstr(why, "self-signed") || strstr(why, "self signed") || strstr(why, "unable to get");
    if (outcome != HTTP_DISTRUSTED || !is_unknown)
        return "";
    return arena_printf(fetch->arena, " (its authority belongs into %s/%s/ca.crt)",
                        fetch->client->paths.certs_dir, host_of(fetch));
}

/* Somebody else than the registry may be the one who is in trouble. */
void fetch_describe_break(struct fetch *fetch, enum http_outcome outcome, const char *why,
                          struct error *ret_err)
{
    static const char prefix[] =
        "SSL certificate problem: "; /* takes the room of what is to be done */
    if (strncmp(why, prefix, sizeof prefix - 1) == 0)
        why += sizeof prefix - 1;
    bool was_reached = http_status(fetch->transfer) != 0;
    error_set(ret_err, ERROR_UNAVAILABLE, "registry %s%s%s %s for %s: %s%s",
              fetch->request.base_url, fetch->is_home ? "" : " redirected to ",
              fetch->is_home ? "" : host_of(fetch),
              was_reached ? "broke off its answer" : "could not be reached", fetch->request.what,
              answer_printable(slice_of(why), FETCH_MAX_WHY_BYTES, fetch->arena),
              advice(fetch, outcome, why));
}

static void on_broken(struct fetch *fetch, enum http_outcome outcome, const char *why)
{
    struct error err;
    fetch_describe_break(fetch, outcome, why, &err);
    fetch->transfer = NULL;
    if (outcome == HTTP_BROKEN)
        fetch_try_again(fetch, SLICE(""), &err);
    else if (outcome == HTTP_DISTRUSTED)
        fetch_finish_unless_reread(fetch, &err);
    else
        fetch_finish(fetch, &err);
}

void fetch_on_done(void *user, enum http_outcome outcome, const char *why)
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
    if (fetch->request.on_data(fetch->request.user, bytes + known, len - known, &fetch->failure))
        return true;
    fetch->was_stopped = true;
    return refuse(fetch);
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

bool fetch_on_refusal_data(void *user, const char *bytes, size_t len)
{
    struct fetch *fetch = user;
    if (fetch->body.len + len > ANSWER_MAX_BYTES)
        return false;
    text_add_bytes(&fetch->body, bytes, len);
    return true;
}

/* The body of a refusal that is too long is simply not read to its end. */
bool fetch_on_data(void *user, const char *bytes, size_t len)
{
    struct fetch *fetch = user;
    metric_add(fetch->client->received_bytes, (double)len);
    if (!is_success(http_status(fetch->transfer)))
        return fetch_on_refusal_data(fetch, bytes, len);
    return fetch->request.collect_max > 0 ? collect(fetch, bytes, len) : stream(fetch, bytes, len);
}
