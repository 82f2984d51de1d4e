#include "client/dev/supervised.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/dev/lines.h"
#include "client/output.h"
#include "io/uv_error.h"

#include <assert.h>
#include <signal.h>

#define READ_BYTES 16384

/* One life of the process; libuv keeps the handle until it is closed. */
struct run {
    uv_process_t process;
    struct supervised *service; /* NULL: it has ended */
};

/* Both its stdout and its stderr.  May outlive the process, when a child of it holds the other end. */
struct output_stream {
    uv_pipe_t pipe;
    struct lines lines;
    struct supervised *service;
    struct output_stream *next;
    char bytes[READ_BYTES];
};

/* -- output --------------------------------------------------------------------------------------- */

static void show_line(void *user, struct slice line)
{
    struct supervised *service = user;
    cleanup_text struct text out = TEXT_INIT, prefix = TEXT_INIT, copy = TEXT_INIT;
    text_add_slice(&copy, line);
    text_printf(&prefix, "%-9s |", service_name(service->id));
    output_add_coloured(&out, output_has_colour(STDERR_FILENO), service_colour(service->id),
                        text_string(&prefix));
    text_add_char(&out, ' ');
    output_add_printable(&out, text_string(&copy));
    text_add_char(&out, '\n');
    (void)!write(STDERR_FILENO, out.ptr, out.len);
    snprintf(service->last_line, sizeof service->last_line, "%s", text_string(&copy));
}

static void on_stream_closed(uv_handle_t *handle)
{
    struct output_stream *stream = handle->data;
    lines_end(&stream->lines, show_line, stream->service);
    free(stream);
}

static void close_stream(struct output_stream *stream)
{
    struct output_stream **link = &stream->service->streams;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    uv_close((uv_handle_t *)&stream->pipe, on_stream_closed);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct output_stream *stream = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(stream->bytes, sizeof stream->bytes);
}

static void on_read(uv_stream_t *pipe, ssize_t count, const uv_buf_t *buffer)
{
    struct output_stream *stream = pipe->data;
    if (count > 0)
        lines_feed(&stream->lines, (struct slice){ buffer->base, (size_t)count }, show_line,
                   stream->service);
    else if (count < 0)
        close_stream(stream);
}

/* Takes what the process wrote before it ended, without waiting for the loop. */
static void drain_streams(struct supervised *service)
{
    for (struct output_stream *stream = service->streams; stream; stream = stream->next) {
        uv_os_fd_t fd;
        ssize_t count = 0;
        if (uv_fileno((const uv_handle_t *)&stream->pipe, &fd) < 0)
            continue;
        for (int i = 0; i < 64 && (count = read(fd, stream->bytes, sizeof stream->bytes)) > 0; i++)
            lines_feed(&stream->lines, (struct slice){ stream->bytes, (size_t)count }, show_line,
                       service);
    }
}

static void open_stream(struct supervised *service, int fd)
{
    struct output_stream *stream = xcalloc(1, sizeof *stream);
    stream->service = service;
    stream->next = service->streams;
    service->streams = stream;
    stream->pipe.data = stream;
    uv_pipe_init(service->loop, &stream->pipe, 0);
    uv_pipe_open(&stream->pipe, fd);
    uv_read_start((uv_stream_t *)&stream->pipe, on_allocate, on_read);
}

/* -- the process ---------------------------------------------------------------------------------- */

static void on_run_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_process_exit(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct run *run = process->data;
    struct supervised *service = run->service;
    bool was_told = service->state == SUPERVISED_STOPPING;
    service->run = NULL;
    service->state = was_told ? SUPERVISED_STOPPED : SUPERVISED_DOWN;
    uv_timer_stop(&service->timer);
    uv_close((uv_handle_t *)process, on_run_closed);
    drain_streams(service);
    service->on_exit(service->user, service, term_signal ? -term_signal : (int)exit_status);
}

static int spawn(struct supervised *service, int output, struct run *run)
{
    uv_stdio_container_t stdio[] = {
        { .flags = UV_IGNORE },
        { .flags = UV_INHERIT_FD, .data.fd = output },
        { .flags = UV_INHERIT_FD, .data.fd = output },
    };
    /* A session of its own: Ctrl-C in the terminal is for this program alone. */
    uv_process_options_t options = { .file = service->command[0],
                                     .args = service->command,
                                     .exit_cb = on_process_exit,
                                     .flags = UV_PROCESS_DETACHED,
                                     .stdio = stdio,
                                     .stdio_count = 3 };
    return uv_spawn(service->loop, &run->process, &options);
}

void supervised_init(struct supervised *service, uv_loop_t *loop, enum service_id id,
                     char **command, supervised_exit_fn *on_exit, void *user)
{
    *service = (struct supervised){
        .id = id, .loop = loop, .command = command, .on_exit = on_exit, .user = user
    };
    uv_timer_init(loop, &service->timer);
    service->timer.data = service;
}

bool supervised_start(struct supervised *service, struct error *err)
{
    uv_file ends[2];
    assert(!service->run);
    int status = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);
    if (status < 0)
        return error_set_uv(err, status, "could not make a pipe");
    struct run *run = xcalloc(1, sizeof *run);
    run->service = service;
    run->process.data = run;
    status = spawn(service, ends[1], run);
    close(ends[1]);
    if (status < 0) {
        close(ends[0]);
        uv_close((uv_handle_t *)&run->process, on_run_closed);
        return error_set_uv(err, status, "could not start \"%.120s\"", service->command[0]);
    }
    open_stream(service, ends[0]);
    service->run = run;
    service->state = SUPERVISED_UP;
    service->started_ms = uv_now(service->loop);
    return true;
}

static void on_restart(uv_timer_t *timer)
{
    struct supervised *service = timer->data;
    struct error err;
    service->state = SUPERVISED_DOWN;
    if (supervised_start(service, &err))
        return;
    output_note("eos dev: %s", err.message);
    supervised_restart_later(service);
}

uint32_t supervised_restart_later(struct supervised *service)
{
    uint64_t uptime_ms = uv_now(service->loop) - service->started_ms;
    uint32_t delay_ms = backoff_next(&service->backoff, uptime_ms);
    if (service->first_failure_ms == 0 || uptime_ms >= BACKOFF_FORGET_MS)
        service->first_failure_ms = (int64_t)uv_now(service->loop);
    service->state = SUPERVISED_WAITING;
    uv_timer_start(&service->timer, on_restart, delay_ms, 0);
    return delay_ms;
}

static void on_kill(uv_timer_t *timer)
{
    struct supervised *service = timer->data;
    output_note("eos dev: %s does not end, killing it", service_name(service->id));
    supervised_kill(service);
}

void supervised_stop(struct supervised *service)
{
    uv_timer_stop(&service->timer);
    if (!service->run) {
        service->state = SUPERVISED_STOPPED;
        return;
    }
    service->state = SUPERVISED_STOPPING;
    uv_process_kill(&service->run->process, SIGTERM);
    uv_timer_start(&service->timer, on_kill, SUPERVISED_KILL_MS, 0);
}

void supervised_kill(struct supervised *service)
{
    uv_timer_stop(&service->timer);
    if (!service->run) {
        service->state = SUPERVISED_STOPPED;
        return;
    }
    service->state = SUPERVISED_STOPPING;
    uv_process_kill(&service->run->process, SIGKILL);
}

void supervised_close(struct supervised *service)
{
    assert(!service->run);
    drain_streams(service);
    while (service->streams)
        close_stream(service->streams);
    uv_close((uv_handle_t *)&service->timer, NULL);
}
