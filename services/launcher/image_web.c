#include "launcher/image_web.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "registry/answer.h"
#include "registry/certificates.h"
#include "registry/credentials.h"
#include "registry/endpoint.h"
#include "registry/files.h"
#include "registry/retry.h"

#include <assert.h>
#include <curl/curl.h>
#include <stddef.h>
#include <time.h>
#include <uv.h>

#define CONNECT_TIMEOUT_S 10l
#define STALL_TIMEOUT_S   30l
#define MAX_REDIRECTS     5u
#define CANCEL_CHECK_MS   250 /* how long a cancelled transfer may go on */
#define MAX_WHY_BYTES     100u
#define MAX_SHOWN_BYTES   160u
#define MAX_VALIDATOR     200u

struct image_web {
    struct insecure_hosts insecure;
    struct credentials *credentials;
    struct certificates *certificates;
};

struct image_web_answer {
    struct image_source source;
    const struct image_web *web;
    struct arena *arena;
    const char *url, *shown; /* that was asked for; and as messages name it */
    const char *known;
    int64_t max_bytes;
    const atomic_bool *cancelled;
    atomic_bool is_stopped;

    CURLM *multi;
    CURL *easy; /* of the request under way */
    struct curl_slist *headers;
    const char *at; /* its URL */
    unsigned hops, attempt, max_attempts;
    char curl_error[CURL_ERROR_SIZE];
    CURLcode result;
    bool has_ended;

    unsigned status; /* of the answer whose body is read */
    const char *validator;
    struct text received;
    int64_t taken; /* of the body, by whoever reads */
    int64_t skip;  /* of this answer, since it was taken already */
};

static bool read_certificates(struct image_web *web, const char *directory, struct error *err)
{
    web->certificates = directory ? certificates_read(directory, err) : NULL;
    return !directory || web->certificates;
}

struct image_web *image_web_new(const struct image_web_options *options, struct error *err)
{
    struct image_web *web = xcalloc(1, sizeof *web);
    web->insecure =
        (struct insecure_hosts){ options->insecure_hosts, options->insecure_host_count };
    web->credentials = credentials_new();
    if (credentials_read(web->credentials, NULL, options->netrc, err) &&
        read_certificates(web, options->certs_dir, err))
        return web;
    image_web_free(web);
    return NULL;
}

void image_web_free(struct image_web *web)
{
    if (!web)
        return;
    credentials_free(web->credentials);
    certificates_free(web->certificates);
    free(web);
}

bool image_web_permits_plain(const struct image_web *web, const char *url)
{
    struct origin origin;
    struct error ignored;
    return origin_parse(slice_of(url), &origin, &ignored) &&
           origin_check_security(&origin, &web->insecure, &ignored);
}

/* -- one request ---------------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct image_web_answer *answer = user;
    long status = 0;
    size_t len = size * count;
    curl_easy_getinfo(answer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 && status != 206)
        return 0; /* nobody reads what else a server says */
    text_add_bytes(&answer->received, bytes, len);
    return len;
}

static void add_header(struct image_web_answer *answer, const char *header)
{
    answer->headers = curl_slist_append(answer->headers, header);
    assert(answer->headers);
}

static void add_headers(struct image_web_answer *answer)
{
    if (*answer->known && answer->taken == 0)
        add_header(answer, arena_printf(answer->arena, "If-None-Match: %s", answer->known));
    if (answer->taken > 0) {
        add_header(answer,
                   arena_printf(answer->arena, "Range: bytes=%lld-", (long long)answer->taken));
        add_header(answer, arena_printf(answer->arena, "If-Range: %s", answer->validator));
    }
}

static void set_credentials(struct image_web_answer *answer, const struct origin *origin)
{
    const struct credential *credential =
        credentials_find(answer->web->credentials, origin->authority);
    if (!credential)
        return;
    curl_easy_setopt(answer->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(answer->easy, CURLOPT_USERNAME, credential->user);
    curl_easy_setopt(answer->easy, CURLOPT_PASSWORD, credential->password);
}

static void set_blob(CURL *easy, CURLoption option, struct slice pem)
{
    struct curl_blob blob = { (char *)pem.ptr, pem.len, CURL_BLOB_COPY };
    if (pem.len > 0)
        curl_easy_setopt(easy, option, &blob);
}

/* Besides the authorities that the system knows: those are curl's own CAPATH. */
static void set_certificates(struct image_web_answer *answer, const struct origin *origin)
{
    const struct certificates *all = answer->web->certificates;
    const struct certificate_set *set = all ? certificates_find(all, origin->authority) : NULL;
    if (!set)
        return;
    set_blob(answer->easy, CURLOPT_CAINFO_BLOB, set->authorities);
    set_blob(answer->easy, CURLOPT_SSLCERT_BLOB, set->client_certificate);
    set_blob(answer->easy, CURLOPT_SSLKEY_BLOB, set->client_key);
}

static void set_options(struct image_web_answer *answer, const struct origin *origin)
{
    CURL *easy = answer->easy;
    curl_easy_setopt(easy, CURLOPT_URL, answer->at);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1l);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1l);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1l);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "eos");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, answer->curl_error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, answer->headers);
    if (origin_is_loopback(origin))
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    set_credentials(answer, origin);
    set_certificates(answer, origin);
}

static void end_request(struct image_web_answer *answer)
{
    if (answer->easy) {
        curl_multi_remove_handle(answer->multi, answer->easy);
        curl_easy_cleanup(answer->easy);
    }
    curl_slist_free_all(answer->headers);
    answer->easy = NULL;
    answer->headers = NULL;
}

static bool begin_request(struct image_web_answer *answer, struct error *err)
{
    struct origin origin;
    end_request(answer);
    if (!origin_parse(slice_of(answer->at), &origin, err) ||
        !origin_check_security(&origin, &answer->web->insecure, err))
        return error_prefix(err, "%s", answer->shown);
    answer->easy = curl_easy_init();
    if (!answer->easy)
        abort();
    answer->has_ended = false;
    answer->curl_error[0] = 0;
    text_clear(&answer->received);
    add_headers(answer);
    set_options(answer, &origin);
    CURLMcode code = curl_multi_add_handle(answer->multi, answer->easy);
    return code == CURLM_OK ||
           error_set(err, ERROR_INTERNAL, "could not download: %s", curl_multi_strerror(code));
}

static void note_end(struct image_web_answer *answer)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(answer->multi, &left));)
        if (message->msg == CURLMSG_DONE) {
            answer->has_ended = true;
            answer->result = message->data.result;
        }
}

static bool check_cancelled(const struct image_web_answer *answer, struct error *err)
{
    return !(atomic_load(answer->cancelled) || atomic_load(&answer->is_stopped)) ||
           error_set(err, ERROR_CANCELLED, "nobody waits for it any more");
}

/* Until there are bytes of a body that is wanted, or the end. */
static bool wait_for_bytes(struct image_web_answer *answer, struct error *err)
{
    int running;
    while (answer->received.len == 0 && !answer->has_ended) {
        if (!check_cancelled(answer, err))
            return false;
        CURLMcode code = curl_multi_perform(answer->multi, &running);
        note_end(answer);
        if (code == CURLM_OK && answer->received.len == 0 && !answer->has_ended)
            code = curl_multi_poll(answer->multi, NULL, 0, CANCEL_CHECK_MS, NULL);
        if (code != CURLM_OK)
            return error_set(err, ERROR_INTERNAL, "could not download: %s",
                             curl_multi_strerror(code));
    }
    return true;
}

/* -- answers -------------------------------------------------------------------------------------- */

static struct slice header_of(const struct image_web_answer *answer, const char *name)
{
    struct curl_header *header;
    if (curl_easy_header(answer->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return SLICE("");
    return slice_of(header->value);
}

/* A weak one may stand for other bytes that mean the same. */
static const char *read_validator(const struct image_web_answer *answer)
{
    struct slice tag = header_of(answer, "ETag");
    if (tag.len < 2 || tag.len > MAX_VALIDATOR || tag.ptr[0] != '"' || tag.ptr[tag.len - 1] != '"')
        return "";
    for (size_t i = 0; i < tag.len; i++)
        if (tag.ptr[i] < '!' || tag.ptr[i] > '~')
            return "";
    return arena_memdup0(answer->arena, tag.ptr, tag.len);
}

static bool wait_a_while(struct image_web_answer *answer, uint32_t delay_ms, struct error *err)
{
    for (uint32_t waited = 0; waited < delay_ms; waited += CANCEL_CHECK_MS) {
        uint32_t left = delay_ms - waited;
        if (!check_cancelled(answer, err))
            return false;
        curl_multi_poll(answer->multi, NULL, 0,
                        (int)(left < CANCEL_CHECK_MS ? left : CANCEL_CHECK_MS), NULL);
    }
    return true;
}

/* False with `why` when it was tried often enough. */
static bool try_again(struct image_web_answer *answer, const struct error *why, struct error *err)
{
    uint32_t random = 0, asked_ms = 0, delay_ms;
    if (++answer->attempt >= answer->max_attempts) {
        *err = *why;
        return false;
    }
    (void)uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    delay_ms = retry_delay_ms(answer->attempt, random);
    if (retry_after_parse(header_of(answer, "Retry-After"), (int64_t)time(NULL) * 1000,
                          &asked_ms) &&
        asked_ms > delay_ms)
        delay_ms = asked_ms;
    answer->at = answer->url;
    answer->hops = 0;
    return wait_a_while(answer, delay_ms, err) && begin_request(answer, err);
}

static const CURLcode hopeless[] = {
    CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
    CURLE_SSL_CERTPROBLEM,          CURLE_URL_MALFORMAT,
    CURLE_COULDNT_RESOLVE_HOST,
};

static bool is_hopeless(CURLcode code)
{
    for (size_t i = 0; i < sizeof hopeless / sizeof hopeless[0]; i++)
        if (hopeless[i] == code)
            return true;
    return false;
}

static bool handle_break(struct image_web_answer *answer, struct error *err)
{
    struct error why;
    const char *said =
        *answer->curl_error ? answer->curl_error : curl_easy_strerror(answer->result);
    error_set(&why, ERROR_UNAVAILABLE, "%s: %s", answer->shown,
              answer_printable(slice_of(said), MAX_WHY_BYTES, answer->arena));
    if (is_hopeless(answer->result)) {
        *err = why;
        return false;
    }
    return try_again(answer, &why, err);
}

static bool follow(struct image_web_answer *answer, struct error *err)
{
    char *location = NULL;
    curl_easy_getinfo(answer->easy, CURLINFO_REDIRECT_URL, &location);
    if (++answer->hops > MAX_REDIRECTS || !location)
        return error_set(err, ERROR_FAILED_PRECONDITION, "%s: it redirects %s", answer->shown,
                         location ? "too often" : "to nowhere");
    struct origin origin;
    struct error ignored;
    if (!origin_parse(slice_of(location), &origin, &ignored))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "%s: it redirects to what is no http or https URL", answer->shown);
    bool was_safe = strncmp(answer->at, "https:", 6) == 0;
    answer->at = arena_strdup(answer->arena, location);
    if (was_safe && strncmp(answer->at, "https:", 6) != 0)
        return error_set(err, ERROR_FAILED_PRECONDITION, "%s: it redirects from https to http",
                         answer->shown);
    return begin_request(answer, err);
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool handle_overload(struct image_web_answer *answer, long status, struct error *err)
{
    struct error why;
    error_set(&why, ERROR_UNAVAILABLE, "%s: the server answered with HTTP status %ld",
              answer->shown, status);
    return try_again(answer, &why, err);
}

/* Until an answer has begun that is the caller's to look at. */
static bool await_answer(struct image_web_answer *answer, struct error *err)
{
    for (;;) {
        long status = 0;
        if (!wait_for_bytes(answer, err))
            return false;
        curl_easy_getinfo(answer->easy, CURLINFO_RESPONSE_CODE, &status);
        bool is_broken = answer->has_ended && answer->received.len == 0 &&
                         answer->result != CURLE_OK && answer->result != CURLE_WRITE_ERROR;
        bool ok = true;
        if (is_broken)
            ok = handle_break(answer, err);
        else if (is_redirect(status))
            ok = follow(answer, err);
        else if (retry_is_worth((unsigned)status) || status >= 500)
            ok = handle_overload(answer, status, err);
        else {
            answer->status = (unsigned)status;
            return true;
        }
        if (!ok)
            return false;
    }
}

/* -- the body ------------------------------------------------------------------------------------- */

static bool is_continued(const struct image_web_answer *answer)
{
    uint64_t first;
    struct slice range = header_of(answer, "Content-Range");
    slice_split(&range, ' ');
    return range.ptr && slice_to_u64(slice_split(&range, '-'), UINT64_MAX, &first) &&
           first == (uint64_t)answer->taken;
}

/* Another try at what was broken off: the rest of the same content, or all of it again. */
static bool take_up(struct image_web_answer *answer, struct error *err)
{
    struct error why;
    error_set(&why, ERROR_UNAVAILABLE, "%s: the connection broke after %lld bytes", answer->shown,
              (long long)answer->taken);
    if (!*answer->validator && answer->taken > 0) {
        *err = why;
        return false;
    }
    if (!try_again(answer, &why, err) || !await_answer(answer, err))
        return false;
    answer->skip = answer->status == 200 ? answer->taken : 0;
    bool is_same = strcmp(read_validator(answer), answer->validator) == 0;
    if ((answer->status == 206 && is_continued(answer)) || (answer->status == 200 && is_same))
        return true;
    return error_set(err, ERROR_DATA_LOSS, "%s: it changed while it was downloaded", answer->shown);
}

static void skip_known(struct image_web_answer *answer)
{
    size_t len = answer->received.len;
    if ((uint64_t)answer->skip < len)
        len = (size_t)answer->skip;
    answer->skip -= (int64_t)len;
    answer->received.len -= len;
    if (len > 0 && answer->received.len > 0)
        memmove(answer->received.ptr, answer->received.ptr + len, answer->received.len);
}

static bool read_more(struct image_web_answer *answer, struct error *err)
{
    for (;;) {
        skip_known(answer);
        if (answer->received.len > 0)
            break;
        if (!answer->has_ended) {
            if (!wait_for_bytes(answer, err))
                return false;
        } else if (answer->result != CURLE_OK) {
            if (!take_up(answer, err))
                return false;
        } else {
            return answer->skip == 0 ||
                   error_set(err, ERROR_DATA_LOSS, "%s: it changed while it was downloaded",
                             answer->shown);
        }
    }
    answer->attempt = 0;
    return true;
}

static struct image_web_answer *answer_of(struct image_source *source)
{
    return (struct image_web_answer *)((char *)source - offsetof(struct image_web_answer, source));
}

static bool read_body(struct image_source *source, const char **ret_bytes, size_t *ret_len,
                      struct error *err)
{
    struct image_web_answer *answer = answer_of(source);
    if (answer->taken > 0)
        text_clear(&answer->received);
    if (!read_more(answer, err))
        return false;
    answer->taken += (int64_t)answer->received.len;
    if (answer->taken > answer->max_bytes)
        return error_set(err, ERROR_OUT_OF_RANGE, "%s: it is over %lld bytes", answer->shown,
                         (long long)answer->max_bytes);
    *ret_bytes = text_string(&answer->received);
    *ret_len = answer->received.len;
    return true;
}

/* Noticed within CANCEL_CHECK_MS. */
static void stop_body(struct image_source *source)
{
    atomic_store(&answer_of(source)->is_stopped, true);
}

/* -- the interface -------------------------------------------------------------------------------- */

struct image_web_answer *image_web_get(const struct image_web *web,
                                       const struct image_web_request *request, struct error *err)
{
    struct image_web_answer *answer = xcalloc(1, sizeof *answer);
    answer->source = (struct image_source){ read_body, stop_body };
    answer->web = web;
    answer->arena = arena_new();
    answer->url = answer->at = arena_strdup(answer->arena, request->url);
    answer->shown = answer_printable(slice_of(request->url), MAX_SHOWN_BYTES, answer->arena);
    answer->known = arena_strdup(answer->arena, request->known);
    answer->max_bytes = request->max_bytes;
    answer->cancelled = request->cancelled;
    answer->max_attempts = request->is_tried_once ? 1 : RETRY_MIN_ATTEMPTS;
    answer->validator = "";
    answer->multi = curl_multi_init();
    if (!answer->multi)
        abort();
    if (!begin_request(answer, err) || !await_answer(answer, err)) {
        image_web_close(answer);
        return NULL;
    }
    answer->validator = read_validator(answer);
    answer->attempt = 0;
    return answer;
}

void image_web_close(struct image_web_answer *answer)
{
    if (!answer)
        return;
    end_request(answer);
    curl_multi_cleanup(answer->multi);
    text_done(&answer->received);
    arena_free(answer->arena);
    free(answer);
}

unsigned image_web_status(const struct image_web_answer *answer)
{
    return answer->status;
}

bool image_web_refuse(const struct image_web_answer *answer, struct error *err)
{
    static const struct {
        unsigned status;
        enum error_code code;
    } codes[] = {
        { 401, ERROR_UNAUTHENTICATED },
        { 403, ERROR_PERMISSION_DENIED },
        { 404, ERROR_NOT_FOUND },
        { 410, ERROR_NOT_FOUND },
    };
    enum error_code code = ERROR_FAILED_PRECONDITION;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].status == answer->status)
            code = codes[i].code;
    return error_set(err, code, "%s: the server answered with HTTP status %u", answer->shown,
                     answer->status);
}

const char *image_web_validator(const struct image_web_answer *answer)
{
    return answer->validator;
}

struct image_source *image_web_source(struct image_web_answer *answer)
{
    return &answer->source;
}
