#include "registry/http.h"

#include "base/alloc.h"
#include "base/text.h"
#include "io/uv_error.h"

#include <assert.h>
#include <curl/curl.h>

/* libcurl must not be called from within its own callbacks, but our users may do anything in theirs.
 * So starting, resuming and cancelling only queue a transfer, and the queue is worked off from a timer
 * of the loop (`errands`), where no function of curl's is on the stack. */

#define LOOK_SECONDS         86400l
#define BUFFER_BYTES         (64l * 1024)
#define CONNECTIONS_PER_HOST 16l
#define CONNECTIONS          64l

struct http_client {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timeout; /* curl's own */
    uv_timer_t errands;
    struct http_transfer *queue;
    size_t transfer_count;
    unsigned open_handles; /* two timers, and a poll for each socket */
    void (*on_closed)(void *user);
    void *closed_user;
};

struct http_socket {
    uv_poll_t poll;
    curl_socket_t fd;
    struct http_client *client;
};

struct http_transfer {
    struct http_client *client;
    struct http_request request; /* only what does not point to the caller's memory */
    CURL *easy;
    struct curl_slist *headers;
    struct http_transfer *next; /* in the queue */
    bool is_queued, is_added, is_cancelled;
    bool is_paused;       /* what the user wants */
    bool is_held;         /* what curl does */
    uint64_t moved_at_ms; /* when the last byte came; 0: there is no connection yet */
    curl_off_t moved;     /* bytes until then */
    bool has_stalled;
    char why[CURL_ERROR_SIZE];
};

/* -- the loop's side ------------------------------------------------------------------------------ */

static void on_handle_closed(struct http_client *client)
{
    if (--client->open_handles > 0)
        return;
    client->on_closed(client->closed_user);
    free(client);
}

static void on_timer_closed(uv_handle_t *timer)
{
    on_handle_closed(timer->data);
}

static void on_poll_closed(uv_handle_t *poll)
{
    struct http_socket *socket = poll->data;
    struct http_client *client = socket->client;
    free(socket);
    on_handle_closed(client);
}

static const struct {
    CURLcode code;
    enum http_outcome outcome;
} outcomes[] = {
    { CURLE_OK, HTTP_COMPLETE },
    { CURLE_WRITE_ERROR, HTTP_REFUSED_BY_READER },
    { CURLE_UNSUPPORTED_PROTOCOL, HTTP_HOPELESS },
    { CURLE_URL_MALFORMAT, HTTP_HOPELESS },
    { CURLE_PEER_FAILED_VERIFICATION, HTTP_DISTRUSTED },
    { CURLE_SSL_CACERT_BADFILE, HTTP_HOPELESS },
    { CURLE_SSL_CERTPROBLEM, HTTP_HOPELESS },
    { CURLE_SSL_CIPHER, HTTP_HOPELESS },
    { CURLE_OUT_OF_MEMORY, HTTP_HOPELESS },
};

/* What OpenSSL says when the peer's first bytes are those of plain HTTP. */
static bool lacks_tls(const char *why)
{
    return strstr(why, "wrong version number") != NULL;
}

static enum http_outcome outcome_of(CURLcode code, const char *why)
{
    if (code == CURLE_SSL_CONNECT_ERROR && lacks_tls(why))
        return HTTP_HOPELESS;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (outcomes[i].code == code)
            return outcomes[i].outcome;
    return HTTP_BROKEN;
}

static void transfer_free(struct http_transfer *transfer)
{
    struct http_client *client = transfer->client;
    assert(!transfer->is_queued);
    if (transfer->is_added)
        curl_multi_remove_handle(client->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    client->transfer_count--;
    free(transfer);
}

static void dequeue(struct http_transfer *transfer)
{
    struct http_transfer **at = &transfer->client->queue;
    while (transfer->is_queued && *at != transfer)
        at = &(*at)->next;
    if (transfer->is_queued)
        *at = transfer->next;
    transfer->is_queued = false;
}

/* The system's word where there is one: curl's own only says that it could not connect. */
static const char *reason_of(struct http_transfer *transfer, CURLcode code)
{
    long os_error = 0;
    if (code == CURLE_OK)
        return "";
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
    if (code == CURLE_COULDNT_CONNECT && os_error > 0)
        return uv_strerror(uv_translate_sys_error((int)os_error));
    if (transfer->has_stalled)
        return "nothing came any more";
    if (code == CURLE_SSL_CONNECT_ERROR && lacks_tls(transfer->why))
        return "it does not speak TLS";
    return transfer->why[0] ? transfer->why : curl_easy_strerror(code);
}

static void finish(struct http_transfer *transfer, CURLcode code)
{
    if (transfer->is_cancelled)
        return; /* it is in the queue, to be freed from there */
    const char *why = reason_of(transfer, code);
    transfer->is_cancelled = true; /* from here on cancelling it has no effect */
    enum http_outcome outcome = outcome_of(code, transfer->why);
    transfer->request.on_done(transfer->request.user, outcome, why);
    dequeue(transfer);
    transfer_free(transfer);
}

static void finish_all(struct http_client *client)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left))) {
        struct http_transfer *transfer;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        finish(transfer, message->data.result);
    }
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
    struct http_socket *socket = poll->data;
    struct http_client *client = socket->client;
    /* What the peer said before it broke off, such as why it does not take our certificate, is still there
     * to be read; curl would not look for it if it were told of the error. */
    int running, flags = status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : 0;

    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(client->multi, socket->fd, flags, &running);
    finish_all(client);
}

static void on_curl_timeout(uv_timer_t *timer)
{
    struct http_client *client = timer->data;
    int running;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_all(client);
}

/* -- curl's side ---------------------------------------------------------------------------------- */

static int set_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct http_client *client = user;
    (void)multi;
    if (timeout_ms < 0)
        uv_timer_stop(&client->timeout);
    else
        uv_timer_start(&client->timeout, on_curl_timeout, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct http_socket *socket_open(struct http_client *client, curl_socket_t fd)
{
    struct http_socket *socket = xcalloc(1, sizeof *socket);
    if (uv_poll_init_socket(client->loop, &socket->poll, fd) < 0) {
        free(socket);
        return NULL;
    }
    socket->poll.data = socket;
    socket->fd = fd;
    socket->client = client;
    client->open_handles++;
    return socket;
}

/* curl announces that it gives up a descriptor before it closes it. */
static void socket_close(struct http_socket *socket)
{
    curl_multi_assign(socket->client->multi, socket->fd, NULL);
    uv_poll_stop(&socket->poll);
    uv_close((uv_handle_t *)&socket->poll, on_poll_closed);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    struct http_client *client = user;
    struct http_socket *socket = known;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket)
            socket_close(socket);
        return 0;
    }
    if (!socket) {
        socket = socket_open(client, fd);
        if (!socket)
            return -1;
        curl_multi_assign(client->multi, fd, socket);
    }
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&socket->poll, events, on_socket_ready) < 0 ? -1 : 0;
}

static size_t take_data(char *bytes, size_t size, size_t count, void *user)
{
    struct http_transfer *transfer = user;
    if (transfer->is_cancelled)
        return 0;
    if (transfer->is_paused) {
        transfer->is_held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (!transfer->request.on_data(transfer->request.user, bytes, size * count))
        return 0;
    return size * count;
}

/* Called about once a second while there is a connection.  curl's own limit looks at the mean of five
 * seconds, which is long for a short deadline. */
static int watch_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                          curl_off_t up)
{
    struct http_transfer *transfer = user;
    uint64_t now_ms = uv_now(transfer->client->loop);
    (void)down_total, (void)up_total;
    if (transfer->moved_at_ms == 0 || transfer->is_paused || down + up != transfer->moved) {
        transfer->moved_at_ms = now_ms;
        transfer->moved = down + up;
    }
    transfer->has_stalled = now_ms - transfer->moved_at_ms >= transfer->request.stall_timeout_ms;
    return transfer->has_stalled;
}

/* -- the queue ------------------------------------------------------------------------------------ */

static void start(struct http_transfer *transfer)
{
    CURLMcode code = curl_multi_add_handle(transfer->client->multi, transfer->easy);
    transfer->is_added = code == CURLM_OK;
    if (!transfer->is_added)
        finish(transfer, CURLE_OUT_OF_MEMORY);
}

static void run_errand(struct http_transfer *transfer)
{
    if (transfer->is_cancelled) {
        transfer_free(transfer);
    } else if (!transfer->is_added) {
        start(transfer);
    } else if (transfer->is_held && !transfer->is_paused) {
        transfer->is_held = false;
        curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    }
}

static void run_errands(uv_timer_t *errands)
{
    struct http_client *client = errands->data;
    while (client->queue) {
        struct http_transfer *transfer = client->queue;
        dequeue(transfer);
        run_errand(transfer);
    }
    finish_all(client);
    if (!client->on_closed)
        return;
    assert(client->transfer_count == 0);
    curl_multi_cleanup(client->multi);
    uv_close((uv_handle_t *)&client->timeout, on_timer_closed);
    uv_close((uv_handle_t *)&client->errands, on_timer_closed);
}

static void enqueue(struct http_transfer *transfer)
{
    struct http_client *client = transfer->client;
    struct http_transfer **at = &client->queue;
    if (transfer->is_queued)
        return;
    while (*at)
        at = &(*at)->next;
    *at = transfer;
    transfer->next = NULL;
    transfer->is_queued = true;
    uv_timer_start(&client->errands, run_errands, 0, 0);
}

/* -- the interface -------------------------------------------------------------------------------- */

struct http_client *http_client_open(uv_loop_t *loop, struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(err, ERROR_INTERNAL, "could not start libcurl");
        return NULL;
    }
    struct http_client *client = xcalloc(1, sizeof *client);
    client->loop = loop;
    client->multi = curl_multi_init();
    assert(client->multi);
    client->timeout.data = client->errands.data = client;
    uv_timer_init(loop, &client->timeout);
    uv_timer_init(loop, &client->errands);
    client->open_handles = 2;
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS);
    return client;
}

void http_client_close(struct http_client *client, void (*on_closed)(void *user), void *user)
{
    client->on_closed = on_closed;
    client->closed_user = user;
    uv_timer_start(&client->errands, run_errands, 0, 0);
}

static void set_limits(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1l);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* One connection per transfer: a paused one holds up nobody else. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* What makes curl look once a second; watch_progress() is who acts. */
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1l);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOOK_SECONDS);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0l);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
    /* Otherwise giving up while a name is looked up waits for the thread that does it. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1l);
}

static void set_blob(CURL *easy, CURLoption option, struct slice pem)
{
    struct curl_blob blob = { (char *)pem.ptr, pem.len, CURL_BLOB_COPY };
    if (pem.len > 0)
        curl_easy_setopt(easy, option, &blob);
}

/* Besides the authorities that the system knows: those are curl's own CAPATH. */
static void set_certificates(CURL *easy, const struct certificate_set *set)
{
    set_blob(easy, CURLOPT_CAINFO_BLOB, set->authorities);
    set_blob(easy, CURLOPT_SSLCERT_BLOB, set->client_certificate);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, set->client_key);
}

/* curl leaves HTTP_PROXY out, because a web server would set it from a request's header; no web server
 * starts us, and Docker's tools read it. */
static void set_proxy(CURL *easy, const struct http_request *request)
{
    const char *proxy = getenv("HTTP_PROXY");
    if (request->is_direct)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    else if (strncmp(request->url, "http://", 7) == 0 && proxy && proxy[0] && !getenv("http_proxy"))
        curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
}

static void set_request(CURL *easy, const struct http_request *request)
{
    assert(request->connect_timeout_ms > 0 && request->stall_timeout_ms > 0);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "eos");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
    set_proxy(easy, request);
    if (request->certificates)
        set_certificates(easy, request->certificates);
    if (request->form)
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->form);
    if (request->is_head)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1l);
}

struct http_transfer *http_start(struct http_client *client, const struct http_request *request)
{
    struct http_transfer *transfer = xcalloc(1, sizeof *transfer);
    CURL *easy = curl_easy_init();
    assert(easy && !client->on_closed);

    transfer->client = client;
    transfer->request = *request;
    transfer->easy = easy;
    client->transfer_count++;
    for (size_t i = 0; i < request->header_count; i++)
        transfer->headers = curl_slist_append(transfer->headers, request->headers[i]);
    transfer->request.url = transfer->request.form = NULL;
    transfer->request.headers = NULL;
    transfer->request.certificates = NULL;
    set_limits(easy);
    set_request(easy, request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->why);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, watch_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
    enqueue(transfer);
    return transfer;
}

void http_cancel(struct http_transfer *transfer)
{
    if (transfer->is_cancelled)
        return;
    transfer->is_cancelled = true;
    enqueue(transfer);
}

void http_pause(struct http_transfer *transfer)
{
    transfer->is_paused = true;
}

void http_resume(struct http_transfer *transfer)
{
    transfer->is_paused = false;
    if (transfer->is_held)
        enqueue(transfer);
}

unsigned http_status(struct http_transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status > 0 ? (unsigned)status : 0;
}

struct slice http_header(struct http_transfer *transfer, const char *name, size_t n)
{
    struct curl_header *header;
    if (curl_easy_header(transfer->easy, name, n, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return SLICE("");
    return slice_of(header->value);
}

const char *http_redirect_url(struct http_transfer *transfer)
{
    char *url = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &url);
    return url ? url : "";
}
