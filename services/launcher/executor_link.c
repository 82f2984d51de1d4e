#include "launcher/executor_link.h"

#include "launcher/executor_state.h"
#include "launcher/frame.h"
#include "launcher/unix_socket.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/uv_error.h"

#include <errno.h>

#define SOCKET_NAME "executor.sock"
#define READ_BYTES  16384

struct executor_link {
    uv_pipe_t pipe;
    struct executor_link_events events;
    struct text received;
    bool is_over;
    char chunk[READ_BYTES];
};

struct sending {
    uv_write_t request;
    struct text bytes;
};

/* Once; the owner closes then. */
static void end(struct executor_link *link)
{
    if (link->is_over)
        return;
    link->is_over = true;
    uv_read_stop((uv_stream_t *)&link->pipe);
    link->events.on_closed(link->events.user);
}

/* False when the link has ended, or been closed by the owner. */
static bool take_message(struct executor_link *link, struct slice bytes)
{
    Eos__Executor__V1__FromExecutor *message =
        eos__executor__v1__from_executor__unpack(NULL, bytes.len, (const uint8_t *)bytes.ptr);
    struct error ignored;
    bool is_state =
        message && message->message_case == EOS__EXECUTOR__V1__FROM_EXECUTOR__MESSAGE_STATE;

    if (!message || (is_state && !executor_state_check(message->state, &ignored)))
        end(link);
    else if (is_state)
        link->events.on_state(link->events.user, message->state);
    if (message)
        eos__executor__v1__from_executor__free_unpacked(message, NULL);
    return !link->is_over;
}

static void take_messages(struct executor_link *link)
{
    struct slice rest = text_slice(&link->received), message;
    struct error err = { .code = ERROR_OK };

    while (frame_take(&rest, &message, &err))
        if (!take_message(link, message))
            return;
    if (err.code != ERROR_OK) {
        end(link);
        return;
    }
    struct text left = TEXT_INIT;
    text_add_slice(&left, rest);
    text_done(&link->received);
    link->received = left;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct executor_link *link = handle->data;
    (void)suggested;
    *buf = uv_buf_init(link->chunk, sizeof link->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct executor_link *link = stream->data;
    if (len < 0) {
        end(link);
        return;
    }
    text_add_bytes(&link->received, buf->base, (size_t)len);
    take_messages(link);
}

static void on_pipe_closed(uv_handle_t *handle)
{
    struct executor_link *link = handle->data;
    text_done(&link->received);
    free(link);
}

struct executor_link *executor_link_open(uv_loop_t *loop, const char *run_directory,
                                         const struct executor_link_events *events,
                                         struct error *err)
{
    /* The task of an engine's container can write there: it must not choose another's executor. */
    int fd = unix_socket_dial(run_directory, SOCKET_NAME, LINK_IS_REFUSED);
    if (fd < 0) {
        error_set_errno(err, errno, "could not connect to the executor");
        return NULL;
    }
    struct executor_link *link = xcalloc(1, sizeof *link);
    link->events = *events;
    uv_pipe_init(loop, &link->pipe, 0);
    link->pipe.data = link;
    int status = uv_pipe_open(&link->pipe, fd);
    if (status < 0)
        close(fd);
    else
        status = uv_read_start((uv_stream_t *)&link->pipe, on_alloc, on_read);
    if (status < 0) {
        error_set_uv(err, status, "could not connect to the executor");
        uv_close((uv_handle_t *)&link->pipe, on_pipe_closed);
        return NULL;
    }
    return link;
}

void executor_link_close(struct executor_link *link)
{
    if (!link)
        return;
    link->is_over = true;
    uv_close((uv_handle_t *)&link->pipe, on_pipe_closed);
}

static void on_written(uv_write_t *request, int status)
{
    struct sending *sending = request->data;
    struct executor_link *link = request->handle->data;
    text_done(&sending->bytes);
    free(sending);
    if (status < 0 && status != UV_ECANCELED)
        end(link);
}

void executor_link_send(struct executor_link *link, const Eos__Executor__V1__ToExecutor *message)
{
    struct sending *sending = xcalloc(1, sizeof *sending);
    frame_add(&sending->bytes, &message->base);
    sending->request.data = sending;
    uv_buf_t buf = uv_buf_init(sending->bytes.ptr, (unsigned)sending->bytes.len);
    if (link->is_over ||
        uv_write(&sending->request, (uv_stream_t *)&link->pipe, &buf, 1, on_written) < 0) {
        text_done(&sending->bytes);
        free(sending);
    }
}
