#include "gateway/backends.h"

#include "base/alloc.h"

#include <assert.h>

struct backends {
    struct peer *peers[BACKEND_COUNT];
};

struct backends *backends_open(uv_loop_t *loop, const char *const urls[BACKEND_COUNT],
                               const struct cluster_key *key, struct error *err)
{
    struct backends *backends = xcalloc(1, sizeof *backends);
    for (enum backend i = 0; i < BACKEND_COUNT; i++) {
        struct rpc_client_options options = { .url = urls[i], .caller = "gateway", .key = key };
        backends->peers[i] = peer_open(loop, &options, err);
        if (!backends->peers[i]) {
            error_prefix(err, "flag --%s", backend_name(i));
            backends_close(backends);
            return NULL;
        }
    }
    return backends;
}

void backends_close(struct backends *backends)
{
    if (!backends)
        return;
    for (enum backend i = 0; i < BACKEND_COUNT; i++)
        peer_close(backends->peers[i]);
    free(backends);
}

struct peer *backend_peer(const struct backends *backends, enum backend backend)
{
    assert(backend < BACKEND_COUNT);
    return backends->peers[backend];
}

struct peer_call *backend_call(struct backends *backends, enum backend backend,
                               const struct exchange *exchange,
                               const ProtobufCServiceDescriptor *service, const char *method,
                               const ProtobufCMessage *request, rpc_reply_fn *reply, void *user,
                               struct error *err)
{
    struct rpc_call_options options = { .traceparent = exchange_traceparent(exchange) };
    return peer_call(backend_peer(backends, backend), service, method, request, &options, reply,
                     user, err);
}

struct error backend_error(const char *name, const struct error *err)
{
    struct error named = *err;
    if (err->is_unanswered)
        error_prefix(&named, "the %s does not answer", name);
    return named;
}

void backend_fail(struct exchange *exchange, const char *name, const struct error *err)
{
    struct error named = backend_error(name, err);
    exchange_fail(exchange, &named);
}
