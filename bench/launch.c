/* 100 tasks of /bin/true in a container of a Docker image, one after the other: from the answer that
 * tells a real launcher to launch until it reports that the task has ended, beside `crun run` of the
 * same root filesystem.  This program plays the scheduler.  bench/launch prepares everything.
 *
 *     launch LAUNCHER STATE-DIR CLUSTERS-FILE IMAGE TAG BUNDLE [ROUNDS] */
#include "base/alloc.h"
#include "base/slice.h"
#include "io/rpc_server.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

#define ROUNDS_MAX 1000u

typedef Eos__Scheduler__V1__SyncRequest SyncRequest;
typedef Eos__Scheduler__V1__SyncResponse SyncResponse;

static struct bench {
    uv_loop_t loop;
    uv_timer_t next;
    struct rpc_server *server;
    struct rpc_request *poll; /* held until there is something to say */
    const char *image, *tag, *bundle;
    char task_id[32], ended[32];
    bool is_wanted, is_over;
    uint64_t start_ns;
    uint64_t rounds;
    unsigned round;
    double ours[ROUNDS_MAX], crun[ROUNDS_MAX];
} bench;

/* -- crun ----------------------------------------------------------------------------------------- */

static double run_crun(unsigned number)
{
    char id[32];
    int status;
    pid_t pid;
    snprintf(id, sizeof id, "eos-bench-%d-%u", getpid(), number);
    char *argv[] = { "crun", "run", "-b", (char *)bench.bundle, id, NULL };
    uint64_t start_ns = uv_hrtime();
    if (posix_spawnp(&pid, "crun", NULL, NULL, argv, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "launch: crun did not run\n");
        exit(1);
    }
    return (double)(uv_hrtime() - start_ns) / 1e6;
}

/* -- the scheduler's part ------------------------------------------------------------------------- */

#define EXECUTOR_DATA                                                                              \
    "{\"role\": \"www-data\", \"environment\": \"devel\", \"name\": \"bench\", "                   \
    "\"cluster\": \"bench\", \"task\": {\"name\": \"bench\", \"processes\": [{\"name\": "          \
    "\"true\", "                                                                                   \
    "\"cmdline\": \"exec /bin/true\", \"max_failures\": 1, \"min_duration\": 1, "                  \
    "\"daemon\": false, \"ephemeral\": false, \"final\": false}], \"constraints\": [], "           \
    "\"finalization_wait\": 30, \"max_failures\": 1, \"max_concurrency\": 0, "                     \
    "\"resources\": {\"cpu\": 1.0, \"ram\": 67108864, \"disk\": 16777216}}}"

struct launch {
    Eos__Scheduler__V1__LaunchTask message;
    Eos__Job__V1__AssignedTask assigned;
    Eos__Job__V1__TaskConfig config;
    Eos__Job__V1__JobKey key;
    Eos__Job__V1__Identity owner;
    Eos__Job__V1__Resource cpu, ram, disk, *resources[3];
    Eos__Job__V1__Container container;
    Eos__Job__V1__MesosContainer mesos;
    Eos__Job__V1__Image image;
    Eos__Job__V1__DockerImage docker;
};

static void fill_resources(struct launch *launch)
{
    launch->cpu = launch->ram = launch->disk = (Eos__Job__V1__Resource)EOS__JOB__V1__RESOURCE__INIT;
    launch->cpu.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS;
    launch->cpu.num_cpus = 1;
    launch->ram.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB;
    launch->ram.ram_mb = 64;
    launch->disk.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_DISK_MB;
    launch->disk.disk_mb = 16;
    launch->resources[0] = &launch->cpu;
    launch->resources[1] = &launch->ram;
    launch->resources[2] = &launch->disk;
    launch->config.resources = launch->resources;
    launch->config.n_resources = 3;
}

static void fill_container(struct launch *launch)
{
    eos__job__v1__container__init(&launch->container);
    eos__job__v1__mesos_container__init(&launch->mesos);
    eos__job__v1__image__init(&launch->image);
    eos__job__v1__docker_image__init(&launch->docker);
    launch->docker.name = (char *)bench.image;
    launch->docker.tag = (char *)bench.tag;
    launch->image.image_case = EOS__JOB__V1__IMAGE__IMAGE_DOCKER;
    launch->image.docker = &launch->docker;
    launch->mesos.image = &launch->image;
    launch->container.container_case = EOS__JOB__V1__CONTAINER__CONTAINER_MESOS;
    launch->container.mesos = &launch->mesos;
    launch->config.container = &launch->container;
}

static void fill_launch(struct launch *launch, const SyncRequest *host)
{
    eos__scheduler__v1__launch_task__init(&launch->message);
    eos__job__v1__assigned_task__init(&launch->assigned);
    eos__job__v1__task_config__init(&launch->config);
    eos__job__v1__job_key__init(&launch->key);
    eos__job__v1__identity__init(&launch->owner);
    launch->key.role = "www-data", launch->key.environment = "devel", launch->key.name = "bench";
    launch->owner.user = "www-data";
    launch->config.job = &launch->key;
    launch->config.owner = &launch->owner;
    launch->config.executor_name = "AuroraExecutor";
    launch->config.executor_data = EXECUTOR_DATA;
    fill_resources(launch);
    fill_container(launch);
    launch->assigned.task_id = bench.task_id;
    launch->assigned.host_id = host->host_id;
    launch->assigned.hostname = host->hostname;
    launch->assigned.task = &launch->config;
    launch->message.task = &launch->assigned;
    launch->message.cluster = "bench";
}

/* Answers the poll: with the launch that is wanted, and acknowledging all that was said. */
static void answer(struct rpc_request *poll)
{
    const SyncRequest *request = rpc_request_message(poll);
    SyncResponse response = EOS__SCHEDULER__V1__SYNC_RESPONSE__INIT;
    struct launch launch;
    Eos__Scheduler__V1__LaunchTask *launches[] = { &launch.message };
    char *forget[] = { bench.ended }, *acknowledged[1000];
    for (size_t i = 0; i < request->n_updates; i++)
        acknowledged[response.n_acknowledged++] = request->updates[i]->update_id;
    response.acknowledged = acknowledged;
    if (bench.is_wanted) {
        fill_launch(&launch, request);
        response.launch = launches;
        response.n_launch = 1;
        bench.is_wanted = false;
        bench.start_ns = uv_hrtime();
    }
    if (bench.ended[0]) {
        response.forget = forget;
        response.n_forget = 1;
    }
    rpc_reply(poll, &response.base);
    bench.ended[0] = 0;
}

static void stop(void)
{
    bench.is_over = true;
    uv_close((uv_handle_t *)&bench.next, NULL);
    rpc_server_close(bench.server);
}

static void begin_round(uv_timer_t *timer)
{
    (void)timer;
    if (bench.round == bench.rounds) {
        stop();
        return;
    }
    snprintf(bench.task_id, sizeof bench.task_id, "bench-%u", bench.round);
    bench.is_wanted = true;
    if (bench.poll) {
        struct rpc_request *poll = bench.poll;
        bench.poll = NULL;
        rpc_request_on_cancel(poll, NULL, NULL);
        answer(poll);
    }
}

static void note_update(const Eos__Scheduler__V1__TaskUpdate *update)
{
    if (update->status == EOS__JOB__V1__SCHEDULE_STATUS__FINISHED &&
        strcmp(update->task_id, bench.task_id) == 0) {
        bench.ours[bench.round] = (double)(uv_hrtime() - bench.start_ns) / 1e6;
        snprintf(bench.ended, sizeof bench.ended, "%s", bench.task_id);
        bench.task_id[0] = 0;
        bench.crun[bench.round] = run_crun(bench.round);
        bench.round++;
        uv_timer_start(&bench.next, begin_round, 20, 0);
    } else if (update->status == EOS__JOB__V1__SCHEDULE_STATUS__FAILED ||
               update->status == EOS__JOB__V1__SCHEDULE_STATUS__LOST) {
        fprintf(stderr, "launch: a task failed: %s\n", update->message);
        exit(1);
    }
}

static void let_go(void *user)
{
    struct rpc_request *poll = user;
    struct error err = { .code = ERROR_ABORTED, .message = "the poll was replaced" };
    bench.poll = NULL;
    rpc_request_on_cancel(poll, NULL, NULL);
    rpc_fail(poll, &err);
}

static void sync_host(void *ctx, struct rpc_request *poll)
{
    const SyncRequest *request = rpc_request_message(poll);
    (void)ctx;
    if (bench.poll)
        let_go(bench.poll);
    for (size_t i = 0; i < request->n_updates; i++)
        note_update(request->updates[i]);
    if (request->n_updates > 0 || bench.is_wanted || request->has_all_tasks) {
        answer(poll);
        return;
    }
    rpc_request_on_cancel(poll, let_go, poll);
    bench.poll = poll;
}

static const struct rpc_method methods[] = { { .name = "Sync", .start = sync_host }, { 0 } };
static const struct rpc_service services[] = {
    { &eos__scheduler__v1__cluster__descriptor, methods, NULL },
    { 0 },
};

/* -- the rest ------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double report(const char *name, double *times)
{
    qsort(times, bench.rounds, sizeof *times, compare);
    double median = times[bench.rounds / 2];
    printf("%-14s min %6.2f  median %6.2f  p90 %6.2f ms\n", name, times[0], median,
           times[bench.rounds * 9 / 10]);
    return median;
}

static pid_t start_launcher(char **argv, const char *url)
{
    char listen[128];
    pid_t pid;
    snprintf(listen, sizeof listen, "ipc://%s/launcher.sock", argv[2]);
    char *args[] = { argv[1],       "--scheduler", (char *)url,  "--listen", listen,
                     "--state-dir", argv[2],       "--clusters", argv[3],    "--cluster",
                     "bench",       "--log-level", "error",      NULL };
    if (posix_spawn(&pid, argv[1], NULL, NULL, args, environ) != 0)
        exit(1);
    return pid;
}

int main(int argc, char **argv)
{
    struct rpc_server_options options = { .services = services };
    struct error err;
    char url[128];
    bench.rounds = 100;
    if (argc < 7 || (argc > 7 && !slice_to_u64(slice_of(argv[7]), ROUNDS_MAX, &bench.rounds))) {
        fprintf(stderr,
                "usage: launch LAUNCHER STATE-DIR CLUSTERS-FILE IMAGE TAG BUNDLE [ROUNDS]\n");
        return 2;
    }
    bench.image = argv[4], bench.tag = argv[5], bench.bundle = argv[6];
    snprintf(url, sizeof url, "ipc://%s/sync.sock", argv[2]);
    uv_loop_init(&bench.loop);
    uv_timer_init(&bench.loop, &bench.next);
    bench.server = rpc_server_open(&bench.loop, &options, &err);
    if (!bench.server || !rpc_server_listen(bench.server, url, NULL, &err)) {
        fprintf(stderr, "launch: %s\n", err.message);
        return 1;
    }
    setenv("EOS_DIE_WITH_PARENT", "1", 1);
    pid_t pid = start_launcher(argv, url);
    run_crun(ROUNDS_MAX); /* warm */
    uv_timer_start(&bench.next, begin_round, 500, 0);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench.loop);
    kill(pid, SIGKILL); /* nothing runs any more, and nobody is left to tell that to */
    waitpid(pid, NULL, 0);
    double ours = report("eos-launcher", bench.ours), crun = report("crun run", bench.crun);
    printf("eos-launcher / crun run: %.2f\n", ours / crun);
    return 0;
}
