/* Calls of the rpc module against the same messages over bare raw nanomsg sockets, as libraries allow
 * it at best: a loop, the header kept and sent back, protobuf packed and unpacked at both ends, no
 * deadlines, no windows, nothing that survives a lost message.
 *
 *     rpc [SECONDS]     prints microseconds per call with one in flight, and calls per second with 64
 *
 * Server and client are processes of their own; the two kinds take turns. */
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/rpc_client.h"
#include "io/rpc_server.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <assert.h>
#include <nanomsg/nn.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

extern char **environ;

typedef Eos__Launcher__V1__DescribeTaskRequest Request;
typedef Eos__Launcher__V1__DescribeTaskResponse Response;

#define TEXT   "a text of sixty-four bytes, as the identifier of a task may be.."
#define ROUNDS 9
#define BATCH  128

/* -- bare nanomsg --------------------------------------------------------------------------------- */

static int bare_open(int protocol, uv_loop_t *loop, uv_poll_t *poll, uv_poll_cb on_readable)
{
    int buffer = 4 << 20, is_wanted = 1, fd;
    size_t size = sizeof fd;
    int nn = nn_socket(AF_SP_RAW, protocol);
    nn_setsockopt(nn, NN_SOL_SOCKET, NN_SNDBUF, &buffer, sizeof buffer);
    nn_setsockopt(nn, NN_TCP, NN_TCP_NODELAY, &is_wanted,
                  sizeof is_wanted); /* as everybody would */
    nn_getsockopt(nn, NN_SOL_SOCKET, NN_RCVFD, &fd, &size);
    uv_poll_init(loop, poll, fd);
    uv_poll_start(poll, UV_READABLE, on_readable);
    return nn;
}

static int bare_server;

static void bare_serve(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events;
    for (unsigned i = 0; i < BATCH; i++) {
        char control[64], *in, *out;
        struct nn_iovec part = { &in, NN_MSG };
        struct nn_msghdr header = { &part, 1, control, sizeof control };
        int len = nn_recvmsg(bare_server, &header, NN_DONTWAIT);
        if (len < 0)
            return;
        Request *request =
            eos__launcher__v1__describe_task_request__unpack(NULL, (size_t)len, (uint8_t *)in);
        Response response = EOS__LAUNCHER__V1__DESCRIBE_TASK_RESPONSE__INIT;
        response.task_id = request->task_id;
        out = nn_allocmsg(eos__launcher__v1__describe_task_response__get_packed_size(&response), 0);
        eos__launcher__v1__describe_task_response__pack(&response, (uint8_t *)out);
        eos__launcher__v1__describe_task_request__free_unpacked(request, NULL);
        nn_freemsg(in);
        part.iov_base = &out;
        nn_sendmsg(bare_server, &header, NN_DONTWAIT);
    }
}

static void serve_bare(uv_loop_t *loop, const char *url)
{
    static uv_poll_t poll;
    bare_server = bare_open(NN_REP, loop, &poll, bare_serve);
    nn_bind(bare_server, url);
}

/* -- ours ----------------------------------------------------------------------------------------- */

static bool describe(void *ctx, const void *request, void *response, struct arena *arena,
                     struct error *err)
{
    (void)ctx, (void)arena, (void)err;
    ((Response *)response)->task_id = ((const Request *)request)->task_id;
    return true;
}

static void unused(void *ctx, struct rpc_request *request)
{
    struct error err = { .code = ERROR_UNIMPLEMENTED, .message = "not here" };
    (void)ctx;
    rpc_fail(request, &err);
}

static const struct rpc_method methods[] = {
    { .name = "ReadLog", .start = unused },
    { .name = "ListLogs", .start = unused },
    { .name = "DescribeTask", .handle = describe },
    { .name = "StopTasks", .start = unused },
    { .name = "ListImages", .start = unused },
    { .name = "PullImage", .start = unused },
    { .name = "PruneImages", .start = unused },
    { .name = "CheckBlobs", .start = unused },
    { .name = "UploadBlob", .start = unused },
    { .name = "CommitImage", .start = unused },
    { 0 },
};

static void serve_rpc(uv_loop_t *loop, const char *url)
{
    static const struct rpc_service services[] = {
        { &eos__launcher__v1__launcher__descriptor, methods, NULL },
        { 0 },
    };
    struct rpc_server_options options = { .services = services };
    struct error err;
    struct rpc_server *server = rpc_server_open(loop, &options, &err);
    if (!server || !rpc_server_listen(server, url, NULL, &err)) {
        fprintf(stderr, "rpc: %s\n", err.message);
        exit(1);
    }
}

/* -- the client's side ---------------------------------------------------------------------------- */

struct run {
    uv_loop_t loop;
    bool is_bare;
    int nn;
    struct rpc_client *client;
    unsigned in_flight;
    uint64_t until_ns, count;
    uint64_t *samples; /* with one in flight: nanoseconds of each call */
    size_t sample_count;
    uint64_t sent_ns;
    bool is_over;
};

#define SAMPLES_MAX 2000000u

static void send_one(struct run *run);

static void on_answer(struct run *run)
{
    uint64_t now_ns = uv_hrtime();
    run->count++;
    if (run->in_flight == 1 && run->sample_count < SAMPLES_MAX)
        run->samples[run->sample_count++] = now_ns - run->sent_ns;
    if (now_ns < run->until_ns)
        send_one(run);
    else
        run->is_over = true;
}

static void on_reply(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct run *run = user;
    if (!response && run->is_over)
        return;
    assert(!err);
    on_answer(run);
}

static void send_bare(struct run *run, const Request *request)
{
    char control[64] = { 0 }, *out;
    size_t id_len = 4;
    struct nn_cmsghdr *head = (struct nn_cmsghdr *)control;
    head->cmsg_len = NN_CMSG_LEN(sizeof id_len + id_len);
    head->cmsg_level = PROTO_SP;
    head->cmsg_type = SP_HDR;
    memcpy(NN_CMSG_DATA(head), &id_len, sizeof id_len);
    memcpy(NN_CMSG_DATA(head) + sizeof id_len, "\x80\0\0\1", id_len);
    out = nn_allocmsg(eos__launcher__v1__describe_task_request__get_packed_size(request), 0);
    eos__launcher__v1__describe_task_request__pack(request, (uint8_t *)out);
    struct nn_iovec part = { &out, NN_MSG };
    struct nn_msghdr header = { &part, 1, control, NN_CMSG_SPACE(sizeof id_len + id_len) };
    while (nn_sendmsg(run->nn, &header, NN_DONTWAIT) < 0)
        ;
}

static void send_one(struct run *run)
{
    Request request = EOS__LAUNCHER__V1__DESCRIBE_TASK_REQUEST__INIT;
    struct error err;
    request.task_id = TEXT;
    run->sent_ns = uv_hrtime();
    if (run->is_bare)
        send_bare(run, &request);
    else if (!rpc_call(run->client, &eos__launcher__v1__launcher__descriptor, "DescribeTask",
                       &request.base, NULL, on_reply, run, &err))
        abort();
}

static void bare_answers(uv_poll_t *poll, int status, int events)
{
    struct run *run = poll->data;
    (void)status, (void)events;
    for (unsigned i = 0; i < BATCH && !run->is_over; i++) {
        char control[64], *in;
        struct nn_iovec part = { &in, NN_MSG };
        struct nn_msghdr header = { &part, 1, control, sizeof control };
        int len = nn_recvmsg(run->nn, &header, NN_DONTWAIT);
        if (len < 0)
            return;
        Response *response =
            eos__launcher__v1__describe_task_response__unpack(NULL, (size_t)len, (uint8_t *)in);
        assert(strlen(response->task_id) == strlen(TEXT));
        eos__launcher__v1__describe_task_response__free_unpacked(response, NULL);
        nn_freemsg(in);
        on_answer(run);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int compare_samples(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Median microseconds with one in flight, otherwise calls per second. */
static double measure(const char *url, bool is_bare, unsigned in_flight, double seconds)
{
    struct run run = { .is_bare = is_bare, .in_flight = in_flight };
    struct rpc_client_options options = { .url = url, .caller = "bench" };
    struct error err;
    uv_poll_t poll;
    uv_loop_init(&run.loop);
    run.samples = xcalloc(SAMPLES_MAX, sizeof *run.samples);
    if (is_bare) {
        run.nn = bare_open(NN_REQ, &run.loop, &poll, bare_answers);
        poll.data = &run;
        nn_connect(run.nn, url);
    } else {
        run.client = rpc_client_open(&run.loop, &options, &err);
    }
    uint64_t start_ns = uv_hrtime();
    run.until_ns = start_ns + (uint64_t)(seconds * 1e9);
    for (unsigned i = 0; i < in_flight; i++)
        send_one(&run);
    while (!run.is_over)
        uv_run(&run.loop, UV_RUN_ONCE);
    double took = (double)(uv_hrtime() - start_ns) / 1e9, result = (double)run.count / took;
    if (in_flight == 1) {
        qsort(run.samples, run.sample_count, sizeof *run.samples, compare_samples);
        result = (double)run.samples[run.sample_count / 2] / 1e3;
    }
    if (is_bare) {
        uv_close((uv_handle_t *)&poll, NULL);
        nn_close(run.nn);
    }
    rpc_client_close(run.client);
    uv_run(&run.loop, UV_RUN_DEFAULT);
    uv_loop_close(&run.loop);
    free(run.samples);
    return result;
}

static int serve(const char *kind, const char *url)
{
    uv_loop_t loop;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    uv_loop_init(&loop);
    if (strcmp(kind, "--bare") == 0)
        serve_bare(&loop, url);
    else
        serve_rpc(&loop, url);
    return uv_run(&loop, UV_RUN_DEFAULT);
}

static pid_t start_server(const char *kind, const char *url)
{
    char *argv[] = { "rpc", (char *)kind, (char *)url, NULL };
    pid_t pid;
    if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) != 0)
        abort();
    return pid;
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

/* Waking another core costs more than a call and differs from run to run, so one call at a time is
 * measured with everything on one core. */
static void use_one_core(bool is_wanted)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    for (int core = 0; core < (is_wanted ? 1 : CPU_SETSIZE); core++)
        CPU_SET(core, &cores);
    sched_setaffinity(0, sizeof cores, &cores);
}

static void report(const char *transport, const char *const urls[2], unsigned in_flight,
                   double seconds)
{
    double rounds[2][ROUNDS];
    use_one_core(in_flight == 1);
    pid_t servers[] = { start_server("--bare", urls[0]), start_server("--rpc", urls[1]) };
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned kind = 0; kind < 2; kind++)
            rounds[kind][round] = measure(urls[kind], kind == 0, in_flight, seconds);
    double bare = median(rounds[0]), ours = median(rounds[1]);
    printf("%-4s %3u in flight   nanomsg %9.1f   eos %9.1f   %s   ratio %.2f\n", transport,
           in_flight, bare, ours, in_flight == 1 ? "us, p50" : "calls/s", ours / bare);
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        kill(servers[i], SIGKILL);
        waitpid(servers[i], NULL, 0);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return serve(argv[1], argv[2]);
    double seconds = argc == 2 ? strtod(argv[1], NULL) : 1;
    char directory[] = "/tmp/eos-bench.XXXXXX", bare[64], ours[64];
    if (!mkdtemp(directory))
        return 1;
    snprintf(bare, sizeof bare, "ipc://%s/bare", directory);
    snprintf(ours, sizeof ours, "ipc://%s/rpc", directory);
    const char *ipc[] = { bare, ours };
    const char *tcp[] = { "tcp://127.0.0.1:28641", "tcp://127.0.0.1:28642" };
    report("ipc", ipc, 1, seconds);
    report("ipc", ipc, 64, seconds);
    report("tcp", tcp, 1, seconds);
    report("tcp", tcp, 64, seconds);
    unlink(bare + strlen("ipc://"));
    unlink(ours + strlen("ipc://"));
    return rmdir(directory);
}
