#include "config/compile.h"
#include "config/service.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A compilation takes up to a second, so it runs on a thread of the pool: others go on beside it, and
 * the loop answers for the daemon's health.  Nothing is shared between compilations. */

struct compilation {
    struct service *service;
    struct rpc_request *request;
    struct arena *arena;
    Eos__Config__V1__CompileResponse *response; /* NULL: nobody waits for it any more */
    atomic_bool is_cancelled;
    uv_work_t work;
};

static void on_cancel(void *user)
{
    struct compilation *compilation = user;
    atomic_store(&compilation->is_cancelled, true);
}

static void run(uv_work_t *work)
{
    struct compilation *compilation = work->data;
    if (!atomic_load(&compilation->is_cancelled))
        compilation->response =
            compile_run(compilation->arena, rpc_request_message(compilation->request));
}

static void on_done(uv_work_t *work, int status)
{
    struct compilation *compilation = work->data;
    struct error err;
    assert(status == 0); /* it is never taken back */
    if (compilation->response) {
        rpc_reply(compilation->request, &compilation->response->base);
    } else {
        (void)error_set(&err, ERROR_CANCELLED, "the caller has given up");
        rpc_fail(compilation->request, &err);
    }
    service_end_compilation(compilation->service);
    arena_free(compilation->arena);
    free(compilation);
}

static void start_compile(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    struct error err;
    if (!compile_check_request(rpc_request_message(request), &err) ||
        !service_begin_compilation(service, &err)) {
        rpc_fail(request, &err);
        return;
    }
    struct compilation *compilation = xcalloc(1, sizeof *compilation);
    compilation->service = service;
    compilation->request = request;
    compilation->arena = arena_new();
    compilation->work.data = compilation;
    rpc_request_on_cancel(request, on_cancel, compilation);
    int status = uv_queue_work(service->loop, &compilation->work, run, on_done);
    assert(status == 0);
}

const struct rpc_method config_methods[] = {
    { "Compile", NULL, start_compile },
    { NULL, NULL, NULL },
};
