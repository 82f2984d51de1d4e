#include "io/rpc_seal.h"

#include "io/cluster_key_bytes.h"
#include "unit/test.h"

#define TEXT "a message between two hosts"
#define NOW  1700000000000

static const struct cluster_key key = { { 1, 2, 3 } }, other_key = { { 1, 2, 4 } };

static const struct seal_case {
    const char *name;
    const struct cluster_key *opener;
    enum rpc_direction direction;
    int64_t later_ms;
    unsigned change_at; /* 1 + the byte that is flipped; 0: none */
    size_t cut;         /* bytes that are missing at the end */
    bool opens;
} cases[] = {
    { "as it was sent", &key, RPC_TO_SERVER, 0, 0, 0, true },
    { "a clock that is a minute behind", &key, RPC_TO_SERVER, -RPC_SEAL_WINDOW_MS, 0, 0, true },
    { "a clock that is a minute ahead", &key, RPC_TO_SERVER, RPC_SEAL_WINDOW_MS, 0, 0, true },
    { "too old", &key, RPC_TO_SERVER, RPC_SEAL_WINDOW_MS + 1, 0, 0, false },
    { "of the future", &key, RPC_TO_SERVER, -RPC_SEAL_WINDOW_MS - 1, 0, 0, false },
    { "another key", &other_key, RPC_TO_SERVER, 0, 0, 0, false },
    { "sent back", &key, RPC_TO_CLIENT, 0, 0, 0, false },
    { "another version", &key, RPC_TO_SERVER, 0, 1, 0, false },
    { "a changed time", &key, RPC_TO_SERVER, 0, 5, 0, false },
    { "a changed nonce", &key, RPC_TO_SERVER, 0, 12, 0, false },
    { "a changed text", &key, RPC_TO_SERVER, 0, 40, 0, false },
    { "a changed tag", &key, RPC_TO_SERVER, 0, sizeof TEXT - 1 + RPC_SEAL_BYTES, 0, false },
    { "one byte short", &key, RPC_TO_SERVER, 0, 0, 1, false },
    { "hardly anything", &key, RPC_TO_SERVER, 0, 0, sizeof TEXT - 1 + RPC_SEAL_BYTES - 3, false },
};

static void opens_only_what_is_whole(void **state)
{
    const struct seal_case *c = *state;
    struct rpc_seal *sender = rpc_seal_new(&key), *receiver = rpc_seal_new(c->opener);
    char sealed[sizeof TEXT - 1 + RPC_SEAL_BYTES];
    struct slice opened;
    struct error err;
    rpc_seal_close(sender, RPC_TO_SERVER, NOW, SLICE(TEXT), sealed);
    if (c->change_at)
        sealed[c->change_at - 1] ^= 0x20;
    assert_int_equal(rpc_seal_open(receiver, c->direction, NOW + c->later_ms, true, sealed,
                                   sizeof sealed - c->cut, &opened, &err),
                     c->opens);
    if (c->opens)
        assert_true(slice_is(opened, TEXT));
    else
        assert_int_equal(err.code, ERROR_UNAUTHENTICATED);
    rpc_seal_free(sender);
    rpc_seal_free(receiver);
}

static void opens_once(void **state)
{
    struct rpc_seal *seal = rpc_seal_new(&key);
    enum { COUNT = 5000 };
    static char first[COUNT][8 + RPC_SEAL_BYTES], copy[8 + RPC_SEAL_BYTES];
    struct slice opened;
    struct error err;
    (void)state;
    for (int i = 0; i < COUNT; i++) /* across several spans of time */
        rpc_seal_close(seal, RPC_TO_SERVER, NOW + i * 10, SLICE("12345678"), first[i]);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < COUNT; i++) {
            memcpy(copy, first[i], sizeof copy);
            bool ok = rpc_seal_open(seal, RPC_TO_SERVER, NOW + 50000, true, copy, sizeof copy,
                                    &opened, &err);
            assert_int_equal(ok, round == 0);
            if (!ok)
                assert_int_equal(err.code, ERROR_ALREADY_EXISTS);
        }
    rpc_seal_free(seal);
}

static void hides_what_it_seals(void **state)
{
    struct rpc_seal *seal = rpc_seal_new(&key);
    char one[sizeof TEXT - 1 + RPC_SEAL_BYTES], two[sizeof one];
    (void)state;
    rpc_seal_close(seal, RPC_TO_SERVER, NOW, SLICE(TEXT), one);
    rpc_seal_close(seal, RPC_TO_SERVER, NOW, SLICE(TEXT), two);
    assert_null(memmem(one, sizeof one, "message", 7));
    assert_memory_not_equal(one + 9, two + 9, sizeof one - 9);
    rpc_seal_free(seal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_once),
        cmocka_unit_test(hides_what_it_seals),
    };
    return RUN_CASES(cases, opens_only_what_is_whole) + cmocka_run_group_tests(tests, NULL, NULL);
}
