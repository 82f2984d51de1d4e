/* Calls of all kinds between a client and a server whose connection is cut and held up at random.  What
 * may happen to a call is that it fails; what may not: a wrong answer, a callback too many or none at
 * all, a stream with a gap, anything left at the server, or a client that does not recover. */
#include "fixture.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/random.h"
#include "io/rpc_served.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <signal.h>
#include <time.h>

#define CHAOS_MS    6000
#define CALLS       150 /* under way at any time */
#define DEADLINE_MS 4000
#define LINKS       64

/* -- the connection ------------------------------------------------------------------------------- */

struct link;

struct side {
    uv_pipe_t pipe;
    struct link *link;
    struct side *other;
    bool is_held;
};

struct link {
    struct side client, server;
    uv_connect_t connect;
    struct chaos *chaos;
    unsigned open_handles;
    bool is_up, is_cut;
};

struct chaos {
    struct fixture *f;
    struct random random;
    char server_path[128], proxy_path[128];
    uv_pipe_t listener;
    uv_timer_t tick;
    struct link *links[LINKS];
    bool is_over;
    unsigned cuts, holds;

    struct job *jobs;
    unsigned started, running, good;
    bool is_idle;
};

static uint64_t below(struct chaos *chaos, uint64_t bound)
{
    return random_below(&chaos->random, bound);
}

static void on_side_closed(uv_handle_t *handle)
{
    struct side *side = handle->data;
    struct link *link = side->link;
    if (--link->open_handles > 0)
        return;
    for (unsigned i = 0; i < LINKS; i++)
        if (link->chaos->links[i] == link)
            link->chaos->links[i] = NULL;
    free(link);
}

static void cut(struct link *link)
{
    if (link->is_cut)
        return;
    link->is_cut = true;
    uv_close((uv_handle_t *)&link->client.pipe, on_side_closed);
    uv_close((uv_handle_t *)&link->server.pipe, on_side_closed);
}

static void give_buffer(uv_handle_t *handle, size_t size, uv_buf_t *ret_buffer)
{
    (void)handle, (void)size;
    *ret_buffer = uv_buf_init(xcalloc(1, 65536), 65536);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request->data);
    free(request);
}

static void on_bytes(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct side *side = stream->data;
    if (len <= 0) {
        free(buffer->base);
        if (len < 0)
            cut(side->link);
        return;
    }
    uv_write_t *request = xcalloc(1, sizeof *request);
    uv_buf_t out = uv_buf_init(buffer->base, (unsigned)len);
    request->data = buffer->base;
    if (uv_write(request, (uv_stream_t *)&side->other->pipe, &out, 1, on_written) < 0) {
        on_written(request, 0);
        cut(side->link);
    }
}

static void hold(struct side *side, bool is_held)
{
    if (side->link->is_cut || !side->link->is_up)
        return;
    side->is_held = is_held;
    if (is_held)
        uv_read_stop((uv_stream_t *)&side->pipe);
    else
        uv_read_start((uv_stream_t *)&side->pipe, give_buffer, on_bytes);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct link *link = connect->data;
    if (link->is_cut)
        return;
    if (status < 0) {
        cut(link);
        return;
    }
    link->is_up = true;
    hold(&link->client, false);
    hold(&link->server, false);
}

static void open_side(struct side *side, struct link *link, struct side *other)
{
    side->link = link;
    side->other = other;
    side->pipe.data = side;
    uv_pipe_init(&link->chaos->f->loop, &side->pipe, 0);
    link->open_handles++;
}

static void on_client(uv_stream_t *listener, int status)
{
    struct chaos *chaos = listener->data;
    struct link *link = xcalloc(1, sizeof *link);
    unsigned place = 0;
    assert_int_equal(status, 0);
    while (chaos->links[place])
        assert_true(++place < LINKS);
    chaos->links[place] = link;
    link->chaos = chaos;
    open_side(&link->client, link, &link->server);
    open_side(&link->server, link, &link->client);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&link->client.pipe), 0);
    link->connect.data = link;
    uv_pipe_connect(&link->connect, &link->server.pipe, chaos->server_path, on_connected);
}

static void disturb(struct chaos *chaos, struct link *link)
{
    struct side *side = below(chaos, 2) ? &link->client : &link->server;
    uint64_t what = chaos->is_over ? 99 : below(chaos, 30);
    if (what == 0) {
        cut(link);
        chaos->cuts++;
    } else if (what <= 3) {
        hold(side, true);
        chaos->holds++;
    } else if (what > 50) {
        hold(&link->client, false);
        hold(&link->server, false);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct chaos *chaos = timer->data;
    for (unsigned i = 0; i < LINKS; i++)
        if (chaos->links[i])
            disturb(chaos, chaos->links[i]);
}

/* -- the calls ------------------------------------------------------------------------------------ */

struct job {
    struct chaos *chaos;
    struct job *next;
    struct outcome outcome;
    struct rpc_call *call;
    uv_timer_t resume;
    char user[32];
    size_t bytes, size; /* expected: a number, or so many bytes */
    int64_t count, seen, pause_at, cancel_at;
    bool is_stream, is_done, is_paused;
};

static void start_job(struct chaos *chaos);

static void job_done(struct job *job)
{
    struct chaos *chaos = job->chaos;
    assert_false(job->is_done);
    job->is_done = true;
    chaos->running--;
    if (!chaos->is_over)
        start_job(chaos);
    chaos->is_idle = chaos->running == 0;
}

static void check_code(const struct job *job, enum error_code code)
{
    if (code != ERROR_OK && code != ERROR_UNAVAILABLE && code != ERROR_DEADLINE_EXCEEDED)
        fail_msg("\"%s\" ended with %d", job->user, code);
}

static void on_resume(uv_timer_t *timer)
{
    struct job *job = timer->data;
    if (!job->is_done)
        rpc_call_resume(job->call);
}

static void on_chunk(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct job *job = user;
    const Eos__Launcher__V1__LogChunk *chunk = (const Eos__Launcher__V1__LogChunk *)message;
    assert_false(job->is_done);
    if (!message) {
        check_code(job, err ? err->code : ERROR_OK);
        if (!err)
            assert_int_equal(job->seen, job->count);
        job->chaos->good += !err;
        job_done(job);
        return;
    }
    assert_int_equal(chunk->offset, job->seen);
    job->seen++;
    if (job->seen == job->pause_at) {
        rpc_call_pause(job->call);
        uv_timer_start(&job->resume, on_resume, below(job->chaos, 400), 0);
    }
    if (job->seen == job->cancel_at) {
        rpc_call_cancel(job->call);
        job_done(job);
    }
}

static void on_answer(void *user, const ProtobufCMessage *message, const struct error *err);

static void start_stream(struct job *job)
{
    Eos__Launcher__V1__ReadLogRequest request = EOS__LAUNCHER__V1__READ_LOG_REQUEST__INIT;
    struct rpc_call_options options = { .deadline_ms = DEADLINE_MS };
    struct error err;
    job->is_stream = true;
    job->count = request.limit_bytes = 1 + (int64_t)below(job->chaos, 80);
    job->pause_at = (int64_t)below(job->chaos, 80);
    job->cancel_at = below(job->chaos, 4) ? -1 : (int64_t)below(job->chaos, 80);
    job->call = rpc_call_stream(job->chaos->f->client, &eos__launcher__v1__launcher__descriptor,
                                "ReadLog", &request.base, &options, on_chunk, job, &err);
    assert_non_null(job->call);
}

static void start_unary(struct job *job, uint64_t kind)
{
    struct chaos *chaos = job->chaos;
    uint32_t deadline_ms = DEADLINE_MS;
    struct error err;
    if (kind == 0) {
        job->size = below(chaos, 10) ? below(chaos, 200000) : below(chaos, 3000000);
        snprintf(job->user, sizeof job->user, "size %zu", job->size);
    } else if (kind == 1) {
        snprintf(job->user, sizeof job->user, "slow %d", (int)below(chaos, 700));
    } else if (kind == 2) {
        snprintf(job->user, sizeof job->user, "never");
        deadline_ms = 1 + (uint32_t)below(chaos, 500);
    }
    job->bytes = below(chaos, 3) ? below(chaos, 2000) : below(chaos, 500000);
    job->outcome.loop = &chaos->f->loop;
    assert_true(call_message(chaos->f, chaos->f->client, job->user, job->bytes, deadline_ms,
                             on_answer, job, &err));
}

static void start_job(struct chaos *chaos)
{
    struct job *job = xcalloc(1, sizeof *job);
    uint64_t kind = below(chaos, 6);
    job->chaos = chaos;
    job->next = chaos->jobs;
    chaos->jobs = job;
    chaos->started++;
    chaos->running++;
    job->resume.data = job;
    uv_timer_init(&chaos->f->loop, &job->resume);
    if (kind >= 4)
        start_stream(job);
    else
        start_unary(job, kind);
}

static void on_answer(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct job *job = user;
    check_code(job, err ? err->code : ERROR_OK);
    if (!err && strcmp(job->user, "") == 0)
        assert_int_equal(answer_number(message), job->bytes);
    if (!err && job->size > 0)
        assert_int_equal(answer_len(message), job->size);
    if (!err)
        assert_string_not_equal(job->user, "never");
    job->chaos->good += !err;
    job_done(job);
}

static void free_jobs(struct chaos *chaos)
{
    for (struct job *job = chaos->jobs, *next; job; job = next) {
        next = job->next;
        assert_true(job->is_done);
        free(job);
    }
}

/* -- the test ------------------------------------------------------------------------------------- */

static void chaos_open(struct chaos *chaos, struct fixture *f)
{
    uint64_t seed = uv_hrtime();
    const char *given = getenv("EOS_TEST_SEED");
    if (given)
        slice_to_u64(slice_of(given), UINT64_MAX, &seed);
    print_message("EOS_TEST_SEED=%llu\n", (unsigned long long)seed);
    *chaos = (struct chaos){ .f = f, .random = { { seed, 1, 2, 3 } } };
    fixture_serve(f, NULL, NULL);
    snprintf(chaos->server_path, sizeof chaos->server_path, "%s", f->url + strlen("ipc://"));
    snprintf(chaos->proxy_path, sizeof chaos->proxy_path, "%s/p", f->directory);
    snprintf(f->url, sizeof f->url, "ipc://%s/p", f->directory);
    uv_pipe_init(&f->loop, &chaos->listener, 0);
    uv_timer_init(&f->loop, &chaos->tick);
    chaos->listener.data = chaos->tick.data = chaos;
    assert_int_equal(uv_pipe_bind(&chaos->listener, chaos->proxy_path), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&chaos->listener, 16, on_client), 0);
    uv_timer_start(&chaos->tick, on_tick, 20, 20);
    f->client = fixture_dial(f, NULL);
}

static void chaos_close(struct chaos *chaos)
{
    uv_close((uv_handle_t *)&chaos->listener, NULL);
    uv_close((uv_handle_t *)&chaos->tick, NULL);
    for (struct job *job = chaos->jobs; job; job = job->next)
        uv_close((uv_handle_t *)&job->resume, NULL);
    rpc_client_close(TAKE(chaos->f->client));
    for (unsigned i = 0; i < LINKS; i++)
        if (chaos->links[i])
            cut(chaos->links[i]);
    run_for(chaos->f, 50);
    free_jobs(chaos);
}

static void expect_a_good_call(struct chaos *chaos)
{
    struct outcome outcome = { 0 };
    struct error err;
    assert_true(call_echo(chaos->f, chaos->f->client, "", 300000, 10000, &outcome, &err));
    run_until(chaos->f, &outcome.is_done, 15000);
    assert_int_equal(outcome.code, ERROR_OK);
    assert_int_equal(outcome.number, 300000);
}

static void survives_a_bad_connection(void **state)
{
    struct fixture *f = *state;
    static struct chaos chaos;
    chaos_open(&chaos, f);
    for (unsigned i = 0; i < CALLS; i++)
        start_job(&chaos);
    run_for(f, CHAOS_MS);
    chaos.is_over = true;
    chaos.is_idle = chaos.running == 0;
    run_until(f, &chaos.is_idle, 30000);
    expect_a_good_call(&chaos);
    print_message("%u calls, %u good; %u cuts, %u holds\n", chaos.started, chaos.good, chaos.cuts,
                  chaos.holds);
    assert_true(chaos.good > 0);
    run_for(f, 300); /* cancellations arrive, deadlines pass */
    assert_int_equal(f->echo.server->in_flight, 0);
    assert_int_equal(f->echo.server->assembly_bytes, 0);
    assert_int_equal(f->echo.server->queue_bytes, 0);
    chaos_close(&chaos);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(survives_a_bad_connection, fixture_open, fixture_close),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
