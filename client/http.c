#include "client/http.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/curl_library.h"

#include <ctype.h>

#define CONNECT_TIMEOUT_MS 5000L
#define USER_AGENT         "eos/" EOS_VERSION

struct http {
    const struct curl_library *curl;
    CURL *handle;
    char *base_url, *token, *ca_file;
    bool is_loopback;
};

/* A proxy of the environment cannot reach what only this machine can. */
static bool is_loopback(struct slice url)
{
    static const char *const hosts[] = { "127.", "localhost", "[::1]" };
    slice_split(&url, '/');
    slice_split(&url, '/');
    for (size_t i = 0; url.ptr && i < sizeof hosts / sizeof hosts[0]; i++)
        if (slice_starts_with(url, slice_of(hosts[i])))
            return true;
    return false;
}

static char *without_slash(const char *url)
{
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    return xmemdup0(url, len);
}

struct http *http_open(const struct http_options *options, struct error *err)
{
    struct slice url = slice_of(options->base_url);
    if (!slice_starts_with(url, SLICE("http://")) && !slice_starts_with(url, SLICE("https://"))) {
        error_set(err, ERROR_INVALID_ARGUMENT,
                  "the address of a gateway must begin with http:// or https://, got \"%.80s\"",
                  options->base_url);
        return NULL;
    }
    const struct curl_library *curl = curl_library_load(err);
    if (!curl)
        return NULL;
    struct http *http = xcalloc(1, sizeof *http);
    http->curl = curl;
    http->handle = curl->easy_init();
    http->base_url = without_slash(options->base_url);
    http->token = options->token ? xstrdup(options->token) : NULL;
    http->ca_file = options->ca_file ? xstrdup(options->ca_file) : NULL;
    http->is_loopback = is_loopback(url);
    return http;
}

void http_close(struct http *http)
{
    if (!http)
        return;
    http->curl->easy_cleanup(http->handle);
    free(http->base_url);
    if (http->token)
        explicit_bzero(http->token, strlen(http->token));
    free(http->token);
    free(http->ca_file);
    free(http);
}

const char *http_base_url(const struct http *http)
{
    return http->base_url;
}

void http_response_done(struct http_response *response)
{
    text_done(&response->content_type);
    text_done(&response->body);
}

/* -- one transfer --------------------------------------------------------------------------------- */

struct transfer {
    struct http *http;
    const struct http_request *request;
    struct http_response *response;
    bool is_too_long, was_ended;
};

static long status_of(struct transfer *transfer)
{
    long status = 0;
    transfer->http->curl->easy_getinfo(transfer->http->handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    struct slice part = { bytes, size * count };
    bool is_error = status_of(transfer) >= 300;
    if (transfer->request->on_data && !is_error) {
        transfer->was_ended = !transfer->request->on_data(transfer->request->user, part);
        return transfer->was_ended ? 0 : part.len;
    }
    transfer->is_too_long = part.len > HTTP_MAX_RESPONSE_BYTES - transfer->response->body.len;
    if (transfer->is_too_long)
        return 0;
    text_add_slice(&transfer->response->body, part);
    return part.len;
}

static struct curl_slist *headers(struct transfer *transfer)
{
    const struct curl_library *curl = transfer->http->curl;
    const struct http_request *request = transfer->request;
    cleanup_text struct text line = TEXT_INIT;
    struct curl_slist *list = NULL;

    text_printf(&line, "Accept: %s", request->accept ? request->accept : "application/json");
    list = curl->slist_append(list, text_string(&line));
    list = curl->slist_append(list, "Expect:"); /* one round trip less for large bodies */
    if (request->body.ptr)
        list = curl->slist_append(list, "Content-Type: application/json");
    if (transfer->http->token) {
        text_clear(&line);
        text_printf(&line, "Authorization: Bearer %s", transfer->http->token);
        list = curl->slist_append(list, text_string(&line));
        explicit_bzero(line.ptr, line.len);
    }
    if (request->last_event_id) {
        text_clear(&line);
        text_printf(&line, "Last-Event-ID: %s", request->last_event_id);
        list = curl->slist_append(list, text_string(&line));
    }
    return list;
}

static void set_body(struct transfer *transfer)
{
    const struct curl_library *curl = transfer->http->curl;
    CURL *handle = transfer->http->handle;
    struct slice body = transfer->request->body;
    if (strcmp(transfer->request->method, "POST") != 0)
        return;
    curl->easy_setopt(handle, CURLOPT_POST, 1L);
    curl->easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl->easy_setopt(handle, CURLOPT_POSTFIELDS, body.ptr ? body.ptr : "");
}

static void set_limits(struct transfer *transfer)
{
    const struct curl_library *curl = transfer->http->curl;
    CURL *handle = transfer->http->handle;
    const struct http_request *request = transfer->request;
    curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl->easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    if (request->silence_ms > 0) {
        curl->easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl->easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)(request->silence_ms + 999) / 1000);
    }
    curl->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
}

static void set_peer(struct transfer *transfer, const char *url)
{
    const struct curl_library *curl = transfer->http->curl;
    CURL *handle = transfer->http->handle;
    curl->easy_setopt(handle, CURLOPT_URL, url);
    curl->easy_setopt(handle, CURLOPT_USERAGENT, USER_AGENT);
    if (transfer->http->ca_file)
        curl->easy_setopt(handle, CURLOPT_CAINFO, transfer->http->ca_file);
    if (transfer->http->is_loopback)
        curl->easy_setopt(handle, CURLOPT_PROXY, "");
}

/* For a refused connection libcurl has no words, but the system's error. */
static const char *reason(const struct transfer *transfer, CURLcode code, const char *words)
{
    long errnum = 0;
    transfer->http->curl->easy_getinfo(transfer->http->handle, CURLINFO_OS_ERRNO, &errnum);
    if (code == CURLE_COULDNT_CONNECT && errnum > 0)
        return strerror((int)errnum);
    return words[0] ? words : transfer->http->curl->easy_strerror(code);
}

static bool judge(const struct transfer *transfer, CURLcode code, const char *words,
                  struct error *err)
{
    const char *url = transfer->http->base_url;
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && transfer->was_ended))
        return true;
    if (transfer->is_too_long)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the gateway's answer is over %u MB",
                         HTTP_MAX_RESPONSE_BYTES >> 20);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, ERROR_DEADLINE_EXCEEDED,
                         "the gateway at %.80s did not answer in time", url);
    return error_set(err, ERROR_UNAVAILABLE, "could not reach the gateway at %.80s: %s", url,
                     reason(transfer, code, words));
}

bool http_perform(struct http *http, const struct http_request *request,
                  struct http_response *ret_response, struct error *err)
{
    const struct curl_library *curl = http->curl;
    struct transfer transfer = { .http = http, .request = request, .response = ret_response };
    char words[CURL_ERROR_SIZE] = "";
    cleanup_free char *url = xasprintf("%s%s", http->base_url, request->path);

    *ret_response = (struct http_response){ 0 };
    curl->easy_reset(http->handle);
    set_peer(&transfer, url);
    set_limits(&transfer);
    set_body(&transfer);
    struct curl_slist *list = headers(&transfer);
    curl->easy_setopt(http->handle, CURLOPT_HTTPHEADER, list);
    curl->easy_setopt(http->handle, CURLOPT_ERRORBUFFER, words);
    curl->easy_setopt(http->handle, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(http->handle, CURLOPT_WRITEDATA, &transfer);
    CURLcode code = curl->easy_perform(http->handle);
    curl->easy_setopt(http->handle, CURLOPT_ERRORBUFFER, NULL);
    curl->slist_free_all(list);
    if (!judge(&transfer, code, words, err)) {
        http_response_done(ret_response);
        ret_response->may_retry = code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING ||
                                  code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
        return false;
    }
    const char *type = NULL;
    curl->easy_getinfo(http->handle, CURLINFO_CONTENT_TYPE, &type);
    text_add(&ret_response->content_type, type ? type : "");
    ret_response->status = status_of(&transfer);
    return true;
}

void http_add_escaped(struct text *out, const char *value)
{
    for (const char *c = value; *c; c++)
        if (isalnum((unsigned char)*c) || strchr("-._~", *c))
            text_add_char(out, *c);
        else
            text_printf(out, "%%%02X", (unsigned)(unsigned char)*c);
}
