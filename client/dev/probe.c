#include "client/dev/probe.h"

#include "base/alloc.h"
#include "base/slice.h"

static const char request[] =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

struct probe {
    uv_tcp_t tcp;
    uv_timer_t deadline;
    uv_connect_t connect;
    uv_write_t write;
    char answer[512];
    size_t len;
    int open_handles;
    bool is_well;
    probe_fn *done;
    void *user;
};

static void on_closed(uv_handle_t *handle)
{
    struct probe *probe = handle->data;
    if (--probe->open_handles > 0)
        return;
    probe->done(probe->user, probe->is_well);
    free(probe);
}

static void finish(struct probe *probe)
{
    uv_handle_t *handles[] = { (uv_handle_t *)&probe->tcp, (uv_handle_t *)&probe->deadline };
    for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++)
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], on_closed);
}

static void on_deadline(uv_timer_t *timer)
{
    finish(timer->data);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct probe *probe = handle->data;
    (void)suggested;
    *buffer =
        uv_buf_init(probe->answer + probe->len, (unsigned)(sizeof probe->answer - probe->len));
}

/* The status line is all that matters. */
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct probe *probe = stream->data;
    (void)buffer;
    probe->len += count > 0 ? (size_t)count : 0;
    struct slice answer = { probe->answer, probe->len };
    probe->is_well = slice_starts_with(answer, SLICE("HTTP/1.1 200 "));
    if (count < 0 || probe->len >= 13)
        finish(probe);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct probe *probe = connect->data;
    uv_buf_t buffer = uv_buf_init((char *)request, sizeof request - 1);
    if (status == UV_ECANCELED)
        return;
    if (status < 0 || uv_write(&probe->write, (uv_stream_t *)&probe->tcp, &buffer, 1, NULL) < 0 ||
        uv_read_start((uv_stream_t *)&probe->tcp, on_allocate, on_read) < 0)
        finish(probe);
}

void probe_start(uv_loop_t *loop, const struct sockaddr *address, probe_fn *done, void *user)
{
    struct probe *probe = xcalloc(1, sizeof *probe);
    probe->done = done;
    probe->user = user;
    probe->open_handles = 2;
    probe->tcp.data = probe->deadline.data = probe->connect.data = probe;
    uv_tcp_init(loop, &probe->tcp);
    uv_timer_init(loop, &probe->deadline);
    uv_timer_start(&probe->deadline, on_deadline, PROBE_TIMEOUT_MS, 0);
    if (uv_tcp_connect(&probe->connect, &probe->tcp, address, on_connected) < 0)
        finish(probe);
}
