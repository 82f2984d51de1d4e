#include "registry/credential_helper.h"

#include "base/alloc.h"
#include "base/text.h"
#include "io/uv_error.h"
#include "registry/answer.h"

#include <signal.h>

struct credential_helper {
    struct credential_helper_request request;
    char *program, *server;
    uv_process_t process;
    uv_pipe_t in, out; /* of the program */
    uv_timer_t deadline;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct text answer;
    unsigned open_handles;
    int64_t exit_status;
    bool has_exited, has_ended; /* the program; its output */
    bool is_running, is_closing;
    char buffer[4096];
};

/* -- ending --------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct credential_helper *helper = handle->data;
    if (--helper->open_handles > 0)
        return;
    helper->request.on_closed(helper->request.closed_user);
    if (helper->answer.len > 0)
        explicit_bzero(helper->answer.ptr, helper->answer.len);
    explicit_bzero(helper->buffer, sizeof helper->buffer);
    text_done(&helper->answer);
    free(helper->program);
    free(helper->server);
    free(helper);
}

static void close_handles(struct credential_helper *helper)
{
    if (helper->is_closing)
        return;
    helper->is_closing = true;
    /* libuv reaps a child only while its handle is open: on_exit_status() closes that one. */
    if (helper->is_running)
        uv_process_kill(&helper->process, SIGKILL);
    else
        uv_close((uv_handle_t *)&helper->process, on_closed);
    uv_close((uv_handle_t *)&helper->in, on_closed);
    uv_close((uv_handle_t *)&helper->out, on_closed);
    uv_close((uv_handle_t *)&helper->deadline, on_closed);
}

void credential_helper_cancel(struct credential_helper *helper)
{
    close_handles(helper);
}

static void finish(struct credential_helper *helper, const struct credential *credential,
                   const struct error *err)
{
    helper->request.on_done(helper->request.user, credential, err);
    credential_helper_cancel(helper);
}

static void fail(struct credential_helper *helper, const char *what)
{
    struct error err;
    error_set(&err, ERROR_FAILED_PRECONDITION, "credential helper \"%s\" %s", helper->program,
              what);
    finish(helper, NULL, &err);
}

/* Helpers say this, with an exit status, when they have nothing. */
static bool knows_none(const struct credential_helper *helper)
{
    return slice_starts_with(text_slice(&helper->answer), SLICE("credentials not found"));
}

static void finish_when_over(struct credential_helper *helper)
{
    struct arena *arena;
    struct credential credential;
    if (!helper->has_exited || !helper->has_ended)
        return;
    if (knows_none(helper)) {
        finish(helper, NULL, NULL);
        return;
    }
    if (helper->exit_status != 0) {
        fail(helper, "failed");
        return;
    }
    arena = arena_new();
    if (answer_credential_parse(text_slice(&helper->answer), arena, &credential))
        finish(helper, &credential, NULL);
    else
        fail(helper, "gave an answer that is no credential");
    arena_free(arena);
}

/* -- the program ---------------------------------------------------------------------------------- */

static void on_exit_status(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct credential_helper *helper = process->data;
    helper->is_running = false;
    helper->has_exited = true;
    helper->exit_status = term_signal ? 128 + term_signal : exit_status;
    if (helper->is_closing)
        uv_close((uv_handle_t *)process, on_closed);
    else
        finish_when_over(helper);
}

static void on_deadline(uv_timer_t *deadline)
{
    fail(deadline->data, "took too long");
}

static void give_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct credential_helper *helper = handle->data;
    (void)size;
    *buffer = uv_buf_init(helper->buffer, sizeof helper->buffer);
}

static void on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct credential_helper *helper = stream->data;
    if (len > 0 && helper->answer.len + (size_t)len > ANSWER_MAX_BYTES) {
        fail(helper, "gave too long an answer");
    } else if (len > 0) {
        text_add_bytes(&helper->answer, buffer->base, (size_t)len);
    } else if (len < 0) {
        uv_read_stop(stream);
        helper->has_ended = true;
        finish_when_over(helper);
    }
}

/* Only closes the program's input: what became of the question shows in the answer. */
static void on_written(uv_write_t *write, int status)
{
    struct credential_helper *helper = write->data;
    (void)status;
    if (!helper->is_closing)
        uv_shutdown(&helper->shutdown, (uv_stream_t *)&helper->in, NULL);
}

static int spawn(uv_loop_t *loop, struct credential_helper *helper)
{
    char *argv[] = { helper->program, "get", NULL };
    uv_stdio_container_t stdio[] = {
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&helper->in },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&helper->out },
        { .flags = UV_IGNORE },
    };
    uv_process_options_t options = {
        .file = helper->program,
        .args = argv,
        .exit_cb = on_exit_status,
        .stdio = stdio,
        .stdio_count = 3,
    };
    return uv_spawn(loop, &helper->process, &options);
}

static void start_talking(struct credential_helper *helper)
{
    uv_buf_t question = uv_buf_init(helper->server, (unsigned)strlen(helper->server));
    helper->is_running = true;
    uv_timer_start(&helper->deadline, on_deadline, CREDENTIAL_HELPER_TIMEOUT_MS, 0);
    if (uv_write(&helper->write, (uv_stream_t *)&helper->in, &question, 1, on_written) < 0 ||
        uv_read_start((uv_stream_t *)&helper->out, give_buffer, on_output) < 0)
        helper->has_ended = true; /* then its exit ends it, without an answer */
}

static void init_handles(uv_loop_t *loop, struct credential_helper *helper)
{
    helper->process.data = helper->in.data = helper->out.data = helper->deadline.data = helper;
    helper->write.data = helper;
    helper->open_handles = 4;
    uv_pipe_init(loop, &helper->in, 0);
    uv_pipe_init(loop, &helper->out, 0);
    uv_timer_init(loop, &helper->deadline);
}

/* What Docker's own registry is called in the stores. */
static char *server_name(struct slice server)
{
    if (slice_is(server, "docker.io") || slice_ends_with(server, SLICE(".docker.io")))
        return xstrdup("https://index.docker.io/v1/\n");
    return xasprintf("%.*s\n", SLICE_ARG(server));
}

struct credential_helper *credential_helper_start(uv_loop_t *loop,
                                                  const struct credential_helper_request *request,
                                                  struct error *err)
{
    struct credential_helper *helper = xcalloc(1, sizeof *helper);
    helper->request = *request;
    helper->program = xasprintf("docker-credential-%s", request->name);
    helper->server = server_name(request->server);
    init_handles(loop, helper);
    int status = spawn(loop, helper);
    if (status < 0) {
        error_set_uv(err, status, "could not start the credential helper \"%s\"", helper->program);
        err->code = ERROR_FAILED_PRECONDITION;
        close_handles(helper);
        return NULL;
    }
    start_talking(helper);
    return helper;
}
