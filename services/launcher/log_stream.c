#include "launcher/log_stream.h"

#include "launcher/log_files.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/uv_error.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A reader of one log.  It opens the file in a worker, sends what is there, and then, when it follows,
 * waits for more: for the kernel's word that the file was written to, for a change of the task, or
 * for the clock.  At the end of a file it looks whether another one has taken its place: a later run
 * of the process, or the next file of a rotated log. */

#define CHUNK_BYTES     32768
#define LOOK_MS         500
#define SIGN_OF_LIFE_MS 8000

typedef Eos__Launcher__V1__ReadLogRequest read_request;

struct log_stream {
    uv_loop_t *loop;
    struct rpc_request *request;
    const read_request *wanted; /* dies with the request */
    struct task *task;
    struct task_observer observer;
    struct log_streams *streams;

    char *sandbox;
    struct log_file file, found; /* what is read, and what a worker has just opened */
    int64_t offset, left;        /* left: of limit_bytes */
    char chunk[CHUNK_BYTES];
    size_t chunk_len;

    uv_work_t work;
    uv_fs_t read;
    uv_timer_t timer;
    uv_fs_event_t event;
    unsigned open_parts;
    bool is_opening, is_reading, is_over, is_last_look, has_found, is_writing_blocked;
    uint64_t silent_since_ms;
    struct error error;
};

static void go_on(struct log_stream *stream);

/* -- ending --------------------------------------------------------------------------------------- */

static void part_closed(struct log_stream *stream)
{
    if (--stream->open_parts > 0)
        return;
    if (stream->file.fd >= 0)
        close(stream->file.fd);
    if (stream->found.fd >= 0)
        close(stream->found.fd);
    struct log_streams *streams = stream->streams;
    free(stream->sandbox);
    free(stream);
    if (--streams->count == 0 && streams->on_empty)
        streams->on_empty(streams->user);
}

static void on_handle_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

/* `err` NULL: all was sent. */
static void finish(struct log_stream *stream, const struct error *err)
{
    if (stream->is_over)
        return;
    stream->is_over = true;
    task_unobserve(stream->task, &stream->observer);
    rpc_request_on_cancel(stream->request, NULL, NULL);
    rpc_stream_on_writable(stream->request, NULL, NULL);
    if (err)
        rpc_fail(stream->request, err);
    else
        rpc_stream_end(stream->request);
    uv_close((uv_handle_t *)&stream->timer, on_handle_closed);
    uv_close((uv_handle_t *)&stream->event, on_handle_closed);
}

static void on_cancel(void *user)
{
    struct error err;
    error_set(&err, ERROR_CANCELLED, "the reader of the log has gone");
    finish(user, &err);
}

/* -- opening -------------------------------------------------------------------------------------- */

static void open_file(uv_work_t *work)
{
    struct log_stream *stream = work->data;
    const char *process = stream->file.fd >= 0 ? stream->file.process : stream->wanted->process;
    stream->found.fd = -1;
    stream->has_found = log_files_open(stream->sandbox, process, stream->wanted->run,
                                       stream->wanted->stream, &stream->found, &stream->error);
}

static bool is_same_file(int a, int b)
{
    struct stat left, right;
    return fstat(a, &left) == 0 && fstat(b, &right) == 0 && left.st_ino == right.st_ino &&
           left.st_dev == right.st_dev;
}

static void on_file_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status;
    go_on(event->data);
}

/* Through the descriptor, so that the kernel watches this file and not what has its name now. */
static void watch_file(struct log_stream *stream)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", stream->file.fd);
    uv_fs_event_stop(&stream->event);
    if (stream->wanted->follow)
        (void)uv_fs_event_start(&stream->event, on_file_event, path, 0); /* the clock helps */
}

static void take_file(struct log_stream *stream)
{
    bool is_first = stream->file.fd < 0;
    struct stat status;

    if (!is_first)
        close(stream->file.fd);
    stream->file = stream->found;
    stream->found.fd = -1;
    stream->is_last_look = false;
    stream->offset = is_first ? stream->wanted->offset : 0;
    if (stream->offset < 0 && fstat(stream->file.fd, &status) == 0)
        stream->offset += status.st_size;
    if (stream->offset < 0)
        stream->offset = 0;
    watch_file(stream);
}

static bool task_is_over(const struct log_stream *stream)
{
    return stream->task->stage >= STAGE_CLEANING;
}

/* Nothing has taken the place of a file that is read to its end. */
static void rest(struct log_stream *stream)
{
    if (stream->is_last_look)
        finish(stream, NULL);
}

static void on_opened(uv_work_t *work, int status)
{
    struct log_stream *stream = work->data;
    (void)status;
    stream->is_opening = false;
    if (stream->is_over) {
        part_closed(stream);
        return;
    }
    stream->open_parts--;
    if (stream->has_found &&
        (stream->file.fd < 0 || !is_same_file(stream->file.fd, stream->found.fd))) {
        take_file(stream);
        go_on(stream);
        return;
    }
    if (stream->has_found)
        close(TAKE_FD(stream->found.fd));
    if (stream->file.fd >= 0)
        rest(stream);
    else if (!stream->wanted->follow || stream->error.code != ERROR_NOT_FOUND ||
             task_is_over(stream))
        finish(stream, &stream->error);
}

static void look_for_file(struct log_stream *stream)
{
    stream->is_opening = true;
    stream->open_parts++;
    stream->work.data = stream;
    int status = uv_queue_work(stream->loop, &stream->work, open_file, on_opened);
    assert(status == 0);
}

/* -- sending -------------------------------------------------------------------------------------- */

/* False when the window is full: go_on() follows when it opens. */
static bool send_chunk(struct log_stream *stream)
{
    Eos__Launcher__V1__LogChunk chunk = EOS__LAUNCHER__V1__LOG_CHUNK__INIT;
    struct error err;

    chunk.data = (ProtobufCBinaryData){ stream->chunk_len, (uint8_t *)stream->chunk };
    chunk.offset = stream->offset;
    chunk.process = stream->file.process;
    chunk.run = stream->file.run;
    stream->is_writing_blocked = !rpc_stream_send(stream->request, &chunk.base, &err);
    if (stream->is_writing_blocked)
        return false;
    stream->offset += (int64_t)stream->chunk_len;
    stream->left -= (int64_t)stream->chunk_len;
    stream->chunk_len = 0;
    stream->silent_since_ms = uv_now(stream->loop);
    return true;
}

/* At the end of the file: waits, looks for the next one, or is done. */
static void at_end(struct log_stream *stream)
{
    if (!stream->wanted->follow) {
        finish(stream, NULL);
        return;
    }
    if (task_is_over(stream) && !stream->is_last_look) {
        stream->is_last_look = true;
        look_for_file(stream);
    }
}

static void on_read(uv_fs_t *read)
{
    struct log_stream *stream = read->data;
    ssize_t len = read->result;
    struct error err;

    uv_fs_req_cleanup(read);
    stream->is_reading = false;
    if (stream->is_over) {
        part_closed(stream);
        return;
    }
    stream->open_parts--;
    if (len < 0) {
        error_set_uv(&err, (int)len, "could not read the log");
        finish(stream, &err);
    } else if (len == 0) {
        at_end(stream);
    } else {
        stream->chunk_len = (size_t)len;
        go_on(stream);
    }
}

static void read_chunk(struct log_stream *stream)
{
    size_t len = sizeof stream->chunk;
    if (stream->wanted->limit_bytes > 0 && stream->left < (int64_t)len)
        len = (size_t)stream->left;
    uv_buf_t buf = uv_buf_init(stream->chunk, (unsigned)len);
    stream->is_reading = true;
    stream->open_parts++;
    stream->read.data = stream;
    int status =
        uv_fs_read(stream->loop, &stream->read, stream->file.fd, &buf, 1, stream->offset, on_read);
    assert(status == 0);
}

static void go_on(struct log_stream *stream)
{
    if (stream->is_over || stream->is_opening || stream->is_reading)
        return;
    if (stream->file.fd < 0) {
        look_for_file(stream);
        return;
    }
    if (stream->chunk_len > 0 && !send_chunk(stream))
        return;
    if (stream->wanted->limit_bytes > 0 && stream->left <= 0)
        finish(stream, NULL);
    else
        read_chunk(stream);
}

/* -- what wakes it -------------------------------------------------------------------------------- */

static void on_writable(void *user)
{
    go_on(user);
}

static void on_task_change(void *user)
{
    struct log_stream *stream = user;
    struct error err;
    if (stream->task->is_closing) {
        error_set(&err, ERROR_UNAVAILABLE, "the task is no longer here");
        finish(stream, &err);
    } else {
        go_on(stream);
    }
}

static void on_clock(uv_timer_t *timer)
{
    struct log_stream *stream = timer->data;
    bool is_idle = !stream->is_opening && !stream->is_reading && !stream->is_writing_blocked;
    if (is_idle && stream->file.fd >= 0 && stream->chunk_len == 0 &&
        uv_now(stream->loop) - stream->silent_since_ms >= SIGN_OF_LIFE_MS)
        (void)send_chunk(stream);
    if (is_idle && stream->file.fd >= 0)
        look_for_file(stream); /* a new run, or a new file of this one */
    else
        go_on(stream);
}

void log_stream_start(struct log_streams *streams, struct task *task, struct rpc_request *request)
{
    struct log_stream *stream = xcalloc(1, sizeof *stream);
    stream->loop = task->host->loop;
    stream->request = request;
    stream->wanted = rpc_request_message(request);
    stream->task = task;
    stream->sandbox = xstrdup(task->paths.sandbox);
    stream->file.fd = stream->found.fd = -1;
    stream->left = stream->wanted->limit_bytes;
    stream->silent_since_ms = uv_now(stream->loop);
    stream->streams = streams;
    streams->count++;
    stream->observer = (struct task_observer){ .on_change = on_task_change, .user = stream };
    task_observe(task, &stream->observer);
    stream->open_parts = 2;
    uv_timer_init(stream->loop, &stream->timer);
    uv_fs_event_init(stream->loop, &stream->event);
    stream->timer.data = stream->event.data = stream;
    if (stream->wanted->follow)
        uv_timer_start(&stream->timer, on_clock, LOOK_MS, LOOK_MS);
    rpc_request_on_cancel(request, on_cancel, stream);
    rpc_stream_on_writable(request, on_writable, stream);
    go_on(stream);
}
