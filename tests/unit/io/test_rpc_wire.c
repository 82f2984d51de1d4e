#include "io/rpc_wire.h"

#include "eos/rpc/v1/rpc.pb-c.h"
#include "unit/test.h"

/* What the hand-written encoder makes, the generated code reads, and the other way round. */

static void calls_agree(void **state)
{
    char bytes[1024];
    struct rpc_wire_call call = {
        .kind = RPC_CANCEL,
        .client_id = 0xfedcba9876543210u,
        .call_id = 1,
        .method = SLICE("/a.B/C"),
        .time_left_ms = 300,
        .metadata = { { SLICE("traceparent"), SLICE("00-x") }, { SLICE("k"), SLICE("") } },
        .metadata_count = 2,
        .payload = SLICE("payload"),
        .chunk = 7,
        .has_more = true,
        .connection = 0x80000001u,
        .received = 1ull << 40,
        .credit = 5,
        .server = UINT64_MAX,
    };
    (void)state;
    assert_true(rpc_wire_call_max(&call) <= sizeof bytes);
    size_t len = rpc_wire_encode_call(&call, bytes);
    memcpy(bytes + len, call.payload.ptr, call.payload.len);
    len += call.payload.len;

    Eos__Rpc__V1__Call *theirs = eos__rpc__v1__call__unpack(NULL, len, (uint8_t *)bytes);
    assert_non_null(theirs);
    assert_int_equal(theirs->kind, EOS__RPC__V1__CALL__KIND__CANCEL);
    assert_true(theirs->client_id == call.client_id && theirs->call_id == 1);
    assert_string_equal(theirs->method, "/a.B/C");
    assert_int_equal(theirs->time_left_ms, 300);
    assert_int_equal(theirs->n_metadata, 2);
    assert_string_equal(theirs->metadata[0]->value, "00-x");
    assert_int_equal(theirs->payload.len, 7);
    assert_int_equal(theirs->chunk, 7);
    assert_true(theirs->has_more);
    assert_true(theirs->connection == call.connection && theirs->received == call.received);
    assert_int_equal(theirs->credit, 5);
    assert_true(theirs->server == UINT64_MAX);

    uint8_t again[1024];
    struct rpc_wire_call back;
    struct error err;
    size_t again_len = eos__rpc__v1__call__pack(theirs, again);
    eos__rpc__v1__call__free_unpacked(theirs, NULL);
    assert_true(rpc_wire_decode_call((struct slice){ (char *)again, again_len }, &back, &err));
    assert_int_equal(back.kind, RPC_CANCEL);
    assert_true(back.client_id == call.client_id && back.server == call.server);
    assert_true(slice_is(back.method, "/a.B/C") && slice_is(back.payload, "payload"));
    assert_true(slice_is(rpc_wire_metadata(&back, "traceparent"), "00-x"));
    assert_int_equal(rpc_wire_metadata(&back, "none").len, 0);
    assert_true(back.connection == call.connection && back.received == call.received);
    assert_true(back.chunk == 7 && back.has_more && back.credit == 5);
}

static void replies_agree(void **state)
{
    char bytes[1024];
    struct rpc_wire_reply reply = {
        .call_id = 77,
        .has_status = true,
        .code = 14,
        .message = SLICE("away"),
        .payload = SLICE("xyz"),
        .chunk = 300,
        .has_more = true,
        .is_last = true,
        .is_refused = true,
        .connection = 3,
        .server = 4,
        .sent = 5,
        .heartbeat_ms = 6,
    };
    (void)state;
    assert_true(rpc_wire_reply_max(&reply) <= sizeof bytes);
    size_t len = rpc_wire_encode_reply(&reply, bytes);
    memcpy(bytes + len, "xyz", 3);

    Eos__Rpc__V1__Reply *theirs = eos__rpc__v1__reply__unpack(NULL, len + 3, (uint8_t *)bytes);
    assert_non_null(theirs);
    assert_int_equal(theirs->call_id, 77);
    assert_int_equal(theirs->status->code, 14);
    assert_string_equal(theirs->status->message, "away");
    assert_int_equal(theirs->payload.len, 3);
    assert_int_equal(theirs->chunk, 300);
    assert_true(theirs->has_more && theirs->is_last && theirs->is_refused);
    assert_int_equal(theirs->connection, 3);
    assert_true(theirs->server == 4 && theirs->sent == 5 && theirs->heartbeat_ms == 6);

    uint8_t again[1024];
    struct rpc_wire_reply back;
    struct error err;
    size_t again_len = eos__rpc__v1__reply__pack(theirs, again);
    eos__rpc__v1__reply__free_unpacked(theirs, NULL);
    assert_true(rpc_wire_decode_reply((struct slice){ (char *)again, again_len }, &back, &err));
    assert_true(back.has_status && back.code == 14 && slice_is(back.message, "away"));
    assert_true(slice_is(back.payload, "xyz") && back.chunk == 300);
    assert_true(back.has_more && back.is_last && back.is_refused && back.connection == 3);
    assert_true(back.server == 4 && back.sent == 5 && back.heartbeat_ms == 6);
}

#define IDS                                                                                        \
    "\x11"                                                                                         \
    "clientid"                                                                                     \
    "\x19"                                                                                         \
    "call__id"

static const struct bad_case {
    const char *name;
    struct slice bytes;
    bool is_good;
    const char *message;
} bad[] = {
    { "ids alone", SLICE(IDS), true, "" },
    { "an unknown field is skipped", SLICE(IDS "\xf8\x01\x05"), true, "" },
    { "a field of another type is skipped", SLICE(IDS "\x20\x05"), true, "" },
    { "empty", SLICE(""), false, "no client or call id" },
    { "no client",
      SLICE("\x19"
            "call__id"),
      false, "no client or call id" },
    { "a cut number", SLICE(IDS "\x28\xff"), false, "malformed" },
    { "a cut fixed number",
      SLICE("\x11"
            "cli"),
      false, "malformed" },
    { "a length over the end",
      SLICE(IDS "\x22\x05"
                "abc"),
      false, "malformed" },
    { "a huge length", SLICE(IDS "\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), false,
      "malformed" },
    { "field number 0", SLICE(IDS "\x02\x00"), false, "malformed" },
    { "a group", SLICE(IDS "\x0b"), false, "malformed" },
    { "an unknown kind", SLICE(IDS "\x08\x09"), false, "unknown kind" },
    { "broken metadata", SLICE(IDS "\x32\x02\x0a\x05"), false, "malformed" },
};

static void reads_or_explains(void **state)
{
    const struct bad_case *c = *state;
    struct rpc_wire_call call;
    struct error err = { 0 };
    assert_int_equal(rpc_wire_decode_call(c->bytes, &call, &err), c->is_good);
    assert_non_null(strstr(err.message, c->message));
}

static void bounds_metadata(void **state)
{
    struct rpc_wire_call call;
    struct error err;
    char bytes[17 + 3 * (RPC_METADATA_MAX + 1)];
    size_t len = sizeof IDS - 1;
    (void)state;
    memcpy(bytes, IDS, len);
    for (unsigned i = 0; i <= RPC_METADATA_MAX; i++) {
        memcpy(bytes + len, "\x32\x00", 2);
        len += 2;
        bool fits = i < RPC_METADATA_MAX;
        assert_int_equal(rpc_wire_decode_call((struct slice){ bytes, len }, &call, &err), fits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_agree),
        cmocka_unit_test(replies_agree),
        cmocka_unit_test(bounds_metadata),
    };
    return RUN_CASES(bad, reads_or_explains) + cmocka_run_group_tests(tests, NULL, NULL);
}
