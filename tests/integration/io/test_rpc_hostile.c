#include "puppet.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/rpc_link.h"
#include "io/rpc_seal.h"
#include "io/rpc_served.h"

#include "eos/config/v1/config.pb-c.h"
#include "eos/launcher/v1/launcher.pb-c.h"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#define COMPILE SLICE("/eos.config.v1.Config/Compile")
#define READLOG SLICE("/eos.launcher.v1.Launcher/ReadLog")

#define PUPPET_CLIENT 5u

static struct rpc_server *server_of(struct fixture *f)
{
    return f->echo.server;
}

static size_t pack_request(const char *user, char *to)
{
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    request.user = (char *)user;
    return protobuf_c_message_pack(&request.base, (uint8_t *)to);
}

static bool start(struct fixture *f, const char *user, size_t bytes, uint32_t deadline_ms,
                  struct outcome *outcome)
{
    struct error err;
    *outcome = (struct outcome){ 0 };
    return call_echo(f, f->client, user, bytes, deadline_ms, outcome, &err);
}

struct reader {
    struct rpc_call *call;
    struct rpc_client *closes; /* closed when the stream ends */
    unsigned count;
    bool is_done;
    enum error_code code;
};

static void on_chunk(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct reader *reader = user;
    assert_false(reader->is_done);
    if (message) {
        reader->count++;
        return;
    }
    reader->is_done = true;
    reader->code = err ? err->code : ERROR_OK;
    rpc_client_close(reader->closes);
}

static void read_stream(struct fixture *f, struct reader *reader, int64_t count,
                        uint32_t deadline_ms)
{
    Eos__Launcher__V1__ReadLogRequest request = EOS__LAUNCHER__V1__READ_LOG_REQUEST__INIT;
    struct rpc_call_options options = { .deadline_ms = deadline_ms };
    struct error err;
    *reader = (struct reader){ 0 };
    request.limit_bytes = count;
    reader->call = rpc_call_stream(f->client, &eos__launcher__v1__launcher__descriptor, "ReadLog",
                                   &request.base, &options, on_chunk, reader, &err);
    assert_non_null(reader->call);
}

/* -- the server and strange clients --------------------------------------------------------------- */

static void answers_after_closing_go_nowhere(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(start(f, "slow 150", 0, 1000, &outcome));
    EVENTUALLY(f, f->echo.calls == 1);
    echo_close(&f->echo);
    run_for(f, 200);
    run_until(f, &outcome.is_done, 10000);
    assert_int_not_equal(outcome.code, ERROR_OK);
}

static const struct rpc_peer *peer_of_puppet(struct fixture *f)
{
    uint64_t id = PUPPET_CLIENT;
    return map_get(server_of(f)->endpoints[0]->peers,
                   (struct slice){ (const char *)&id, sizeof id });
}

static void request(struct fixture *f, struct puppet *puppet, uint64_t call_id, struct slice method,
                    struct slice payload, uint32_t time_left_ms)
{
    struct rpc_wire_call call = {
        .client_id = PUPPET_CLIENT,
        .call_id = call_id,
        .method = method,
        .time_left_ms = time_left_ms,
        .payload = payload,
    };
    puppet_send_call(f, puppet, &call);
}

/* The caller has given up by itself, and says so to whom it concerns: the word of the one who was
 * interrupted is not for it. */
static void a_call_whose_time_is_over_is_not_answered(void **state)
{
    struct fixture *f = *state;
    struct rpc_wire_reply reply;
    char payload[64];
    size_t len;
    fixture_serve(f, NULL, NULL);
    struct puppet *puppet = puppet_dial(f);
    request(f, puppet, 50, COMPILE, (struct slice){ payload, pack_request("never", payload) }, 100);
    EVENTUALLY(f, f->echo.cancelled == 1);
    assert_int_equal(server_of(f)->in_flight, 0);
    assert_false(puppet_read_reply(f, puppet, 300, &reply, &len));
    puppet_free(puppet);
}

static size_t queue_length(struct fixture *f)
{
    size_t count = 0;
    const struct rpc_peer *peer = peer_of_puppet(f);
    for (const struct rpc_outgoing *item = peer ? peer->first : NULL; item; item = item->next)
        count++;
    return count;
}

/* Each answer that waits takes more memory than it has bytes. */
static void a_client_that_never_reads_is_bounded(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 80000 };
    struct rpc_wire_call call = {
        .client_id = PUPPET_CLIENT,
        .method = SLICE("/no.Such/Method"),
        .time_left_ms = 60000,
    };
    fixture_serve(f, NULL, NULL);
    struct puppet *puppet = puppet_dial(f);
    for (call.call_id = 1; call.call_id <= COUNT; call.call_id++)
        puppet_send_call(f, puppet, &call);
    EVENTUALLY(f, queue_length(f) > 10000);
    run_for(f, 300);
    assert_in_range(queue_length(f), 10000, RPC_PEER_QUEUE_BYTES / RPC_MESSAGE_COST);
    puppet_free(puppet);
}

static void beat(struct fixture *f, struct puppet *puppet, struct rpc_wire_reply *ret_reply)
{
    struct rpc_wire_call call = { .kind = RPC_HEARTBEAT, .client_id = PUPPET_CLIENT, .call_id = 1 };
    size_t len;
    puppet_send_call(f, puppet, &call);
    assert_true(puppet_read_reply(f, puppet, 5000, ret_reply, &len));
    assert_true(ret_reply->server != 0);
}

/* Asks for `size` bytes and acknowledges them; false when they do not come. */
static bool ask(struct fixture *f, struct puppet *puppet, uint64_t call_id, const char *user,
                uint32_t connection, uint64_t *received)
{
    char payload[64];
    struct rpc_wire_reply reply;
    size_t len;
    struct rpc_wire_call call = {
        .client_id = PUPPET_CLIENT,
        .call_id = call_id,
        .method = COMPILE,
        .time_left_ms = 5000,
        .payload = { payload, pack_request(user, payload) },
    };
    struct rpc_wire_call ack = { .kind = RPC_CREDIT, .client_id = PUPPET_CLIENT, .call_id = 1 };
    puppet_send_call(f, puppet, &call);
    do {
        if (!puppet_read_reply(f, puppet, 5000, &reply, &len))
            return false;
        if (reply.server != 0 || reply.call_id != call_id)
            continue;
        *received += len + RPC_MESSAGE_COST;
        ack.connection = connection;
        ack.received = *received;
        puppet_send_call(f, puppet, &ack);
    } while (!reply.is_last);
    return true;
}

/* What one client does not take is no reason to turn another one away. */
static void others_are_served_beside_it(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    server_of(f)->queue_bytes += RPC_SERVER_QUEUE_BYTES;
    assert_true(start(f, "size 10000", 0, 5000, &outcome));
    run_until(f, &outcome.is_done, 10000);
    assert_int_equal(outcome.code, ERROR_OK);
    server_of(f)->queue_bytes -= RPC_SERVER_QUEUE_BYTES;
}

/* A server that was busy finds messages of a connection that the client has given up meanwhile beside
 * those of the new one: they must not bring the old one back. */
static void a_connection_that_was_left_stays_left(void **state)
{
    struct fixture *f = *state;
    struct rpc_wire_reply reply;
    uint64_t received = 0;
    struct rpc_wire_call late = { .kind = RPC_CREDIT, .client_id = PUPPET_CLIENT, .call_id = 1 };
    fixture_serve(f, NULL, NULL);
    struct puppet *old = puppet_dial(f), *new = puppet_dial(f);
    beat(f, old, &reply);
    beat(f, new, &reply);
    uint32_t connection = reply.connection;
    for (unsigned i = 0; i < 50; i++) {
        if (i == 30)
            puppet_send_call(f, old, &late);
        if (!ask(f, new, 101 + i, "size 100000", connection, &received))
            fail_msg("answer %u does not come", i);
    }
    puppet_free(old);
    puppet_free(new);
}

/* The process was stopped: that nobody was heard is its own fault. */
static void a_stopped_server_forgets_nobody(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(start(f, "slow 1500", 0, 15000, &outcome));
    EVENTUALLY(f, f->echo.calls == 1);
    struct rpc_server *server = server_of(f);
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(server->endpoints[0]->peers, &cursor, &key, &value)) {
        struct rpc_peer *peer = value;
        peer->seen_ms -= 60000;
    }
    server->swept_ms -= 60000;
    server->ticks = 0; /* the next tick sweeps */
    run_until(f, &outcome.is_done, 10000);
    assert_int_equal(outcome.code, ERROR_OK);
    assert_int_equal(f->echo.calls, 1);
}

/* Nothing of the stream is on its way, so no credit will come that could wake it. */
static void a_stream_goes_on_when_there_is_room_again(void **state)
{
    struct fixture *f = *state;
    Eos__Launcher__V1__ReadLogRequest read_log = EOS__LAUNCHER__V1__READ_LOG_REQUEST__INIT;
    char payload[64];
    struct rpc_wire_reply reply;
    struct rpc_wire_call ack = { .kind = RPC_CREDIT, .client_id = PUPPET_CLIENT, .call_id = 1 };
    size_t len;
    fixture_serve(f, NULL, NULL);
    struct puppet *puppet = puppet_dial(f);
    beat(f, puppet, &reply);
    ack.connection = reply.connection;
    request(f, puppet, 50, COMPILE,
            (struct slice){ payload, pack_request("size 8000000", payload) },
            5000); /* fills the window */
    EVENTUALLY(f, f->echo.calls == 1);
    server_of(f)->queue_bytes += RPC_SERVER_QUEUE_BYTES; /* as if others did not read */
    read_log.limit_bytes = 3;
    len = protobuf_c_message_pack(&read_log.base, (uint8_t *)payload);
    request(f, puppet, 51, READLOG, (struct slice){ payload, len }, 5000);
    EVENTUALLY(f, f->echo.blocked > 0);
    server_of(f)->queue_bytes -= RPC_SERVER_QUEUE_BYTES;
    for (unsigned messages = 0; messages < 4; messages += reply.call_id == 51) {
        assert_true(puppet_read_reply(f, puppet, 5000, &reply, &len));
        ack.received += len + RPC_MESSAGE_COST;
        puppet_send_call(f, puppet, &ack);
    }
    assert_true(reply.is_last);
    puppet_free(puppet);
}

static void half_a_stream_request_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct rpc_wire_call call = {
        .client_id = PUPPET_CLIENT,
        .call_id = 9,
        .method = READLOG,
        .time_left_ms = 1000,
        .payload = SLICE("x"),
        .has_more = true,
    };
    fixture_serve(f, NULL, NULL);
    struct puppet *puppet = puppet_dial(f);
    puppet_send_call(f, puppet, &call);
    EVENTUALLY(f, server_of(f)->in_flight == 1);
    EVENTUALLY(f, server_of(f)->in_flight == 0);
    assert_int_equal(server_of(f)->assembly_bytes, 0);
    puppet_free(puppet);
}

static const struct odd_case {
    const char *name;
    struct rpc_wire_call call;
} odds[] = {
    { "a request without a method", { .call_id = 9 } },
    { "a chunk out of order",
      { .call_id = 9, .method = { "/eos.config.v1.Config/Compile", 29 }, .chunk = 7 } },
    { "credit for nothing", { .kind = RPC_CREDIT, .call_id = 9, .credit = UINT32_MAX } },
    { "more received than was sent",
      { .kind = RPC_CREDIT, .call_id = 9, .connection = 1, .received = UINT64_MAX } },
    { "cancels nothing", { .kind = RPC_CANCEL, .call_id = 9 } },
    { "no time left", { .call_id = 9, .method = { "/eos.config.v1.Config/Compile", 29 } } },
};

static void an_odd_message_does_no_harm(void **state)
{
    const struct odd_case *c = *state;
    void *opened;
    fixture_open(&opened);
    struct fixture *f = opened;
    struct rpc_wire_reply reply;
    uint64_t received = 0;
    fixture_serve(f, NULL, NULL);
    struct puppet *puppet = puppet_dial(f);
    beat(f, puppet, &reply);
    struct rpc_wire_call call = c->call;
    call.client_id = PUPPET_CLIENT;
    if (call.connection)
        call.connection = reply.connection;
    puppet_send_call(f, puppet, &call);
    assert_true(ask(f, puppet, 20, "size 200000", reply.connection, &received));
    puppet_free(puppet);
    fixture_close(&opened);
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void send_sealed(int fd, struct rpc_seal *seal, uint64_t server)
{
    char plain[256], sealed[256 + RPC_SEAL_BYTES];
    struct rpc_wire_call call = {
        .kind = RPC_HEARTBEAT,
        .client_id = PUPPET_CLIENT,
        .call_id = 1,
        .server = server,
    };
    size_t len = rpc_wire_encode_call(&call, plain);
    rpc_seal_close(seal, RPC_TO_SERVER, wall_ms(), (struct slice){ plain, len }, sealed);
    puppet_send_frame(fd, len + RPC_SEAL_BYTES + 4, sealed, len + RPC_SEAL_BYTES);
}

/* A heartbeat that was recorded before the restart does not take a client's answers elsewhere. */
static void an_old_heartbeat_moves_nobody(void **state)
{
    struct fixture *f = *state;
    struct cluster_key *key = make_key(f, "key", 'a');
    struct rpc_seal *seal = rpc_seal_new(key);
    fixture_serve(f, NULL, key);
    int own = puppet_connect(f->url), thief = puppet_connect(f->url);
    double stale = metric_of("eos_rpc_dropped_messages_total{reason=\"stale\"} ");
    send_sealed(own, seal, 12345); /* knows only the process before this one */
    EVENTUALLY(f, peer_of_puppet(f) != NULL);
    const struct rpc_peer *peer = peer_of_puppet(f);
    uint32_t connection = peer->connection;
    send_sealed(own, seal, server_of(f)->incarnation);
    EVENTUALLY(f, peer->is_sure);
    send_sealed(thief, seal, 12345);
    EVENTUALLY(f, metric_of("eos_rpc_dropped_messages_total{reason=\"stale\"} ") == stale + 1);
    assert_int_equal(peer->connection, connection);
    send_sealed(thief, seal, server_of(f)->incarnation); /* it was the client after all */
    EVENTUALLY(f, peer->connection != connection);
    close(own);
    close(thief);
    echo_close(&f->echo);
    run_for(f, 10);
    rpc_seal_free(seal);
    cluster_key_free(key);
}

/* -- the client and strange servers --------------------------------------------------------------- */

#define CONNECTION 77u

/* After the first one the client is silent for long, and does not wonder at our silence. */
static const struct rpc_wire_reply alive = {
    .call_id = 1,
    .server = 1,
    .connection = CONNECTION,
    .is_last = true,
    .heartbeat_ms = 60000,
};

static void answer(struct fixture *f, struct puppet *puppet, uint64_t call_id, uint64_t *sent)
{
    struct rpc_wire_reply reply = { .call_id = call_id, .connection = CONNECTION, .is_last = true };
    *sent += puppet_cost(&reply);
    puppet_send_reply(f, puppet, &reply);
}

/* A server that has heard nothing for long forgets a client, and begins to count anew on a connection
 * that is still there; what was under way is gone. */
static void asks_again_when_it_was_forgotten(void **state)
{
    struct fixture *f = *state;
    struct outcome first, second;
    struct rpc_wire_call call;
    struct rpc_wire_reply heartbeat = alive;
    struct puppet *puppet = puppet_listen(f);
    f->client = fixture_dial(f, NULL);
    puppet_accept(f, puppet);
    assert_true(start(f, "", 0, 15000, &first));
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    answer(f, puppet, call.call_id, &heartbeat.sent);
    run_until(f, &first.is_done, 10000);
    assert_int_equal(first.code, ERROR_OK);

    assert_true(start(f, "", 0, 15000, &second));
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    uint64_t id = call.call_id;
    heartbeat.sent = 0;
    puppet_send_reply(f, puppet, &heartbeat);
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    assert_int_equal(call.call_id, id);
    answer(f, puppet, id, &heartbeat.sent);
    run_until(f, &second.is_done, 10000);
    assert_int_equal(second.code, ERROR_OK);
    puppet_free(puppet);
}

/* As if the loop had not run for a while. */
static void makes_a_new_connection_after_a_long_sleep(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome;
    struct rpc_wire_call call;
    struct rpc_wire_reply heartbeat = alive;
    struct puppet *puppet = puppet_listen(f);
    f->client = fixture_dial(f, NULL);
    puppet_accept(f, puppet);
    assert_true(start(f, "", 0, 15000, &outcome));
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    uint64_t id = call.call_id;
    f->client->heartbeat_sent_ms -= 600000;
    f->client->next_heartbeat_ms -= 600000;
    rpc_client_wake_at(f->client, 1);
    int64_t before_ms = f->client->reopened_ms;
    heartbeat.connection++;
    assert_true(puppet_await(f, puppet, RPC_HEARTBEAT, &heartbeat, 10000, &call));
    assert_true(f->client->reopened_ms > before_ms);
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    assert_int_equal(call.call_id, id);
    rpc_client_close(TAKE(f->client));
    run_until(f, &outcome.is_done, 10000);
    puppet_free(puppet);
}

/* What could not be sent before must not keep a heartbeat back, without which nobody notices that the
 * peer is gone. */
static void leaves_a_peer_that_stopped_reading(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 40 };
    static struct outcome outcomes[COUNT];
    struct outcome after;
    pid_t stopped = serve_process(f->url, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(start(f, "", 0, 3000, &after));
    run_until(f, &after.is_done, 10000);
    assert_int_equal(kill(stopped, SIGSTOP), 0);
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(start(f, "", 1u << 20, 100, &outcomes[i]));
    EVENTUALLY(f, outcomes[COUNT - 1].is_done);

    assert_int_equal(unlink(f->url + strlen("ipc://")), 0);
    pid_t pid = serve_process(f->url, NULL);
    assert_true(start(f, "", 3, 15000, &after));
    run_until(f, &after.is_done, 15000);
    assert_int_equal(after.code, ERROR_OK);
    kill_process(stopped, SIGKILL);
    kill_process(pid, SIGKILL);
}

static void send_part(struct fixture *f, struct puppet *puppet, uint64_t call_id, uint32_t number,
                      struct rpc_wire_reply *heartbeat)
{
    Eos__Launcher__V1__LogChunk chunk = EOS__LAUNCHER__V1__LOG_CHUNK__INIT;
    char payload[64];
    chunk.offset = number;
    struct rpc_wire_reply reply = {
        .call_id = call_id,
        .connection = CONNECTION,
        .chunk = number,
        .payload = { payload, protobuf_c_message_pack(&chunk.base, (uint8_t *)payload) },
    };
    heartbeat->sent += puppet_cost(&reply);
    puppet_send_reply(f, puppet, &reply);
}

static const struct loss_case {
    const char *name;
    uint32_t taken; /* messages of the stream that arrive before one is lost */
} losses[] = { { "the first message", 0 }, { "one in the middle", 3 } };

/* The connection is there, a message of it is not: the stream cannot go on, and its server hears so. */
static void ends_a_stream_that_lost_a_message(void **state)
{
    const struct loss_case *c = *state;
    void *opened;
    fixture_open(&opened);
    struct fixture *f = opened;
    struct reader reader;
    struct rpc_wire_call call;
    struct rpc_wire_reply heartbeat = alive;
    struct puppet *puppet = puppet_listen(f);
    f->client = fixture_dial(f, NULL);
    puppet_accept(f, puppet);
    read_stream(f, &reader, 0, 20000);
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    uint64_t id = call.call_id;
    for (uint32_t i = 0; i < c->taken; i++)
        send_part(f, puppet, id, i, &heartbeat);
    heartbeat.sent += 5000;
    puppet_send_reply(f, puppet, &heartbeat);
    assert_true(puppet_await(f, puppet, RPC_CANCEL, &heartbeat, 10000, &call));
    assert_int_equal(call.call_id, id);
    run_until(f, &reader.is_done, 10000);
    assert_int_equal(reader.code, ERROR_UNAVAILABLE);
    assert_int_equal(reader.count, c->taken);
    puppet_free(puppet);
    fixture_close(&opened);
}

static void bounds_what_a_paused_stream_keeps(void **state)
{
    struct fixture *f = *state;
    struct reader reader;
    struct rpc_wire_call call;
    struct rpc_wire_reply heartbeat = alive;
    struct puppet *puppet = puppet_listen(f);
    f->client = fixture_dial(f, NULL);
    puppet_accept(f, puppet);
    read_stream(f, &reader, 0, 20000);
    rpc_call_pause(reader.call);
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    for (uint32_t i = 0; i < RPC_STREAM_WINDOW; i++)
        send_part(f, puppet, call.call_id, i, &heartbeat);
    run_for(f, 50);
    assert_false(reader.is_done);
    send_part(f, puppet, call.call_id, RPC_STREAM_WINDOW, &heartbeat);
    run_until(f, &reader.is_done, 10000);
    assert_int_equal(reader.code, ERROR_DATA_LOSS);
    puppet_free(puppet);
}

/* A call that is refused while its larger part has still to be sent. */
static void sends_a_refused_call_again_from_the_start(void **state)
{
    struct fixture *f = *state;
    struct outcome outcome;
    struct rpc_wire_call call;
    struct rpc_wire_reply heartbeat = alive;
    struct puppet *puppet = puppet_listen(f);
    f->client = fixture_dial(f, NULL);
    puppet_accept(f, puppet);
    assert_true(start(f, "", 8u << 20, 15000, &outcome));
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    struct rpc_wire_reply refusal = {
        .call_id = call.call_id,
        .connection = CONNECTION,
        .has_status = true,
        .code = ERROR_UNAVAILABLE,
        .is_last = true,
        .is_refused = true,
    };
    heartbeat.sent += puppet_cost(&refusal);
    puppet_send_reply(f, puppet, &refusal);
    run_for(f, 1300); /* does not read while the client wants to try again */
    do
        assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    while (call.chunk != 0);
    do
        assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    while (call.has_more);
    answer(f, puppet, call.call_id, &heartbeat.sent);
    run_until(f, &outcome.is_done, 10000);
    assert_int_equal(outcome.code, ERROR_OK);
    puppet_free(puppet);
}

/* The end of one stream closes the client; the message that brought it about is for another. */
static void may_be_closed_when_the_connection_changes(void **state)
{
    struct fixture *f = *state;
    struct reader first, second;
    struct rpc_wire_call call;
    struct rpc_wire_reply heartbeat = alive;
    struct puppet *puppet = puppet_listen(f);
    f->client = fixture_dial(f, NULL);
    puppet_accept(f, puppet);
    read_stream(f, &first, 0, 20000);
    read_stream(f, &second, 0, 20000);
    first.closes = f->client;
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    send_part(f, puppet, call.call_id, 0, &heartbeat);
    assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    struct rpc_wire_reply bad = {
        .call_id = call.call_id,
        .connection = CONNECTION + 1,
        .payload = SLICE("\xff\xff\xff"),
    };
    puppet_send_reply(f, puppet, &bad);
    run_until(f, &second.is_done, 10000);
    assert_true(first.is_done);
    assert_int_equal(first.code, ERROR_UNAVAILABLE);
    assert_int_equal(second.code, ERROR_CANCELLED);
    f->client = NULL;
    puppet_free(puppet);
}

/* A server that is told of no cancellation serves for nobody. */
static void forgets_no_cancellation(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 3000 };
    static struct reader readers[COUNT];
    struct outcome large;
    struct rpc_wire_call call;
    struct rpc_wire_reply heartbeat = alive;
    struct puppet *puppet = puppet_listen(f);
    f->client = fixture_dial(f, NULL);
    puppet_accept(f, puppet);
    for (unsigned i = 0; i < COUNT; i++)
        read_stream(f, &readers[i], 0, 60000);
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(puppet_await(f, puppet, RPC_REQUEST, &heartbeat, 10000, &call));
    assert_true(start(f, "", 8u << 20, 60000, &large)); /* more than the socket takes */
    for (unsigned i = 0; i < COUNT; i++)
        rpc_call_cancel(readers[i].call);
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(puppet_await(f, puppet, RPC_CANCEL, &heartbeat, 10000, &call));
    rpc_client_close(TAKE(f->client));
    run_until(f, &large.is_done, 10000);
    puppet_free(puppet);
}

/* -- callers -------------------------------------------------------------------------------------- */

static struct rpc_call *last_call;

static void on_reply_cancel(void *user, const ProtobufCMessage *message, const struct error *err)
{
    (void)message, (void)err;
    rpc_call_cancel(last_call); /* has ended by now: nothing to do */
    *(bool *)user = true;
}

static void may_be_cancelled_when_it_has_ended(void **state)
{
    struct fixture *f = *state;
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    struct error err;
    bool is_done = false;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    last_call = rpc_call(f->client, &eos__config__v1__config__descriptor, "Compile", &request.base,
                         NULL, on_reply_cancel, &is_done, &err);
    run_until(f, &is_done, 10000);

    is_done = false;
    last_call = rpc_call(f->client, &eos__config__v1__config__descriptor, "Compile", &request.base,
                         NULL, on_reply_cancel, &is_done, &err);
    rpc_client_close(TAKE(f->client)); /* the same when it ends by that */
    run_until(f, &is_done, 10000);
}

static void refuses_metadata_that_is_too_long(void **state)
{
    struct fixture *f = *state;
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    struct error err = { 0 };
    char text[4000];
    bool is_done = false;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct rpc_client_options options = { .url = f->url, .caller = text };
    assert_null(rpc_client_open(&f->loop, &options, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    f->client = fixture_dial(f, NULL);
    struct rpc_call_options call = { .traceparent = text };
    assert_null(rpc_call(f->client, &eos__config__v1__config__descriptor, "Compile", &request.base,
                         &call, on_reply_cancel, &is_done, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
}

struct busy {
    struct fixture *f;
    struct outcome outcome;
};

static void be_busy(uv_timer_t *timer)
{
    struct busy *busy = timer->data;
    nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
    assert_true(start(busy->f, "", 5, 900, &busy->outcome));
}

/* A deadline counts from the call, not from when the loop last looked at the clock. */
static void gives_a_busy_caller_its_time(void **state)
{
    struct fixture *f = *state;
    struct busy busy = { .f = f };
    struct outcome other;
    uv_timer_t timer;
    fixture_serve(f, NULL, NULL);
    f->client = fixture_dial(f, NULL);
    assert_true(start(f, "slow 2500", 0, 60000, &other));
    run_for(f, 100);
    timer.data = &busy;
    uv_timer_init(&f->loop, &timer);
    uv_timer_start(&timer, be_busy, 0, 0);
    run_until(f, &busy.outcome.is_done, 10000);
    assert_int_equal(busy.outcome.code, ERROR_OK);
    uv_close((uv_handle_t *)&timer, NULL);
    run_until(f, &other.is_done, 10000);
}

/* -- the other role of this program --------------------------------------------------------------- */

static int serve(const char *url)
{
    uv_loop_t loop;
    struct echo echo = { 0 };
    struct error err;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
    uv_loop_init(&loop);
    if (!echo_open(&echo, &loop, url, NULL, &err) || write(STDOUT_FILENO, "r", 1) != 1)
        return 1;
    return uv_run(&loop, UV_RUN_DEFAULT);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(answers_after_closing_go_nowhere),
        WITH_FIXTURE(a_call_whose_time_is_over_is_not_answered),
        WITH_FIXTURE(a_client_that_never_reads_is_bounded),
        WITH_FIXTURE(others_are_served_beside_it),
        WITH_FIXTURE(a_connection_that_was_left_stays_left),
        WITH_FIXTURE(a_stopped_server_forgets_nobody),
        WITH_FIXTURE(a_stream_goes_on_when_there_is_room_again),
        WITH_FIXTURE(half_a_stream_request_is_not_kept),
        WITH_FIXTURE(an_old_heartbeat_moves_nobody),
        WITH_FIXTURE(asks_again_when_it_was_forgotten),
        WITH_FIXTURE(makes_a_new_connection_after_a_long_sleep),
        WITH_FIXTURE(leaves_a_peer_that_stopped_reading),
        WITH_FIXTURE(bounds_what_a_paused_stream_keeps),
        WITH_FIXTURE(sends_a_refused_call_again_from_the_start),
        WITH_FIXTURE(may_be_closed_when_the_connection_changes),
        WITH_FIXTURE(forgets_no_cancellation),
        WITH_FIXTURE(may_be_cancelled_when_it_has_ended),
        WITH_FIXTURE(refuses_metadata_that_is_too_long),
        WITH_FIXTURE(gives_a_busy_caller_its_time),
    };
    signal(SIGPIPE, SIG_IGN);
    if (argc > 2 && strcmp(argv[1], "--serve") == 0)
        return serve(argv[2]);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    int failed = RUN_CASES(odds, an_odd_message_does_no_harm);
    failed += RUN_CASES(losses, ends_a_stream_that_lost_a_message);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
