#include "io/rpc_seal.h"

#include "base/alloc.h"
#include "io/cluster_key_bytes.h"

#include <sodium.h>
#include <stdlib.h>

#define VERSION     1
#define TIME_BYTES  8u
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES   crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY_BYTES   crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define HEAD_BYTES  (1 + TIME_BYTES)

_Static_assert(HEAD_BYTES + NONCE_BYTES + TAG_BYTES == RPC_SEAL_BYTES,
               "layout of a sealed message");
_Static_assert(crypto_kdf_KEYBYTES == CLUSTER_KEY_BYTES, "the cluster key is a master key");

/* Nonces of messages whose time lies in one span of RPC_SEAL_WINDOW_MS, as an open-addressed table of
 * their first 8 bytes (they are random).  Because a message is refused when its time is further than
 * the window from now, three spans are ever needed. */
#define SPAN_COUNT       3u
#define FIRST_TABLE      1024u
#define LOAD_NUMERATOR   3u
#define LOAD_DENOMINATOR 4u

struct span {
    int64_t number; /* time / window */
    uint64_t *nonces;
    size_t size, count;
};

struct rpc_seal {
    unsigned char keys[2][KEY_BYTES];
    struct span spans[SPAN_COUNT];
};

struct rpc_seal *rpc_seal_new(const struct cluster_key *key)
{
    struct rpc_seal *seal = xcalloc(1, sizeof *seal);
    if (sodium_init() < 0) /* chooses the fastest code for this processor, too */
        abort();
    for (uint64_t direction = 0; direction < 2; direction++)
        crypto_kdf_derive_from_key(seal->keys[direction], KEY_BYTES, direction + 1, "eos-rpc1",
                                   key->bytes);
    return seal;
}

void rpc_seal_free(struct rpc_seal *seal)
{
    if (!seal)
        return;
    for (size_t i = 0; i < SPAN_COUNT; i++)
        free(seal->spans[i].nonces);
    sodium_memzero(seal->keys, sizeof seal->keys);
    free(seal);
}

static void put_time(unsigned char *to, int64_t time_ms)
{
    for (unsigned i = 0; i < TIME_BYTES; i++)
        to[i] = (unsigned char)((uint64_t)time_ms >> (8 * (TIME_BYTES - 1 - i)));
}

static int64_t get_time(const unsigned char *from)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < TIME_BYTES; i++)
        value = value << 8 | from[i];
    return (int64_t)value;
}

void rpc_seal_close(const struct rpc_seal *seal, enum rpc_direction direction, int64_t now_ms,
                    struct slice bytes, char *to)
{
    unsigned char *head = (unsigned char *)to, *nonce = head + HEAD_BYTES;
    head[0] = VERSION;
    put_time(head + 1, now_ms);
    randombytes_buf(nonce, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_BYTES, NULL,
                                               (const unsigned char *)bytes.ptr, bytes.len, head,
                                               HEAD_BYTES, NULL, nonce, seal->keys[direction]);
}

/* -- replays -------------------------------------------------------------------------------------- */

static bool insert(struct span *span, uint64_t nonce)
{
    for (size_t at = nonce & (span->size - 1);; at = (at + 1) & (span->size - 1)) {
        if (span->nonces[at] == nonce)
            return false;
        if (span->nonces[at] == 0) {
            span->nonces[at] = nonce;
            span->count++;
            return true;
        }
    }
}

static void grow(struct span *span)
{
    struct span larger = { .number = span->number,
                           .size = span->size ? 2 * span->size : FIRST_TABLE };
    larger.nonces = xcalloc(larger.size, sizeof *larger.nonces);
    for (size_t i = 0; i < span->size; i++)
        if (span->nonces[i] != 0)
            insert(&larger, span->nonces[i]);
    free(span->nonces);
    *span = larger;
}

static struct span *find_span(struct rpc_seal *seal, int64_t number)
{
    struct span *span = &seal->spans[(uint64_t)number % SPAN_COUNT];
    if (span->number != number) {
        free(span->nonces);
        *span = (struct span){ .number = number };
    }
    return span;
}

static bool remember(struct rpc_seal *seal, int64_t time_ms, const unsigned char *nonce,
                     struct error *err)
{
    uint64_t key;
    struct span *span = find_span(seal, time_ms / RPC_SEAL_WINDOW_MS);
    memcpy(&key, nonce, sizeof key);
    key |= key == 0; /* zero marks a free place */
    if (span->count >= RPC_SEAL_NONCES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "more than %u messages within %d s",
                         RPC_SEAL_NONCES, RPC_SEAL_WINDOW_MS / 1000);
    if ((span->count + 1) * LOAD_DENOMINATOR > span->size * LOAD_NUMERATOR)
        grow(span);
    if (!insert(span, key))
        return error_set(err, ERROR_ALREADY_EXISTS, "message was received before");
    return true;
}

bool rpc_seal_open(struct rpc_seal *seal, enum rpc_direction direction, int64_t now_ms, bool once,
                   char *sealed, size_t len, struct slice *ret_opened, struct error *err)
{
    unsigned char *head = (unsigned char *)sealed, *nonce = head + HEAD_BYTES;
    unsigned char *body = nonce + NONCE_BYTES;
    unsigned long long opened;

    if (len < RPC_SEAL_BYTES || head[0] != VERSION)
        return error_set(err, ERROR_UNAUTHENTICATED, "message is not sealed");
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(body, &opened, NULL, body,
                                                   len - HEAD_BYTES - NONCE_BYTES, head, HEAD_BYTES,
                                                   nonce, seal->keys[direction]) != 0)
        return error_set(err, ERROR_UNAUTHENTICATED, "message is sealed with another key");
    int64_t time_ms = get_time(head + 1);
    if (time_ms < now_ms - RPC_SEAL_WINDOW_MS || time_ms > now_ms + RPC_SEAL_WINDOW_MS)
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "message is of another time, the clocks of the hosts may differ by %d s",
                         RPC_SEAL_WINDOW_MS / 1000);
    if (once && !remember(seal, time_ms, nonce, err))
        return false;
    *ret_opened = (struct slice){ (const char *)body, opened };
    return true;
}
