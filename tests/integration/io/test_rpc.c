#include "puppet.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "io/rpc_seal.h"
#include "io/rpc_wire.h"

#include "eos/config/v1/config.pb-c.h"
#include "eos/launcher/v1/launcher.pb-c.h"
#include "eos/rpc/v1/rpc.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

extern char **environ;

#define TCP "tcp://127.0.0.1:0"

/* -- many calls ----------------------------------------------------------------------------------- */

/* Sends `count` calls at once and expects every one to be answered with `size` bytes. */
static void flood(struct fixture *f, struct rpc_client *client, unsigned count, const char *user,
                  size_t request_bytes, size_t size)
{
    struct outcome *outcomes = xcalloc(count, sizeof *outcomes);
    unsigned left = count;
    bool all_done = false;
    struct error err;
    for (unsigned i = 0; i < count; i++) {
        outcomes[i].left = &left;
        outcomes[i].all_done = &all_done;
        assert_true(call_echo(f, client, user, request_bytes, 20000, &outcomes[i], &err));
    }
    run_until(f, &all_done, 20000);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(outcomes[i].code, ERROR_OK);
        assert_int_equal(outcomes[i].len, size);
    }
    free(outcomes);
}

static const struct flood_case {
    const char *name, *url;
    unsigned count;
    const char *user;
    size_t request_bytes, size;
    bool hold;
} floods[] = {
    { "1,024 x 1 KiB, ipc", NULL, 1024, "size 1024", 1024, 1024, false },
    { "1,024 x 1 KiB, tcp", TCP, 1024, "size 1024", 1024, 1024, false },
    { "32 x 64 KiB, ipc", NULL, 32, "size 65536", 65536, 65536, false },
    { "32 x 64 KiB, tcp", TCP, 32, "size 65536", 65536, 65536, false },
    { "as many as may be in flight", NULL, RPC_MAX_IN_FLIGHT, "size 100", 100, 100, false },
    { "64 x 1 MiB, far over any buffer", NULL, 64, "size 1048576", 0, 1048576, false },
    { "64 x 1 MiB, tcp", TCP, 64, "size 1048576", 0, 1048576, false },
    { "the largest request and answer", NULL, 1, "size 16777000", 16777000, 16777000, false },
    { "held replies", NULL, 500, "size 10", 10, 10, true },
};

static void loses_no_reply(void **state)
{
    const struct flood_case *c = *state;
    void *opened;
    fixture_open(&opened);
    struct fixture *f = opened;
    f->echo.hold = c->hold;
    fixture_serve(f, c->url, NULL);
    f->client = fixture_dial(f, NULL);
    flood(f, f->client, c->count, c->user, c->request_bytes, c->size);
    assert_int_equal(f->echo.calls, c->count); /* and none was asked for twice */
    fixture_close(&opened);
}

static void bounds_calls_and_sizes(void **state)
{
    struct fixture *f = *state;
    struct error err = { 0 };
    struct outcome *outcomes = xcalloc(RPC_MAX_IN_FLIGHT + 1, sizeof *outcomes);
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);

    assert_false(call_echo(f, f->client, "", RPC_MAX_PAYLOAD_BYTES, 1000, &outcomes[0], &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    for (unsigned i = 0; i < RPC_MAX_IN_FLIGHT; i++)
        assert_true(call_echo(f, f->client, "never", 0, 60000, &outcomes[i], &err));
    assert_false(call_echo(f, f->client, "", 0, 1000, &outcomes[RPC_MAX_IN_FLIGHT], &err));
    assert_int_equal(err.code, ERROR_RESOURCE_EXHAUSTED);

    rpc_client_close(TAKE(f->client));
    assert_false(outcomes[0].is_done); /* not from within */
    run_until(f, &outcomes[RPC_MAX_IN_FLIGHT - 1].is_done, 1000);
    assert_int_equal(outcomes[0].code, ERROR_CANCELLED);
    free(outcomes);
}

static void refuses_an_answer_that_is_too_large(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = { 0 };
    struct error err;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(call_echo(f, f->client, "size 16777216", 0, 10000, &outcome, &err));
    run_until(f, &outcome.is_done, 5000);
    assert_int_equal(outcome.code, ERROR_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(outcome.message, "16 MiB"));
}

static void hands_errors_on(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = { 0 };
    struct error err;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(call_echo(f, f->client, "fail", 0, 1000, &outcome, &err));
    run_until(f, &outcome.is_done, 5000);
    assert_int_equal(outcome.code, ERROR_NOT_FOUND);
    assert_string_equal(outcome.message, "there is no such thing");
    assert_false(outcome.is_unanswered);
}

/* -- deadlines and death -------------------------------------------------------------------------- */

static void keeps_deadlines(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = { 0 };
    struct error err;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    uint64_t start_ms = uv_now(&f->loop);
    assert_true(call_echo(f, f->client, "never", 0, 300, &outcome, &err));
    run_until(f, &outcome.is_done, 5000);
    assert_int_equal(outcome.code, ERROR_DEADLINE_EXCEEDED);
    assert_in_range(outcome.ended_ms - start_ms, 300, 1500);
    EVENTUALLY(f, f->echo.cancelled == 1); /* the server was told */
}

static void names_a_peer_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = { 0 };
    struct error err;
    f->client = fixture_dial(f, NULL);
    assert_true(call_echo(f, f->client, "", 0, 200, &outcome, &err));
    run_until(f, &outcome.is_done, 5000);
    assert_int_equal(outcome.code, ERROR_UNAVAILABLE);
    assert_non_null(strstr(outcome.message, f->url));
    assert_true(outcome.is_unanswered);
    assert_false(rpc_client_is_connected(f->client));
}

static void connects_late(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = { 0 };
    struct error err;
    f->client = fixture_dial(f, NULL);
    assert_true(call_echo(f, f->client, "", 7, 5000, &outcome, &err));
    run_for(f, 250);
    fixture_serve(f, NULL, NULL);
    run_until(f, &outcome.is_done, 2000);
    assert_int_equal(outcome.code, ERROR_OK);
    assert_int_equal(outcome.number, 7);
}

static bool is_up(struct fixture *f, struct rpc_client *client, uint64_t limit_ms)
{
    uint64_t until = uv_hrtime() + limit_ms * 1000000;
    while (!rpc_client_is_connected(client) && uv_hrtime() < until)
        run_for(f, 20);
    return rpc_client_is_connected(client);
}

/* A flood is under way when the peer dies: the calls end by their deadlines, and the client finds the
 * peer within 2 s of its return. */
static void survives_a_killed_peer(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 300 };
    static struct outcome outcomes[COUNT];
    struct outcome after = { 0 };
    struct error err;
    unsigned left = COUNT;
    bool all_done = false;
    memset(outcomes, 0, sizeof outcomes);

    pid_t pid = serve_process(f->url, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(is_up(f, f->client, 2000));
    uint64_t start_ms = uv_now(&f->loop);
    for (unsigned i = 0; i < COUNT; i++) {
        outcomes[i].left = &left;
        outcomes[i].all_done = &all_done;
        assert_true(call_echo(f, f->client, i % 2 ? "never" : "size 200000", 1000, 1500,
                              &outcomes[i], &err));
    }
    run_for(f, 20);
    kill_process(pid, SIGKILL);
    run_until(f, &all_done, 5000);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_in_range(outcomes[i].ended_ms - start_ms, 0, 3000);
        if (i % 2)
            assert_true(outcomes[i].code == ERROR_UNAVAILABLE ||
                        outcomes[i].code == ERROR_DEADLINE_EXCEEDED);
    }
    run_for(f, 2000);
    assert_false(rpc_client_is_connected(f->client));

    pid = serve_process(f->url, NULL);
    uint64_t back_ns = uv_hrtime();
    assert_true(call_echo(f, f->client, "", 3, 5000, &after, &err));
    run_until(f, &after.is_done, 2000);
    assert_int_equal(after.code, ERROR_OK);
    assert_in_range((uv_hrtime() - back_ns) / 1000000, 0, 2000);
    kill_process(pid, SIGKILL);
}

/* What is idempotent is asked again of the next process, without the caller noticing. */
static void repeats_after_a_restart(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 200 };
    static struct outcome outcomes[COUNT];
    struct error err;
    unsigned left = COUNT;
    bool all_done = false;
    memset(outcomes, 0, sizeof outcomes);

    pid_t pid = serve_process(f->url, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(is_up(f, f->client, 2000));
    for (unsigned i = 0; i < COUNT; i++) {
        outcomes[i].left = &left;
        outcomes[i].all_done = &all_done;
        assert_true(
            call_echo(f, f->client, "slow 500", 70000 * (i % 2), 20000, &outcomes[i], &err));
    }
    run_for(f, 200);
    kill_process(pid, SIGKILL);
    pid = serve_process(f->url, NULL);
    run_until(f, &all_done, 10000);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(outcomes[i].code, ERROR_OK);
    kill_process(pid, SIGKILL);
}

static void write_all(int fd, const void *bytes, size_t len)
{
    if (write(fd, bytes, len) != (ssize_t)len)
        fail_msg("could not write");
}

/* Listens in place of the server, greets the client as nanomsg does, sends it the head of a message that
 * is too large with a lot behind it, and goes away. */
static void wedge(struct fixture *f)
{
    static const char hello[8] = { 0, 'S', 'P', 0, 0, 0x31, 0, 0 };
    static char junk[1800] = { 1, 0x7f };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char theirs[8];
    int fd = -1;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", f->url + strlen("ipc://"));
    unlink(address.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 16), 0);
    while ((fd = accept(listener, NULL, NULL)) < 0)
        run_for(f, 10);
    write_all(fd, hello, sizeof hello);
    assert_int_equal(read(fd, theirs, sizeof theirs), sizeof theirs);
    write_all(fd, junk, sizeof junk);
    run_for(f, 50);
    close(fd);
    close(listener);
    unlink(address.sun_path);
}

/* nanomsg keeps what it had read of a message when a connection breaks, and takes it for the greeting
 * of the next one. */
static void recovers_from_a_wedged_endpoint(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome = { 0 };
    struct error err;
    pid_t pid = serve_process(f->url, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(is_up(f, f->client, 3000));
    kill_process(pid, SIGKILL);
    wedge(f);
    pid = serve_process(f->url, NULL);
    uint64_t back_ns = uv_hrtime();
    assert_true(call_echo(f, f->client, "", 1, 10000, &outcome, &err));
    run_until(f, &outcome.is_done, 10000);
    assert_int_equal(outcome.code, ERROR_OK);
    assert_in_range((uv_hrtime() - back_ns) / 1000000, 0, 2000);
    kill_process(pid, SIGKILL);
}

#define HERD_PROCESSES 5
#define HERD_EACH      400

static int herd(const char *url)
{
    struct fixture f = { 0 };
    static struct rpc_client *clients[HERD_EACH];
    static struct outcome outcomes[HERD_EACH];
    unsigned left = HERD_EACH;
    bool all_done = false;
    struct error err;
    uv_loop_init(&f.loop);
    snprintf(f.url, sizeof f.url, "%s", url);
    for (unsigned i = 0; i < HERD_EACH; i++) {
        clients[i] = fixture_dial(&f, NULL);
        outcomes[i].left = &left;
        outcomes[i].all_done = &all_done;
        if (!call_echo(&f, clients[i], "", i, 30000, &outcomes[i], &err))
            return 1;
    }
    run_until(&f, &all_done, 30000);
    int wrong = 0;
    for (unsigned i = 0; i < HERD_EACH; i++) {
        wrong += outcomes[i].code != ERROR_OK || outcomes[i].number != i;
        rpc_client_close(clients[i]);
    }
    uv_run(&f.loop, UV_RUN_DEFAULT);
    uv_loop_close(&f.loop);
    return wrong > 0;
}

/* 2,000 clients wait for a server; when it comes, all of them are served at once. */
static void serves_a_herd(void **state)
{
    struct fixture *f = *state;
    pid_t pids[HERD_PROCESSES];
    char *argv[] = { "test_rpc", "--herd", f->url, NULL };
    for (unsigned i = 0; i < HERD_PROCESSES; i++)
        assert_int_equal(posix_spawn(&pids[i], "/proc/self/exe", NULL, NULL, argv, environ), 0);
    run_for(f, 1500); /* they are all there, and try to connect */
    fixture_serve(f, NULL, NULL);
    uint64_t start_ns = uv_hrtime();
    unsigned running = HERD_PROCESSES;
    while (running > 0 && uv_hrtime() - start_ns < 30000000000u) {
        int status;
        run_for(f, 20);
        for (pid_t pid; running > 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0; running--)
            assert_int_equal(status, 0);
    }
    assert_int_equal(running, 0);
    assert_in_range((uv_hrtime() - start_ns) / 1000000, 0, 10000);
}

/* -- streams -------------------------------------------------------------------------------------- */

struct reader {
    struct rpc_call *call;
    int64_t next, pause_at, cancel_at;
    bool is_done, is_at_pause;
    enum error_code code;
};

static void on_chunk(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct reader *reader = user;
    if (!message) {
        reader->is_done = true;
        reader->code = err ? err->code : ERROR_OK;
        return;
    }
    const Eos__Launcher__V1__LogChunk *chunk = (const Eos__Launcher__V1__LogChunk *)message;
    assert_int_equal(chunk->offset, reader->next);
    assert_int_equal(chunk->data.len, ECHO_CHUNK_BYTES);
    reader->next++;
    if (reader->next == reader->pause_at) {
        rpc_call_pause(reader->call);
        reader->is_at_pause = true;
    }
    if (reader->next == reader->cancel_at) {
        rpc_call_cancel(reader->call);
        reader->is_done = true;
    }
}

static void read_stream(struct fixture *f, struct reader *reader, int64_t count,
                        uint32_t deadline_ms)
{
    Eos__Launcher__V1__ReadLogRequest request = EOS__LAUNCHER__V1__READ_LOG_REQUEST__INIT;
    struct rpc_call_options options = { .deadline_ms = deadline_ms };
    struct error err;
    request.limit_bytes = count;
    reader->call = rpc_call_stream(f->client, &eos__launcher__v1__launcher__descriptor, "ReadLog",
                                   &request.base, &options, on_chunk, reader, &err);
    assert_non_null(reader->call);
}

static void streams_in_order(void **state)
{
    struct fixture *f = *state;
    struct reader reader = { .pause_at = 100 };
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    read_stream(f, &reader, 2000, 1000);
    run_until(f, &reader.is_at_pause, 5000);
    run_for(f, 1500); /* longer than the deadline, which is not for callers that pause */
    assert_int_equal(reader.next, 100);
    assert_true(f->echo.blocked > 0); /* the server waits for its window */
    rpc_call_resume(reader.call);
    assert_int_equal(reader.next, 100); /* nothing from within */
    run_until(f, &reader.is_done, 10000);
    assert_int_equal(reader.code, ERROR_OK);
    assert_int_equal(reader.next, 2000);
}

static void cancels_a_stream_from_its_callback(void **state)
{
    struct fixture *f = *state;
    struct reader reader = { .cancel_at = 50 };
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    read_stream(f, &reader, 0, 1000);
    run_until(f, &reader.is_done, 5000);
    EVENTUALLY(f, f->echo.cancelled == 1);
    assert_int_equal(reader.next, 50);
}

static void ends_a_stream_when_the_peer_dies(void **state)
{
    struct fixture *f = *state;
    struct reader reader = { .pause_at = 0 };
    pid_t pid = serve_process(f->url, NULL);
    f->client = fixture_dial(f, NULL);
    read_stream(f, &reader, 0, 2500);
    while (reader.next < 10)
        uv_run(&f->loop, UV_RUN_ONCE);
    kill_process(pid, SIGKILL);
    run_until(f, &reader.is_done, 4000);
    assert_int_equal(reader.code, ERROR_UNAVAILABLE);
}

/* -- hostile peers -------------------------------------------------------------------------------- */

static const struct hostile_case {
    const char *name;
    bool is_nanomsg;
    uint64_t claimed; /* length in the frame, besides the id; 0: the true one */
    const char *bytes;
    size_t len;
    bool is_counted;
} hostiles[] = {
    { "http", false, 0, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, false },
    { "nothing", false, 0, "", 0, false },
    { "half a hello", false, 0, "\0SP", 3, false },
    { "text as a message", true, 0, "hello, world", 12, true },
    { "an empty message", true, 0, "", 0, true },
    { "a truncated message", true, 5000, "abc", 3, false },
    { "an oversize message", true, 1ull << 32, "abc", 3, false },
    { "the largest length there is", true, UINT64_MAX - 4, "abc", 3, false },
    { "a varint without end", true, 0,
      "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 15, true },
    { "a field longer than the message", true, 0,
      "\x22\x7f"
      "abc",
      5, true },
    { "an unknown kind", true, 0, "\x08\x63", 2, true },
};

#define MALFORMED "eos_rpc_dropped_messages_total{reason=\"malformed\"} "

static void a_bad_message_costs_the_peer(void **state)
{
    const struct hostile_case *c = *state;
    void *opened;
    fixture_open(&opened);
    struct fixture *f = opened;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    flood(f, f->client, 1, "size 1", 0, 1);
    double before = metric_of(MALFORMED);

    int fd = c->is_nanomsg ? puppet_connect(f->url) : puppet_connect_raw(f->url);
    if (c->is_nanomsg)
        puppet_send_frame(fd, (c->claimed ? c->claimed : c->len) + 4, c->bytes, c->len);
    else
        assert_int_equal(write(fd, c->bytes, c->len), c->len);
    if (c->is_counted)
        EVENTUALLY(f, metric_of(MALFORMED) == before + 1);
    else
        run_for(f, 50);
    close(fd);

    flood(f, f->client, 100, "size 10", 0, 10);
    assert_int_equal(metric_of(MALFORMED) - before, c->is_counted);
    fixture_close(&opened);
}

/* A message that is well-formed but asks for what is not there is answered. */
static void answers_nonsense(void **state)
{
    struct fixture *f = *state;
    struct rpc_wire_reply answer;
    size_t len;
    struct rpc_wire_call call = {
        .client_id = 5,
        .call_id = 9,
        .method = SLICE("/eos.config.v1.Config/Nonsense"),
        .time_left_ms = 1000,
    };
    fixture_serve(f, NULL, NULL);
    struct puppet *puppet = puppet_dial(f);
    puppet_send_call(f, puppet, &call);
    assert_true(puppet_read_reply(f, puppet, 10000, &answer, &len));
    assert_int_equal(answer.call_id, 9);
    assert_int_equal(answer.code, ERROR_UNIMPLEMENTED);
    puppet_free(puppet);
}

/* -- sealing -------------------------------------------------------------------------------------- */

static void seals_with_a_key(void **state)
{
    struct fixture *f = *state;
    struct cluster_key *key = make_key(f, "key", 'a'), *other = make_key(f, "other", 'b');
    struct outcome outcome = { 0 };
    struct error err;
    fixture_serve(f, NULL, key);
    f->client = fixture_dial(f, key);
    flood(f, f->client, 1024, "size 1024", 1024, 1024);
    flood(f, f->client, 32, "size 65536", 65536, 65536);

    double before = metric_of("eos_rpc_dropped_messages_total{reason=\"seal\"} ");
    struct rpc_client *stranger = fixture_dial(f, other), *plain = fixture_dial(f, NULL);
    assert_true(call_echo(f, stranger, "", 0, 300, &outcome, &err));
    run_until(f, &outcome.is_done, 2000);
    assert_int_equal(outcome.code, ERROR_UNAVAILABLE);
    memset(&outcome, 0, sizeof outcome);
    assert_true(call_echo(f, plain, "", 0, 300, &outcome, &err));
    run_until(f, &outcome.is_done, 2000);
    assert_int_equal(outcome.code, ERROR_UNAVAILABLE);
    assert_true(metric_of("eos_rpc_dropped_messages_total{reason=\"seal\"} ") >= before + 2);
    assert_int_equal(f->echo.calls, 1024 + 32);

    rpc_client_close(stranger);
    rpc_client_close(plain);
    rpc_client_close(TAKE(f->client));
    echo_close(&f->echo);
    run_for(f, 10);
    cluster_key_free(key);
    cluster_key_free(other);
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What somebody recorded on the wire does nothing when it is sent again. */
static void drops_what_was_seen_before(void **state)
{
    struct fixture *f = *state;
    struct cluster_key *key = make_key(f, "key", 'a');
    struct rpc_seal *seal = rpc_seal_new(key);
    char plain[512], sealed[512 + RPC_SEAL_BYTES];
    struct rpc_wire_call call = { .kind = RPC_HEARTBEAT, .client_id = 5, .call_id = 9 };
    fixture_serve(f, NULL, key);
    double replays = metric_of("eos_rpc_dropped_messages_total{reason=\"replay\"} ");
    double stale = metric_of("eos_rpc_dropped_messages_total{reason=\"stale\"} ");

    int fd = puppet_connect(f->url);
    size_t len = rpc_wire_encode_call(&call, plain);
    rpc_seal_close(seal, RPC_TO_SERVER, wall_ms(), (struct slice){ plain, len }, sealed);
    for (unsigned i = 0; i < 3; i++)
        puppet_send_frame(fd, len + RPC_SEAL_BYTES + 4, sealed, len + RPC_SEAL_BYTES);
    EVENTUALLY(f, metric_of("eos_rpc_dropped_messages_total{reason=\"replay\"} ") == replays + 2);

    /* A request for another process of the service, such as the one before a restart. */
    call.kind = RPC_REQUEST;
    call.server = 12345;
    call.method = SLICE("/eos.config.v1.Config/Compile");
    len = rpc_wire_encode_call(&call, plain);
    rpc_seal_close(seal, RPC_TO_SERVER, wall_ms(), (struct slice){ plain, len }, sealed);
    puppet_send_frame(fd, len + RPC_SEAL_BYTES + 4, sealed, len + RPC_SEAL_BYTES);
    EVENTUALLY(f, metric_of("eos_rpc_dropped_messages_total{reason=\"stale\"} ") == stale + 1);
    assert_int_equal(f->echo.calls, 0);

    close(fd);
    echo_close(&f->echo);
    run_for(f, 10);
    rpc_seal_free(seal);
    cluster_key_free(key);
}

static void seals_across_a_restart(void **state)
{
    struct fixture *f = *state;
    struct cluster_key *key = make_key(f, "key", 'a');
    struct outcome outcome = { 0 };
    struct error err;
    char path[128];
    snprintf(path, sizeof path, "%s/key", f->directory);
    pid_t pid = serve_process(f->url, path);
    f->client = fixture_dial(f, key);
    assert_true(is_up(f, f->client, 2000));
    assert_true(call_echo(f, f->client, "slow 300", 1000, 10000, &outcome, &err));
    run_for(f, 100);
    kill_process(pid, SIGKILL);
    pid = serve_process(f->url, path);
    run_until(f, &outcome.is_done, 5000);
    assert_int_equal(outcome.code, ERROR_OK);
    kill_process(pid, SIGKILL);
    rpc_client_close(TAKE(f->client));
    run_for(f, 10);
    cluster_key_free(key);
}

/* -- listening ------------------------------------------------------------------------------------ */

static void refuses_what_is_unsafe(void **state)
{
    struct fixture *f = *state;
    struct error err = { 0 };
    struct rpc_client_options options = { .url = "tcp://10.1.2.3:5000" };
    assert_false(echo_open(&f->echo, &f->loop, "tcp://0.0.0.0:0", NULL, &err));
    assert_int_equal(err.code, ERROR_FAILED_PRECONDITION);
    assert_non_null(strstr(err.message, "cluster key"));
    echo_close(&f->echo);
    assert_null(rpc_client_open(&f->loop, &options, &err));
    assert_int_equal(err.code, ERROR_FAILED_PRECONDITION);
}

static void owns_its_socket(void **state)
{
    struct fixture *f = *state;
    struct echo second = { 0 };
    struct error err = { 0 };
    struct stat status;
    pid_t pid = serve_process(f->url, NULL);
    assert_int_equal(stat(f->url + strlen("ipc://"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_false(echo_open(&second, &f->loop, f->url, NULL, &err));
    assert_int_equal(err.code, ERROR_FAILED_PRECONDITION);
    assert_non_null(strstr(err.message, "in use"));
    echo_close(&second);
    kill_process(pid, SIGKILL);
    fixture_serve(f, NULL, NULL); /* the stale socket is no obstacle */
    f->client = fixture_dial(f, NULL);
    flood(f, f->client, 1, "size 1", 0, 1);
}

/* As many may wait to be accepted as the kernel allows; nanomsg alone would take 100. */
static void has_a_wide_backlog(void **state)
{
    struct fixture *f = *state;
    unsigned found = 0;
    fixture_serve(f, TCP, NULL);
    for (int fd = 3; fd < 256; fd++) {
        struct tcp_info info;
        socklen_t len = sizeof info, flag_len = sizeof(int);
        int is_listening = 0;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &flag_len) < 0 ||
            !is_listening || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
            continue;
        assert_true(info.tcpi_sacked > 1000); /* of a listener: its backlog */
        found++;
    }
    assert_int_equal(found, 1);
}

static void wants_a_handler_for_each_method(void **state)
{
    struct fixture *f = *state;
    static const struct rpc_method none[] = { { 0 } };
    struct rpc_service services[] = { { &eos__config__v1__config__descriptor, none, NULL }, { 0 } };
    struct rpc_server_options options = { .services = services };
    struct error err = { 0 };
    assert_null(rpc_server_open(&f->loop, &options, &err));
    assert_int_equal(err.code, ERROR_FAILED_PRECONDITION);
    assert_non_null(strstr(err.message, "Compile"));
}

static bool drained;

static void on_drained(void *user)
{
    (void)user;
    drained = true;
}

static void drains(void **state)
{
    struct fixture *f = *state;
    struct outcome before = { 0 }, during = { 0 };
    struct error err;
    drained = false;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(call_echo(f, f->client, "slow 1500", 0, 10000, &before, &err));
    EVENTUALLY(f, f->echo.calls == 1);
    rpc_server_drain(f->echo.server, 10000, on_drained, NULL);
    assert_true(call_echo(f, f->client, "", 0, 300, &during, &err));
    run_until(f, &during.is_done, 2000);
    assert_int_equal(during.code, ERROR_UNAVAILABLE);
    assert_true(during.is_unanswered);
    assert_false(before.is_done);
    run_until(f, &drained, 5000);
    run_until(f, &before.is_done, 2000);
    assert_int_equal(before.code, ERROR_OK);
}

static void on_health(void *user, const ProtobufCMessage *message, const struct error *err)
{
    const Grpc__Health__V1__HealthCheckResponse *response =
        (const Grpc__Health__V1__HealthCheckResponse *)message;
    struct outcome *outcome = user;
    outcome->is_done = true;
    outcome->code = err ? err->code : ERROR_OK;
    outcome->number = response ? response->status : 0;
}

static void ask_health(struct fixture *f, const char *service, struct outcome *outcome)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct error err;
    *outcome = (struct outcome){ 0 };
    request.service = (char *)service;
    assert_non_null(rpc_call(f->client, &grpc__health__v1__health__descriptor, "Check",
                             &request.base, NULL, on_health, outcome, &err));
    run_until(f, &outcome->is_done, 2000);
}

static void tells_its_health(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    ask_health(f, "", &outcome);
    assert_int_equal(outcome.number,
                     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    ask_health(f, "eos.config.v1.Config", &outcome);
    assert_int_equal(outcome.number,
                     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    ask_health(f, "eos.config.v1.Confi", &outcome);
    assert_int_equal(outcome.code, ERROR_NOT_FOUND);
    rpc_server_set_serving(f->echo.server, false);
    ask_health(f, "", &outcome);
    assert_int_equal(outcome.number,
                     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING);
}

/* -- the other roles of this program -------------------------------------------------------------- */

static int serve(const char *url, const char *key_file)
{
    uv_loop_t loop;
    struct echo echo = { 0 };
    struct error err;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
    uv_loop_init(&loop);
    struct cluster_key *key = key_file ? cluster_key_read(key_file, &err) : NULL;
    if ((key_file && !key) || !echo_open(&echo, &loop, url, key, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (write(STDOUT_FILENO, "r", 1) != 1)
        return 1;
    return uv_run(&loop, UV_RUN_DEFAULT);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(bounds_calls_and_sizes),
        WITH_FIXTURE(refuses_an_answer_that_is_too_large),
        WITH_FIXTURE(hands_errors_on),
        WITH_FIXTURE(keeps_deadlines),
        WITH_FIXTURE(names_a_peer_that_is_not_there),
        WITH_FIXTURE(connects_late),
        WITH_FIXTURE(survives_a_killed_peer),
        WITH_FIXTURE(repeats_after_a_restart),
        WITH_FIXTURE(recovers_from_a_wedged_endpoint),
        WITH_FIXTURE(serves_a_herd),
        WITH_FIXTURE(streams_in_order),
        WITH_FIXTURE(cancels_a_stream_from_its_callback),
        WITH_FIXTURE(ends_a_stream_when_the_peer_dies),
        WITH_FIXTURE(answers_nonsense),
        WITH_FIXTURE(seals_with_a_key),
        WITH_FIXTURE(drops_what_was_seen_before),
        WITH_FIXTURE(seals_across_a_restart),
        WITH_FIXTURE(refuses_what_is_unsafe),
        WITH_FIXTURE(owns_its_socket),
        WITH_FIXTURE(has_a_wide_backlog),
        WITH_FIXTURE(wants_a_handler_for_each_method),
        WITH_FIXTURE(drains),
        WITH_FIXTURE(tells_its_health),
    };
    signal(SIGPIPE, SIG_IGN);
    if (argc > 2 && strcmp(argv[1], "--serve") == 0)
        return serve(argv[2], argv[3]);
    if (argc > 2 && strcmp(argv[1], "--herd") == 0)
        return herd(argv[2]);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    int failed = RUN_CASES(floods, loses_no_reply);
    failed += RUN_CASES(hostiles, a_bad_message_costs_the_peer);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
