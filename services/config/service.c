#include "config/service.h"

#include "base/alloc.h"
#include "eos/config/v1/config.pb-c.h"
#include "io/daemon.h"
#include "io/log.h"

#include <stdlib.h>

#define DRAIN_MS 10000

static bool open_server(struct service *service, uv_loop_t *loop, const char *url,
                        struct error *err)
{
    service->methods[0] = (struct rpc_service){ .descriptor = &eos__config__v1__config__descriptor,
                                                .methods = config_methods,
                                                .ctx = service };
    const struct rpc_server_options options = { .services = service->methods };
    service->server = rpc_server_open(loop, &options, err);
    return service->server && rpc_server_listen(service->server, url, NULL, err);
}

bool service_open(uv_loop_t *loop, void *user, void **ret_service, struct error *err)
{
    const struct service_options *options = user;
    struct service *service = xcalloc(1, sizeof *service);
    service->loop = loop;
    if (!open_server(service, loop, options->listen, err)) {
        rpc_server_close(service->server);
        free(service);
        return false;
    }
    *ret_service = service;
    return true;
}

static void on_drained(void *user)
{
    (void)user;
    daemon_drained();
}

void service_drain(void *user)
{
    struct service *service = user;
    rpc_server_drain(service->server, DRAIN_MS, on_drained, service);
}

void service_close(void *user)
{
    struct service *service = user;
    rpc_server_close(service->server);
    service->is_closed = true;
    if (service->compilations == 0)
        free(service);
}

bool service_begin_compilation(struct service *service, struct error *err)
{
    if (service->compilations >= SERVICE_MAX_COMPILATIONS)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "%u configurations are being compiled or wait for it, which is the most",
                         SERVICE_MAX_COMPILATIONS);
    service->compilations++;
    return true;
}

void service_end_compilation(struct service *service)
{
    if (--service->compilations == 0 && service->is_closed)
        free(service);
}
