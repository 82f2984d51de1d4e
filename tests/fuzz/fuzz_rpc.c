#include "base/arena.h"
#include "io/rpc_payload.h"
#include "io/rpc_served.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

#include <stdlib.h>

/* What comes in at a server's socket: the envelope, the assembly of chunks, the dispatch and the
 * decoding of the request.  The input is a sequence of messages, each behind two bytes of length. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uv_loop_t loop;

static void fail_at_once(void *ctx, struct rpc_request *request)
{
    struct error err = { .code = ERROR_NOT_FOUND, .message = "not here" };
    (void)ctx;
    rpc_fail(request, &err);
}

static const struct rpc_method methods[] = {
    { .name = "CreateJob", .start = fail_at_once },
    { .name = "KillTasks", .start = fail_at_once },
    { .name = "ListJobs", .start = fail_at_once },
    { .name = "GetJob", .start = fail_at_once },
    { .name = "ListTasks", .start = fail_at_once },
    { .name = "PendingReasons", .start = fail_at_once },
    { .name = "ListHosts", .start = fail_at_once },
    { 0 },
};

static const struct rpc_service services[] = {
    { &eos__scheduler__v1__scheduler__descriptor, methods, NULL },
    { 0 },
};

static struct rpc_server *open_server(void)
{
    static char directory[] = "/tmp/eos-fuzz.XXXXXX";
    char url[64];
    struct rpc_server_options options = { .services = services };
    struct error err;
    uv_loop_init(&loop);
    if (!mkdtemp(directory))
        abort();
    snprintf(url, sizeof url, "ipc://%s/s", directory);
    struct rpc_server *server = rpc_server_open(&loop, &options, &err);
    if (!server || !rpc_server_listen(server, url, NULL, &err))
        abort();
    return server;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rpc_server *server;
    struct rpc_route route = { .bytes = { 0, 0, 0, 1, 0x80, 0, 0, 1 }, .len = 8 };
    if (!server)
        server = open_server();
    while (size >= 2) {
        size_t len = (size_t)data[0] << 8 | data[1];
        data += 2, size -= 2;
        if (len > size)
            len = size;
        char *message = malloc(len + 1);
        memcpy(message, data, len);
        rpc_endpoint_take(server->endpoints[0], &route, message, len);
        free(message);
        data += len, size -= len;
    }
    rpc_endpoint_forget_peers(server->endpoints[0]);
    uv_run(&loop, UV_RUN_NOWAIT);
    return 0;
}
