#include "echo.h"

#include "base/alloc.h"
#include "base/slice.h"

#include "eos/config/v1/config.pb-c.h"
#include "eos/launcher/v1/launcher.pb-c.h"

#include <assert.h>
#include <stdlib.h>

/* -- Compile -------------------------------------------------------------------------------------- */

struct later {
    uv_timer_t timer;
    struct rpc_request *request;
};

static void free_later(uv_handle_t *handle)
{
    free(handle->data);
}

static void answer_later(uv_timer_t *timer)
{
    struct later *later = timer->data;
    Eos__Config__V1__CompileResponse response = EOS__CONFIG__V1__COMPILE_RESPONSE__INIT;
    rpc_reply(later->request, &response.base);
    uv_close((uv_handle_t *)timer, free_later);
}

static void start_later(struct echo *echo, struct rpc_request *request, uint64_t wait_ms)
{
    struct later *later = xcalloc(1, sizeof *later);
    later->request = request;
    later->timer.data = later;
    uv_timer_init(echo->loop, &later->timer);
    uv_timer_start(&later->timer, answer_later, wait_ms, 0);
}

static void answer_size(struct rpc_request *request, uint64_t size)
{
    Eos__Config__V1__CompileResponse response = EOS__CONFIG__V1__COMPILE_RESPONSE__INIT;
    char *text = xcalloc(1, size + 1);
    memset(text, 'x', size);
    response.printed = text;
    rpc_reply(request, &response.base);
    free(text);
}

struct waiting {
    struct echo *echo;
    struct rpc_request *request;
};

static void on_gave_up(void *user)
{
    struct waiting *waiting = user;
    struct error err = { .code = ERROR_CANCELLED, .message = "nobody waits" };
    waiting->echo->cancelled++;
    rpc_fail(waiting->request, &err);
    free(waiting);
}

static void wait_for_ever(struct echo *echo, struct rpc_request *request)
{
    struct waiting *waiting = xcalloc(1, sizeof *waiting);
    *waiting = (struct waiting){ echo, request };
    rpc_request_on_cancel(request, on_gave_up, waiting);
}

static bool number_behind(const char *text, const char *word, uint64_t *ret_number)
{
    struct slice prefix = slice_of(word), whole = slice_of(text);
    return slice_starts_with(whole, prefix) &&
           slice_to_u64((struct slice){ whole.ptr + prefix.len, whole.len - prefix.len }, 1u << 30,
                        ret_number);
}

static void compile(void *ctx, struct rpc_request *request)
{
    struct echo *echo = ctx;
    const Eos__Config__V1__CompileRequest *req = rpc_request_message(request);
    uint64_t number = 0;
    echo->calls++;
    if (number_behind(req->user, "slow ", &number)) {
        start_later(echo, request, number);
    } else if (strcmp(req->user, "never") == 0) {
        wait_for_ever(echo, request);
    } else if (strcmp(req->user, "fail") == 0) {
        struct error err = { .code = ERROR_NOT_FOUND, .message = "there is no such thing" };
        rpc_fail(request, &err);
    } else if (number_behind(req->user, "size ", &number)) {
        answer_size(request, number);
    } else {
        Eos__Config__V1__CompileResponse response = EOS__CONFIG__V1__COMPILE_RESPONSE__INIT;
        char text[32];
        snprintf(text, sizeof text, "%zu", req->n_files > 0 ? req->files[0]->content.len : 0);
        response.printed = text;
        rpc_reply(request, &response.base);
    }
}

/* -- ReadLog -------------------------------------------------------------------------------------- */

struct stream {
    struct echo *echo;
    struct rpc_request *request;
    int64_t next, end;
};

static void end_stream(struct stream *stream)
{
    rpc_stream_end(stream->request);
    free(stream);
}

static void pump(void *user)
{
    struct stream *stream = user;
    static uint8_t bytes[ECHO_CHUNK_BYTES];
    struct error err;
    while (stream->end == 0 || stream->next < stream->end) {
        Eos__Launcher__V1__LogChunk chunk = EOS__LAUNCHER__V1__LOG_CHUNK__INIT;
        chunk.data = (ProtobufCBinaryData){ sizeof bytes, bytes };
        chunk.offset = stream->next;
        if (!rpc_stream_send(stream->request, &chunk.base, &err)) {
            stream->echo->blocked++;
            return;
        }
        stream->next++;
    }
    end_stream(stream);
}

static void stop_stream(void *user)
{
    struct stream *stream = user;
    stream->echo->cancelled++;
    end_stream(stream);
}

static void read_log(void *ctx, struct rpc_request *request)
{
    const Eos__Launcher__V1__ReadLogRequest *req = rpc_request_message(request);
    struct stream *stream = xcalloc(1, sizeof *stream);
    *stream = (struct stream){ ctx, request, 0, req->limit_bytes };
    stream->echo->calls++;
    rpc_stream_on_writable(request, pump, stream);
    rpc_request_on_cancel(request, stop_stream, stream);
    pump(stream);
}

/* -- the rest ------------------------------------------------------------------------------------- */

static void no_such(void *ctx, struct rpc_request *request)
{
    struct error err = { .code = ERROR_UNIMPLEMENTED, .message = "not in this test" };
    (void)ctx;
    rpc_fail(request, &err);
}

static bool describe(void *ctx, const void *request, void *response, struct arena *arena,
                     struct error *err)
{
    const Eos__Launcher__V1__DescribeTaskRequest *req = request;
    Eos__Launcher__V1__DescribeTaskResponse *resp = response;
    (void)ctx, (void)err;
    resp->task_id = arena_strdup(arena, req->task_id);
    return true;
}

static const struct rpc_method config_methods[] = {
    { .name = "Compile", .start = compile },
    { 0 },
};

static const struct rpc_method launcher_methods[] = {
    { .name = "ReadLog", .start = read_log },
    { .name = "ListLogs", .start = no_such },
    { .name = "DescribeTask", .handle = describe },
    { .name = "StopTasks", .start = no_such },
    { .name = "ListImages", .start = no_such },
    { .name = "PullImage", .start = no_such },
    { .name = "PruneImages", .start = no_such },
    { .name = "CheckBlobs", .start = no_such },
    { .name = "UploadBlob", .start = no_such },
    { .name = "CommitImage", .start = no_such },
    { 0 },
};

static void release(uv_timer_t *timer)
{
    struct later *later = timer->data;
    rpc_release(later->request);
    uv_close((uv_handle_t *)timer, free_later);
}

static void hold(void *ctx, struct rpc_request *request)
{
    struct echo *echo = ctx;
    struct later *later = xcalloc(1, sizeof *later);
    later->request = request;
    later->timer.data = later;
    uv_timer_init(echo->loop, &later->timer);
    uv_timer_start(&later->timer, release, 0, 0);
}

bool echo_open(struct echo *echo, uv_loop_t *loop, const char *url, const struct cluster_key *key,
               struct error *err)
{
    static struct rpc_service services[16][3];
    static unsigned used;
    struct rpc_service *own = services[used++ % 16];
    own[0] = (struct rpc_service){ &eos__config__v1__config__descriptor, config_methods, echo };
    own[1] =
        (struct rpc_service){ &eos__launcher__v1__launcher__descriptor, launcher_methods, echo };
    own[2] = (struct rpc_service){ 0 };
    struct rpc_server_options options = { .services = own };
    if (echo->hold) {
        options.hold = hold;
        options.hold_ctx = echo;
    }
    echo->loop = loop;
    echo->server = rpc_server_open(loop, &options, err);
    return echo->server && rpc_server_listen(echo->server, url, key, err);
}

void echo_close(struct echo *echo)
{
    rpc_server_close(echo->server);
    echo->server = NULL;
}
