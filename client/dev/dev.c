#include "client/dev/dev.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "client/cluster.h"
#include "client/dev/address.h"
#include "client/dev/readiness.h"
#include "client/dev/state_dir.h"
#include "client/dev/supervised.h"
#include "client/output.h"
#include "clusters/clusters.h"
#include "io/log.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#define DEFAULT_HTTP   "127.0.0.1:8081"
#define START_GRACE_MS 10000 /* a service that has not stayed up for so long will not */

/* Exit statuses of a daemon whose last line tells why, see io/daemon.h. */
#define OPENING_FAILED 1
#define WRONG_FLAGS    2

enum phase { PHASE_STARTING, PHASE_READY, PHASE_ENDING_TASKS, PHASE_STOPPING, PHASE_CLOSED };

struct dev {
    struct arena *arena;
    struct dev_settings settings;
    struct state_dir state;
    struct sockaddr_storage address;
    uv_loop_t loop;
    uv_signal_t signals[3];
    uv_timer_t deadline;
    struct supervised services[SERVICE_COUNT];
    struct rpc_client *scheduler, *launcher;
    struct readiness readiness;
    enum phase phase;
    enum exit_status status;
    size_t stop_at; /* in service_stop_order() */
};

static void stop_services(struct dev *dev);

/* -- the end -------------------------------------------------------------------------------------- */

static void close_all(struct dev *dev)
{
    dev->phase = PHASE_CLOSED;
    for (enum service_id i = 0; i < SERVICE_COUNT; i++)
        supervised_close(&dev->services[i]);
    for (size_t i = 0; i < sizeof dev->signals / sizeof dev->signals[0]; i++)
        uv_close((uv_handle_t *)&dev->signals[i], NULL);
    uv_close((uv_handle_t *)&dev->deadline, NULL);
    readiness_stop(&dev->readiness);
    rpc_client_close(dev->scheduler);
    rpc_client_close(dev->launcher);
}

/* One after the other: who is asked first, who is told last. */
static void stop_next(struct dev *dev)
{
    for (; dev->stop_at < SERVICE_COUNT; dev->stop_at++) {
        struct supervised *service = &dev->services[service_stop_order(dev->stop_at)];
        if (service->state == SUPERVISED_STOPPED)
            continue;
        if (service->state != SUPERVISED_STOPPING)
            supervised_stop(service);
        if (service->state == SUPERVISED_STOPPING)
            return; /* on_service_exit() goes on */
    }
    if (dev->phase != PHASE_CLOSED)
        close_all(dev);
}

static void stop_services(struct dev *dev)
{
    uv_timer_stop(&dev->deadline);
    dev->phase = PHASE_STOPPING;
    stop_next(dev);
}

static void on_tasks_ended(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct dev *dev = user;
    const Eos__Launcher__V1__StopTasksResponse *response =
        (const Eos__Launcher__V1__StopTasksResponse *)message;
    if (dev->phase != PHASE_ENDING_TASKS)
        return;
    if (response && response->stopped > 0)
        output_note("eos dev: %d task%s ended, the next start places %s again", response->stopped,
                    response->stopped == 1 ? "" : "s", response->stopped == 1 ? "it" : "them");
    else if (err)
        output_note("eos dev: could not end the tasks, the next start finds them again: %s",
                    err->message);
    stop_services(dev);
}

/* Tasks live longer than the launcher, so somebody has to end them. */
static void end_tasks(struct dev *dev)
{
    Eos__Launcher__V1__StopTasksRequest request = EOS__LAUNCHER__V1__STOP_TASKS_REQUEST__INIT;
    struct rpc_call_options options = { .deadline_ms =
                                            (uint32_t)dev->settings.flags->stop_timeout_ms };
    struct error err;
    request.message = (char *)"eos dev stops";
    dev->phase = PHASE_ENDING_TASKS;
    if (options.deadline_ms == 0 ||
        !rpc_call(dev->launcher, &eos__launcher__v1__launcher__descriptor, "StopTasks",
                  &request.base, &options, on_tasks_ended, dev, &err))
        stop_services(dev);
}

static void fail(struct dev *dev, const struct error *err)
{
    dev->status = output_complain(STATUS_COMMAND_FAILURE, err);
    readiness_stop(&dev->readiness);
    stop_services(dev);
}

static void kill_all(struct dev *dev)
{
    output_note("eos dev: killing everything; tasks go on, the next start finds them again");
    dev->status = STATUS_INTERRUPTED;
    dev->phase = PHASE_STOPPING;
    for (enum service_id i = 0; i < SERVICE_COUNT; i++)
        supervised_kill(&dev->services[i]);
    stop_next(dev);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct dev *dev = signal->data;
    (void)number;
    if (dev->phase == PHASE_ENDING_TASKS || dev->phase == PHASE_STOPPING) {
        kill_all(dev);
        return;
    }
    bool was_ready = dev->phase == PHASE_READY;
    output_note("eos dev: stopping");
    readiness_stop(&dev->readiness);
    if (was_ready)
        end_tasks(dev);
    else
        stop_services(dev);
}

/* -- the services --------------------------------------------------------------------------------- */

static void describe_exit(const struct supervised *service, int exit_status, struct text *out)
{
    text_printf(out, "eos-%s ", service_name(service->id));
    if (exit_status < 0)
        text_printf(out, "was ended by signal %d (%s)", -exit_status, strsignal(-exit_status));
    else
        text_printf(out, "ended with status %d", exit_status);
}

/* A daemon that gave up by itself: its last line is the sentence. */
static bool says_why(int exit_status)
{
    return exit_status == OPENING_FAILED || exit_status == WRONG_FLAGS;
}

/* Before the cluster was ready once, somebody waits for the answer: a service that cannot be brought
 * up is a failure, and one that says why is so at once.  Later it is started again for as long as this
 * program runs. */
static bool is_hopeless(const struct dev *dev, const struct supervised *service, int exit_status)
{
    bool is_for_good = says_why(exit_status) && !service_is_in_use(service->last_line);
    int64_t failing_ms = service->first_failure_ms > 0
                             ? (int64_t)uv_now((uv_loop_t *)&dev->loop) - service->first_failure_ms
                             : 0;
    return dev->phase == PHASE_STARTING && (is_for_good || failing_ms > START_GRACE_MS);
}

static void on_service_exit(void *user, struct supervised *service, int exit_status)
{
    struct dev *dev = user;
    cleanup_text struct text how = TEXT_INIT;
    struct error err;
    if (dev->phase == PHASE_STOPPING) {
        service->state = SUPERVISED_STOPPED;
        stop_next(dev);
        return;
    }
    describe_exit(service, exit_status, &how);
    if (is_hopeless(dev, service, exit_status)) {
        error_set(&err, ERROR_FAILED_PRECONDITION, "%s%s%s",
                  says_why(exit_status) ? "" : text_string(&how), says_why(exit_status) ? "" : ": ",
                  service->last_line);
        fail(dev, &err);
        return;
    }
    uint32_t delay_ms = supervised_restart_later(service);
    output_note("eos dev: %s, starting it again in %u ms", text_string(&how), delay_ms);
}

static void on_ready(void *user)
{
    struct dev *dev = user;
    cleanup_text struct text line = TEXT_INIT;
    uv_timer_stop(&dev->deadline);
    dev->phase = PHASE_READY;
    text_printf(&line, "eos dev: cluster %s is ready at http://%s (state in %s)\n",
                dev->settings.cluster, dev->settings.http, dev->settings.state_dir);
    output_print(&line);
}

static void on_deadline(uv_timer_t *timer)
{
    struct dev *dev = timer->data;
    struct error err;
    error_set(&err, ERROR_DEADLINE_EXCEEDED, "the cluster is not ready after %lld s: %s",
              (long long)dev->settings.flags->ready_timeout_ms / 1000,
              readiness_missing(&dev->readiness));
    fail(dev, &err);
}

/* -- the beginning -------------------------------------------------------------------------------- */

static struct rpc_client *open_client(struct dev *dev, enum service_id id, struct error *err)
{
    struct rpc_client_options options = { .url = service_url(id, &dev->settings, dev->arena),
                                          .caller = "dev" };
    return rpc_client_open(&dev->loop, &options, err);
}

static bool open_clients(struct dev *dev, struct error *err)
{
    dev->scheduler = open_client(dev, SERVICE_SCHEDULER, err);
    if (!dev->scheduler)
        return false;
    dev->launcher = open_client(dev, SERVICE_LAUNCHER, err);
    return dev->launcher != NULL;
}

static void open_handles(struct dev *dev)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    uv_loop_init(&dev->loop);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uv_signal_init(&dev->loop, &dev->signals[i]);
        dev->signals[i].data = dev;
        uv_signal_start(&dev->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&dev->loop, &dev->deadline);
    dev->deadline.data = dev;
    uv_timer_start(&dev->deadline, on_deadline, (uint64_t)dev->settings.flags->ready_timeout_ms, 0);
    for (enum service_id i = 0; i < SERVICE_COUNT; i++)
        supervised_init(&dev->services[i], &dev->loop, i,
                        service_command(i, &dev->settings, dev->arena), on_service_exit, dev);
    dev->readiness = (struct readiness){ .loop = &dev->loop,
                                         .gateway = (const struct sockaddr *)&dev->address,
                                         .on_ready = on_ready,
                                         .user = dev };
}

static bool start_services(struct dev *dev, struct error *err)
{
    for (enum service_id i = 0; i < SERVICE_COUNT; i++)
        if (!supervised_start(&dev->services[i], err))
            return false;
    return true;
}

/* The services are children, so each of them is told by the kernel when this program is killed.  Flags
 * of this program that came from the environment are not meant for them. */
static void prepare_environment(uint64_t set)
{
    struct flags unused = flags_default();
    struct option rows[FLAG_COUNT + 1];
    flags_rows(set, &unused, rows);
    for (const struct option *row = rows; row->name; row++) {
        cleanup_text struct text name = TEXT_INIT;
        text_add(&name, "EOS_");
        for (const char *c = row->name; *c; c++)
            text_add_char(&name,
                          *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c));
        unsetenv(text_string(&name));
    }
    setenv("EOS_DIE_WITH_PARENT", "1", 1);
    signal(SIGPIPE, SIG_IGN);
    umask(022);
}

static bool find_programs(struct dev *dev, struct error *err)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return error_set(err, ERROR_INTERNAL, "could not find the program's own directory");
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    dev->settings.bin = arena_strdup(dev->arena, self);
    for (enum service_id i = 0; i < SERVICE_COUNT; i++) {
        const char *program = arena_printf(dev->arena, "%s/eos-%s", self, service_name(i));
        if (access(program, X_OK) != 0)
            return error_set(err, ERROR_FAILED_PRECONDITION, "the program \"%.150s\" is missing",
                             program);
    }
    return true;
}

static bool check_cluster(const char *name, struct error *err)
{
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c == '/' || *c == 0x7f)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "flag --cluster: a name has no spaces and no \"/\"");
    return *name || error_set(err, ERROR_INVALID_ARGUMENT, "flag --cluster: the name is empty");
}

/* What services would refuse is refused before any of them is started and started again. */
static bool check_http(const struct flags *flags, struct error *err)
{
    struct sockaddr_storage address;
    const char *text = flags->http ? flags->http : DEFAULT_HTTP;
    if (!address_parse(text, &address, err))
        return false;
    if (address_is_loopback(&address) || flags->token_file)
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "flag --http: %.60s is not a loopback address, which needs --token-file: "
                     "without it anybody could run jobs",
                     text);
}

static bool check_clusters(const struct flags *flags, struct error *err)
{
    struct clusters *clusters = clusters_new();
    bool is_good = true;
    for (size_t i = 0; i < flags->clusters.count && is_good; i++)
        is_good = clusters_add_file(clusters, flags->clusters.items[i], err) ||
                  error_prefix(err, "flag --clusters");
    clusters_free(clusters);
    return is_good;
}

static bool prepare(struct dev *dev, struct error *err)
{
    const struct flags *flags = dev->settings.flags;
    dev->settings.cluster = flags->cluster ? flags->cluster : CLUSTER_DEV;
    if (!check_cluster(dev->settings.cluster, err) || !check_http(flags, err) ||
        !check_clusters(flags, err) || !find_programs(dev, err) ||
        !state_dir_open(&dev->state, flags->state_dir, dev->arena, err))
        return false;
    dev->settings.state_dir = dev->state.path;
    return address_reserve(flags->http ? flags->http : DEFAULT_HTTP, dev->arena,
                           &dev->settings.http, err) &&
           address_parse(dev->settings.http, &dev->address, err);
}

static void warn_of_barrier(const struct dev *dev)
{
    const char *barrier = state_dir_barrier(&dev->state, dev->arena);
    if (barrier)
        output_note(
            "eos dev: only the owner can pass \"%s\", so tasks of other users may not reach "
            "their sandboxes; choose another place with --state-dir",
            barrier);
}

/* From here on everything ends in close_all(). */
static enum exit_status run(struct dev *dev)
{
    struct error err;
    open_handles(dev);
    bool has_clients = open_clients(dev, &err);
    dev->readiness.scheduler = dev->scheduler;
    dev->readiness.launcher = dev->launcher;
    readiness_start(&dev->readiness);
    if (!has_clients || !start_services(dev, &err))
        fail(dev, &err);
    uv_run(&dev->loop, UV_RUN_DEFAULT);
    int status = uv_loop_close(&dev->loop);
    assert(status == 0);
    (void)status;
    return dev->status;
}

enum exit_status dev_run(const struct invocation *invocation)
{
    static struct dev dev;
    struct error err;
    dev = (struct dev){ .arena = invocation->arena,
                        .settings = { .flags = invocation->flags },
                        .state = { .lock = -1 },
                        .status = STATUS_OK };
    log_open("dev", LOG_PLAIN, LOG_WARNING);
    prepare_environment(invocation->verb->flags);
    if (!prepare(&dev, &err)) {
        state_dir_close(&dev.state);
        return output_complain(err.code == ERROR_INVALID_ARGUMENT ? STATUS_SYNTAX
                                                                  : STATUS_COMMAND_FAILURE,
                               &err);
    }
    warn_of_barrier(&dev);
    enum exit_status status = run(&dev);
    state_dir_close(&dev.state);
    return status;
}
