#pragma once

#include "base/error.h"
#include "gateway/exchange.h"
#include "gateway/peer.h"
#include "gateway/routes.h"

/* The services that the gateway speaks for: one peer each. */
struct backends;

struct backends *backends_open(uv_loop_t *loop, const char *const urls[BACKEND_COUNT],
                               const struct cluster_key *key, struct error *err) MUST_CHECK;
void backends_close(struct backends *backends); /* NULL is a no-op */

struct peer *backend_peer(const struct backends *backends, enum backend backend);

/* peer_call() for an exchange, with its traceparent. */
struct peer_call *backend_call(struct backends *backends, enum backend backend,
                               const struct exchange *exchange,
                               const ProtobufCServiceDescriptor *service, const char *method,
                               const ProtobufCMessage *request, rpc_reply_fn *reply, void *user,
                               struct error *err) MUST_CHECK;

/* The error of a call, with "the <name> does not answer" in front when it means that. */
struct error backend_error(const char *name, const struct error *err);

/* Ends `exchange` with backend_error(). */
void backend_fail(struct exchange *exchange, const char *name, const struct error *err);
