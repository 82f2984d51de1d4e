#include "launcher/docker_http.h"

#include "launcher/unix_socket.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "io/uv_error.h"

#include <errno.h>
#include <http_parser.h>

#define READ_BYTES 16384

struct docker_http {
    struct docker_http_request request; /* its texts are not kept */
    uv_pipe_t pipe;
    uv_timer_t timer;
    uv_write_t write;
    struct text out, body;
    http_parser parser;
    struct error error;
    bool is_over, is_silent, is_complete;
    unsigned open_parts;
    char chunk[READ_BYTES];
};

/* -- ending --------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct docker_http *http = handle->data;
    if (--http->open_parts > 0)
        return;
    text_done(&http->out);
    text_done(&http->body);
    free(http);
}

static void close_all(struct docker_http *http)
{
    http->is_over = true;
    uv_close((uv_handle_t *)&http->pipe, on_handle_closed);
    uv_close((uv_handle_t *)&http->timer, on_handle_closed);
}

static void finish(struct docker_http *http, const struct error *err)
{
    if (http->is_over)
        return;
    close_all(http);
    http->request.on_done(http->request.user, http->parser.status_code, text_slice(&http->body),
                          err);
}

static void fail(struct docker_http *http, enum error_code code, const char *what)
{
    struct error err;
    error_set(&err, code, "the Docker engine at \"%s\" %s", http->request.socket, what);
    finish(http, &err);
}

void docker_http_cancel(struct docker_http *http)
{
    if (!http->is_over)
        close_all(http);
}

/* -- the answer ----------------------------------------------------------------------------------- */

static int on_body(http_parser *parser, const char *at, size_t len)
{
    struct docker_http *http = parser->data;
    if (http->request.on_data && parser->status_code == HTTP_STATUS_OK) {
        http->request.on_data(http->request.user, (struct slice){ at, len });
        return http->is_over;
    }
    text_add_bytes(&http->body, at, len);
    return http->body.len > DOCKER_BODY_MAX_BYTES;
}

static int on_complete(http_parser *parser)
{
    struct docker_http *http = parser->data;
    http->is_complete = true;
    return 0;
}

static const http_parser_settings settings = { .on_body = on_body,
                                               .on_message_complete = on_complete };

static void on_silence(uv_timer_t *timer)
{
    fail(timer->data, ERROR_DEADLINE_EXCEEDED, "does not answer in time");
}

static void wait_for_more(struct docker_http *http)
{
    uv_timer_start(&http->timer, on_silence, http->request.silence_ms, 0);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct docker_http *http = handle->data;
    (void)suggested;
    *buf = uv_buf_init(http->chunk, sizeof http->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct docker_http *http = stream->data;
    size_t given = len > 0 ? (size_t)len : 0;

    if (len < 0 && len != UV_EOF) {
        fail(http, ERROR_UNAVAILABLE, "broke off");
        return;
    }
    size_t taken = http_parser_execute(&http->parser, &settings, buf->base, given);
    if (http->is_over)
        return;
    if (http->is_complete)
        finish(http, NULL);
    else if (taken != given)
        fail(http, ERROR_INTERNAL, "answers what is not understood");
    else if (len == UV_EOF)
        fail(http, ERROR_UNAVAILABLE, "broke off");
    else
        wait_for_more(http);
}

static void on_written(uv_write_t *write, int status)
{
    struct docker_http *http = write->data;
    if (status < 0 && !http->is_over)
        fail(http, ERROR_UNAVAILABLE, "broke off");
}

/* -- the question --------------------------------------------------------------------------------- */

static void format(const struct docker_http_request *request, struct text *out)
{
    text_printf(out, "%s %s HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n%s", request->method,
                request->path, request->headers ? request->headers : "");
    if (request->body.len > 0)
        text_add(out, "Content-Type: application/json\r\n");
    text_printf(out, "Content-Length: %zu\r\n\r\n", request->body.len);
    text_add_slice(out, request->body);
}

static int dial(const char *socket)
{
    cleanup_free char *path = xstrdup(socket);
    char *slash = strrchr(path, '/');
    if (!slash)
        return unix_socket_dial(".", path, LINK_IS_FOLLOWED);
    *slash = 0;
    return unix_socket_dial(path[0] ? path : "/", slash + 1, LINK_IS_FOLLOWED);
}

static bool begin(struct docker_http *http)
{
    int fd = dial(http->request.socket);
    if (fd < 0)
        return error_set_errno(&http->error, errno,
                               "could not connect to the Docker engine at \"%s\"",
                               http->request.socket);
    int status = uv_pipe_open(&http->pipe, fd);
    if (status < 0) {
        close(fd);
        return error_set_uv(&http->error, status, "could not connect to the Docker engine");
    }
    uv_buf_t buf = uv_buf_init(http->out.ptr, (unsigned)http->out.len);
    http->write.data = http;
    status = uv_write(&http->write, (uv_stream_t *)&http->pipe, &buf, 1, on_written);
    if (status >= 0)
        status = uv_read_start((uv_stream_t *)&http->pipe, on_alloc, on_read);
    return status >= 0 || error_set_uv(&http->error, status, "could not ask the Docker engine");
}

static void on_begin_failed(uv_timer_t *timer)
{
    struct docker_http *http = timer->data;
    http->error.code = ERROR_UNAVAILABLE;
    finish(http, &http->error);
}

struct docker_http *docker_http_start(uv_loop_t *loop, const struct docker_http_request *request)
{
    struct docker_http *http = xcalloc(1, sizeof *http);
    http->request = *request;
    http->open_parts = 2;
    http->pipe.data = http->timer.data = http->parser.data = http;
    uv_pipe_init(loop, &http->pipe, 0);
    uv_timer_init(loop, &http->timer);
    http_parser_init(&http->parser, HTTP_RESPONSE);
    format(request, &http->out);
    if (begin(http))
        wait_for_more(http);
    else
        uv_timer_start(&http->timer, on_begin_failed, 0, 0);
    return http;
}
