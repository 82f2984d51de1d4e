/* How fast tasks come to run, launching aside: one job of 1,000 instances is created in a scheduler
 * with ten hosts, whose launchers are played by this program and report STARTING and RUNNING at once.
 * The clock runs from the call of CreateJob until the scheduler has acknowledged, and thus has on its
 * disk, that all of them are RUNNING.
 *
 *     tasks SCHEDULER-PROGRAM [INSTANCES] */
#include "base/alloc.h"
#include "base/slice.h"
#include "io/rpc_client.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

#define HOSTS       10
#define ROUNDS      5
#define UPDATES_MAX 1000 /* of one poll */

typedef Eos__Scheduler__V1__SyncRequest SyncRequest;
typedef Eos__Scheduler__V1__SyncResponse SyncResponse;
typedef Eos__Scheduler__V1__TaskUpdate TaskUpdate;

struct host {
    struct bench *bench;
    struct rpc_client *client;
    char name[16];
    uint64_t sequence, update_number;

    TaskUpdate *unsaid[2 * UPDATES_MAX];
    size_t count;
    struct rpc_call *poll;
};

struct bench {
    uv_loop_t loop;
    struct rpc_client *scheduler;
    struct host hosts[HOSTS];
    unsigned instances, running, round;
    uint64_t start_ns, took_ns[ROUNDS];
    unsigned registered;
    uv_timer_t next;
    bool is_over;
};

/* -- launchers ------------------------------------------------------------------------------------ */

static void poll_scheduler(struct host *host);

static void forget_update(struct host *host, const char *id)
{
    for (size_t i = 0; i < host->count; i++) {
        TaskUpdate *update = host->unsaid[i];
        if (strcmp(update->update_id, id) != 0)
            continue;
        if (update->status == EOS__JOB__V1__SCHEDULE_STATUS__RUNNING)
            host->bench->running++;
        free(update->update_id);
        free(update->task_id);
        free(update);
        host->unsaid[i] = host->unsaid[--host->count];
        return;
    }
}

static void say(struct host *host, const char *task_id, Eos__Job__V1__ScheduleStatus status)
{
    TaskUpdate *update = xcalloc(1, sizeof *update);
    eos__scheduler__v1__task_update__init(update);
    update->update_id = xasprintf("%lu", (unsigned long)++host->update_number);
    update->task_id = xstrdup(task_id);
    update->status = status;
    update->timestamp_ms = (int64_t)time(NULL) * 1000;
    host->unsaid[host->count++] = update;
}

static void launch(struct host *host, const char *task_id)
{
    for (size_t i = 0; i < host->count; i++)
        if (strcmp(host->unsaid[i]->task_id, task_id) == 0)
            return; /* told before, not yet acknowledged */
    say(host, task_id, EOS__JOB__V1__SCHEDULE_STATUS__STARTING);
    say(host, task_id, EOS__JOB__V1__SCHEDULE_STATUS__RUNNING);
}

static void finish_round(struct bench *bench)
{
    bench->took_ns[bench->round++] = uv_hrtime() - bench->start_ns;
    bench->running = 0;
    uv_timer_again(&bench->next);
}

static void on_sync(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct host *host = user;
    const SyncResponse *response = (const SyncResponse *)message;
    host->poll = NULL;
    if (host->bench->is_over)
        return;
    if (err) {
        fprintf(stderr, "tasks: sync: %s\n", err->message);
        exit(1);
    }
    if (host->sequence == 1)
        host->bench->registered++;
    for (size_t i = 0; i < response->n_acknowledged; i++)
        forget_update(host, response->acknowledged[i]);
    for (size_t i = 0; i < response->n_launch; i++)
        if (host->count + 2 <= UPDATES_MAX)
            launch(host, response->launch[i]->task->task_id);
    for (size_t i = 0; i < response->n_kill; i++)
        say(host, response->kill[i]->task_id, EOS__JOB__V1__SCHEDULE_STATUS__KILLED);
    if (host->bench->running == host->bench->instances)
        finish_round(host->bench);
    poll_scheduler(host);
}

static void poll_scheduler(struct host *host)
{
    SyncRequest request = EOS__SCHEDULER__V1__SYNC_REQUEST__INIT;
    Eos__Scheduler__V1__HostResources total = EOS__SCHEDULER__V1__HOST_RESOURCES__INIT;
    Eos__Job__V1__Attribute attribute = EOS__JOB__V1__ATTRIBUTE__INIT,
                            *attributes[] = { &attribute };
    struct error err;
    char *values[] = { host->name };
    attribute.name = "host";
    attribute.values = values, attribute.n_values = 1;
    request.attributes = attributes, request.n_attributes = 1;
    total.num_cpus = 1000;
    total.ram_mb = total.disk_mb = 1 << 20;
    request.host_id = request.hostname = host->name;
    request.session = "bench";
    request.sequence = ++host->sequence;
    request.endpoint = "ipc:///nowhere";
    request.total = &total;
    request.version = "bench";
    request.updates = host->unsaid;
    request.n_updates = host->count;
    request.has_all_tasks = host->sequence == 1;
    request.wait_ms = 10000;
    host->poll = rpc_call(host->client, &eos__scheduler__v1__cluster__descriptor, "Sync",
                          &request.base, NULL, on_sync, host, &err);
}

/* -- the job -------------------------------------------------------------------------------------- */

static void on_created(void *user, const ProtobufCMessage *message, const struct error *err)
{
    (void)user, (void)message;
    if (err) {
        fprintf(stderr, "tasks: create: %s\n", err->message);
        exit(1);
    }
}

static void create_job(struct bench *bench)
{
    Eos__Scheduler__V1__CreateJobRequest request = EOS__SCHEDULER__V1__CREATE_JOB_REQUEST__INIT;
    Eos__Job__V1__JobConfiguration job = EOS__JOB__V1__JOB_CONFIGURATION__INIT;
    Eos__Job__V1__TaskConfig task = EOS__JOB__V1__TASK_CONFIG__INIT;
    Eos__Job__V1__JobKey key = EOS__JOB__V1__JOB_KEY__INIT;
    Eos__Job__V1__Identity owner = EOS__JOB__V1__IDENTITY__INIT;
    Eos__Job__V1__Resource cpu = EOS__JOB__V1__RESOURCE__INIT, ram = cpu, disk = cpu;
    Eos__Job__V1__Resource *resources[] = { &cpu, &ram, &disk };
    Eos__Job__V1__Constraint spread = EOS__JOB__V1__CONSTRAINT__INIT, *constraints[] = { &spread };
    Eos__Job__V1__LimitConstraint limit = EOS__JOB__V1__LIMIT_CONSTRAINT__INIT;
    struct error err;
    char name[16];
    limit.limit = (int32_t)((bench->instances + HOSTS - 1) / HOSTS);
    spread.name = "host";
    spread.constraint_case = EOS__JOB__V1__CONSTRAINT__CONSTRAINT_LIMIT;
    spread.limit = &limit;
    snprintf(name, sizeof name, "job%u", bench->round);
    key.role = "bench", key.environment = "test", key.name = name;
    owner.user = "bench";
    cpu.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_NUM_CPUS, cpu.num_cpus = 0.1;
    ram.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_RAM_MB, ram.ram_mb = 16;
    disk.resource_case = EOS__JOB__V1__RESOURCE__RESOURCE_DISK_MB, disk.disk_mb = 16;
    task.job = job.key = &key;
    task.owner = job.owner = &owner;
    task.is_service = true;
    task.max_task_failures = 1;
    task.tier = "preemptible";
    task.resources = resources, task.n_resources = 3;
    task.constraints = constraints, task.n_constraints = 1;
    task.executor_name = "AuroraExecutor";
    task.executor_data = "{}";
    job.task_config = &task;
    job.instance_count = (int32_t)bench->instances;
    request.job = &job;
    request.request_id = name;
    bench->start_ns = uv_hrtime();
    if (!rpc_call(bench->scheduler, &eos__scheduler__v1__scheduler__descriptor, "CreateJob",
                  &request.base, NULL, on_created, bench, &err)) {
        fprintf(stderr, "tasks: %s\n", err.message);
        exit(1);
    }
}

static void stop(struct bench *bench)
{
    bench->is_over = true;
    uv_close((uv_handle_t *)&bench->next, NULL);
    rpc_client_close(bench->scheduler);
    for (unsigned i = 0; i < HOSTS; i++)
        rpc_client_close(bench->hosts[i].client);
}

static void on_next(uv_timer_t *timer)
{
    struct bench *bench = timer->data;
    if (bench->registered < HOSTS)
        return;
    uv_timer_stop(timer);
    if (bench->round < ROUNDS)
        create_job(bench);
    else
        stop(bench);
}

/* -- the rest ------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static struct rpc_client *dial(struct bench *bench, const char *url)
{
    struct rpc_client_options options = { .url = url, .caller = "bench" };
    struct error err;
    struct rpc_client *client = rpc_client_open(&bench->loop, &options, &err);
    if (!client)
        exit(1);
    return client;
}

static void run(struct bench *bench, const char *users, const char *launchers)
{
    uv_loop_init(&bench->loop);
    bench->next.data = bench;
    uv_timer_init(&bench->loop, &bench->next);
    uv_timer_start(&bench->next, on_next, 100, 100);
    bench->scheduler = dial(bench, users);
    for (unsigned i = 0; i < HOSTS; i++) {
        struct host *host = &bench->hosts[i];
        host->bench = bench;
        host->client = dial(bench, launchers);
        snprintf(host->name, sizeof host->name, "host%u", i);
        poll_scheduler(host);
    }
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench->loop);
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/eos-bench.XXXXXX", users[64], launchers[64];
    uint64_t instances = 1000;
    static struct bench bench;
    pid_t pid;
    if (argc < 2 || (argc > 2 && !slice_to_u64(slice_of(argv[2]), 100000, &instances)) ||
        !mkdtemp(directory)) {
        fprintf(stderr, "usage: tasks SCHEDULER-PROGRAM [INSTANCES]\n");
        return 2;
    }
    bench.instances = (unsigned)instances;
    snprintf(users, sizeof users, "ipc://%s/users", directory);
    snprintf(launchers, sizeof launchers, "ipc://%s/launchers", directory);
    char *scheduler[] = { argv[1],   "--listen",    users,     "--listen-cluster",
                          launchers, "--state-dir", directory, "--log-level",
                          "error",   NULL };
    setenv("EOS_DIE_WITH_PARENT", "1", 1);
    if (posix_spawn(&pid, argv[1], NULL, NULL, scheduler, environ) != 0)
        return 1;
    run(&bench, users, launchers);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);

    qsort(bench.took_ns, ROUNDS, sizeof *bench.took_ns, compare);
    double seconds = (double)bench.took_ns[ROUNDS / 2] / 1e9;
    printf("%u tasks on %d hosts, created to RUNNING: %.3f s, %.0f tasks/s (median of %d)\n",
           bench.instances, HOSTS, seconds, bench.instances / seconds, ROUNDS);
    return 0;
}
