#include "io/rpc_served.h"

#include "base/alloc.h"

#include "eos/rpc/v1/rpc.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

/* https://github.com/grpc/grpc/blob/master/doc/health-checking.md: an empty name asks for all. */
static bool check(void *ctx, const void *request, void *response, struct arena *arena,
                  struct error *err)
{
    const struct rpc_server *server = ctx;
    const Grpc__Health__V1__HealthCheckRequest *req = request;
    Grpc__Health__V1__HealthCheckResponse *resp = response;
    size_t len = strlen(req->service), cursor = 0;
    bool is_known = len == 0;
    struct slice path;
    void *method;
    (void)arena;

    while (!is_known && map_next(server->methods, &cursor, &path, &method))
        is_known = path.len > len + 1 && memcmp(path.ptr + 1, req->service, len) == 0 &&
                   path.ptr[len + 1] == '/';
    if (!is_known)
        return error_set(err, ERROR_NOT_FOUND, "no such service is served here");
    resp->status = server->is_serving && !server->is_draining
                       ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                       : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    return true;
}

static bool metrics(void *ctx, const void *request, void *response, struct arena *arena,
                    struct error *err)
{
    Eos__Rpc__V1__MetricsResponse *resp = response;
    cleanup_text struct text text = TEXT_INIT;
    (void)ctx, (void)request, (void)err;
    metrics_format(&text);
    resp->text = arena_memdup0(arena, text_string(&text), text.len);
    return true;
}

static const struct rpc_method health_methods[] = {
    { .name = "Check", .handle = check },
    { 0 },
};

static const struct rpc_method introspection_methods[] = {
    { .name = "Metrics", .handle = metrics },
    { 0 },
};

struct rpc_service *rpc_builtin_services(struct rpc_server *server)
{
    struct rpc_service *services = xcalloc(3, sizeof *services);
    services[0] =
        (struct rpc_service){ &grpc__health__v1__health__descriptor, health_methods, server };
    services[1] = (struct rpc_service){ &eos__rpc__v1__introspection__descriptor,
                                        introspection_methods, server };
    return services;
}
