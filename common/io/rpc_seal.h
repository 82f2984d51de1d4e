#pragma once

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

struct cluster_key;

/* Seals messages with XChaCha20-Poly1305 under a key for the direction, derived from the cluster's.
 * A sealed message is: version (1 byte), time (8, milliseconds, big endian), nonce (24, random),
 * ciphertext, tag (16); the version and the time are authenticated too. */
struct rpc_seal;

enum rpc_direction { RPC_TO_SERVER, RPC_TO_CLIENT };

#define RPC_SEAL_BYTES     49u        /* what a message grows by */
#define RPC_SEAL_WINDOW_MS 60000      /* how far the clocks of two hosts may differ */
#define RPC_SEAL_NONCES    (1u << 21) /* remembered per half window; more messages are refused */

struct rpc_seal *rpc_seal_new(const struct cluster_key *key);
void rpc_seal_free(struct rpc_seal *seal);

/* Writes `bytes.len + RPC_SEAL_BYTES` bytes to `to`, which may not overlap. */
void rpc_seal_close(const struct rpc_seal *seal, enum rpc_direction direction, int64_t now_ms,
                    struct slice bytes, char *to);

/* Opens in place: `*ret_opened` is a view into `sealed`.  UNAUTHENTICATED for another key, another
 * direction, changed bytes, or a time outside the window.  With `once`, a message that was opened
 * before is ALREADY_EXISTS. */
bool rpc_seal_open(struct rpc_seal *seal, enum rpc_direction direction, int64_t now_ms, bool once,
                   char *sealed, size_t len, struct slice *ret_opened,
                   struct error *err) MUST_CHECK;
