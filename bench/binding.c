/* Asks a binder for images: COUNT distinct tags, 64 at a time, and then one of them again and again, in
 * turns with a call of the same server that does nothing.
 *
 *     binding URL REGISTRY/REPOSITORY COUNT     the tags are t0, t1, …
 *
 * bench/bind starts what it needs. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/rpc_client.h"

#include "eos/binder/v1/binder.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 64
#define CACHED 20000 /* calls of each kind */
#define WARM   1000  /* of them not counted */

static struct {
    struct rpc_client *client;
    const char *repository;
    unsigned count, begun, ended;
    uint64_t started_ns;
    double all_ms;
    uint64_t *plain, *cached; /* nanoseconds */
    unsigned turns;
} bench;

static void stop(const struct error *err)
{
    fprintf(stderr, "binding: %s\n", err->message);
    exit(1);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double median_us(uint64_t *times)
{
    qsort(times + WARM, CACHED - WARM, sizeof *times, compare);
    return (double)times[WARM + (CACHED - WARM) / 2] / 1000;
}

static void report(void)
{
    double plain = median_us(bench.plain), cached = median_us(bench.cached);
    printf("%u distinct tags: %.0f ms, %.2f ms per tag\n", bench.count, bench.all_ms,
           bench.all_ms / bench.count);
    printf("a call that does nothing, p50: %.1f us\n", plain);
    printf("a resolve out of the cache, p50: %.1f us, ratio %.2f\n", cached, cached / plain);
    rpc_client_close(bench.client);
}

/* -- what is cached ------------------------------------------------------------------------------- */

static void call_plain(void);

static void call_resolve(unsigned tag, rpc_reply_fn *reply)
{
    Eos__Binder__V1__ResolveRequest request = EOS__BINDER__V1__RESOLVE_REQUEST__INIT;
    cleanup_free char *reference = xasprintf("%s:t%u", bench.repository, tag);
    struct error err;
    request.reference = reference;
    if (!rpc_call(bench.client, &eos__binder__v1__binder__descriptor, "Resolve", &request.base,
                  NULL, reply, NULL, &err))
        stop(&err);
}

static void on_cached(void *user, const ProtobufCMessage *response, const struct error *err)
{
    (void)user;
    if (!response)
        stop(err);
    bench.cached[bench.turns++] = uv_hrtime() - bench.started_ns;
    if (bench.turns == CACHED)
        report();
    else
        call_plain();
}

static void on_plain(void *user, const ProtobufCMessage *response, const struct error *err)
{
    (void)user;
    if (!response)
        stop(err);
    bench.plain[bench.turns] = uv_hrtime() - bench.started_ns;
    bench.started_ns = uv_hrtime();
    call_resolve(0, on_cached);
}

static void call_plain(void)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct error err;
    bench.started_ns = uv_hrtime();
    if (!rpc_call(bench.client, &grpc__health__v1__health__descriptor, "Check", &request.base, NULL,
                  on_plain, NULL, &err))
        stop(&err);
}

/* -- what is not ---------------------------------------------------------------------------------- */

static void on_found(void *user, const ProtobufCMessage *response, const struct error *err)
{
    (void)user;
    if (!response)
        stop(err);
    if (bench.begun < bench.count)
        call_resolve(bench.begun++, on_found);
    if (++bench.ended < bench.count)
        return;
    bench.all_ms = (double)(uv_hrtime() - bench.started_ns) / 1e6;
    call_plain();
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    struct error err;
    if (argc != 4 || (bench.count = (unsigned)strtoul(argv[3], NULL, 10)) == 0) {
        fprintf(stderr, "usage: binding URL REGISTRY/REPOSITORY COUNT\n");
        return 2;
    }
    struct rpc_client_options options = { .url = argv[1], .caller = "bench" };
    uv_loop_init(&loop);
    bench.repository = argv[2];
    bench.plain = xcalloc(CACHED, sizeof(uint64_t));
    bench.cached = xcalloc(CACHED, sizeof(uint64_t));
    bench.client = rpc_client_open(&loop, &options, &err);
    if (!bench.client)
        stop(&err);
    bench.started_ns = uv_hrtime();
    while (bench.begun < bench.count && bench.begun < WINDOW)
        call_resolve(bench.begun++, on_found);
    uv_run(&loop, UV_RUN_DEFAULT);
    free(bench.plain);
    free(bench.cached);
    return uv_loop_close(&loop) == 0 ? 0 : 3;
}
