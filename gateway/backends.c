#include "gateway/backends.h"

#include "base/alloc.h"

#include <assert.h>

struct backends {
    struct rpc_client *clients[BACKEND_COUNT];
};

struct backends *backends_open(uv_loop_t *loop, const char *const urls[BACKEND_COUNT],
                               const struct cluster_key *key, struct error *err)
{
    struct backends *backends = xcalloc(1, sizeof *backends);
    for (enum backend i = 0; i < BACKEND_COUNT; i++) {
        struct rpc_client_options options = { .url = urls[i], .caller = "gateway", .key = key };
        backends->clients[i] = rpc_client_open(loop, &options, err);
        if (!backends->clients[i]) {
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
        rpc_client_close(backends->clients[i]);
    free(backends);
}

struct rpc_client *backend_client(const struct backends *backends, enum backend backend)
{
    assert(backend < BACKEND_COUNT);
    return backends->clients[backend];
}

struct rpc_call *backend_call(struct backends *backends, enum backend backend,
                              const struct exchange *exchange,
                              const ProtobufCServiceDescriptor *service, const char *method,
                              const ProtobufCMessage *request, rpc_reply_fn *reply, void *user,
                              struct error *err)
{
    struct rpc_client *client = backend_client(backends, backend);
    struct rpc_call_options options = {
        .deadline_ms = rpc_client_is_connected(client) ? 0 : BACKEND_DOWN_DEADLINE_MS,
        .traceparent = exchange_traceparent(exchange),
    };
    return rpc_call(client, service, method, request, &options, reply, user, err);
}

void backend_fail(struct exchange *exchange, const char *name, const struct error *err)
{
    struct error named = *err;
    if (err->code == ERROR_UNAVAILABLE || err->code == ERROR_DEADLINE_EXCEEDED)
        error_prefix(&named, "the %s does not answer", name);
    exchange_fail(exchange, &named);
}
