#include "gateway/task_host.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

#define SCHEDULER &eos__scheduler__v1__scheduler__descriptor

struct task_host {
    struct handlers *handlers;
    const struct exchange *exchange;
    struct peer_call *call;
    char *host_id;
    task_host_fn *done;
    void *user;
};

static void find_free(struct task_host *find)
{
    free(find->host_id);
    free(find);
}

static void finish(struct task_host *find, struct launcher *launcher, const struct error *err)
{
    task_host_fn *done = find->done;
    void *user = find->user;
    find_free(find);
    done(user, launcher, err);
}

static void fail_call(struct task_host *find, const struct error *err)
{
    struct error named = backend_error(backend_title(BACKEND_SCHEDULER), err);
    finish(find, NULL, &named);
}

/* NULL with an error when there is no way to the host. */
static const char *endpoint_of(const Eos__Scheduler__V1__ListHostsResponse *hosts,
                               const char *host_id, struct error *err)
{
    for (size_t i = 0; i < hosts->n_hosts; i++) {
        const Eos__Scheduler__V1__Host *host = hosts->hosts[i];
        if (strcmp(host->host_id, host_id) != 0)
            continue;
        if (host->is_connected && host->endpoint[0])
            return host->endpoint;
        error_set(err, ERROR_UNAVAILABLE, "the task's host %s is not connected", host->hostname);
        return NULL;
    }
    error_set(err, ERROR_NOT_FOUND, "the task's host is no longer known");
    return NULL;
}

static void on_hosts(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct task_host *find = user;
    struct error problem;
    if (!response) {
        fail_call(find, err);
        return;
    }
    const char *endpoint = endpoint_of((const Eos__Scheduler__V1__ListHostsResponse *)response,
                                       find->host_id, &problem);
    struct launcher *launcher =
        endpoint ? launchers_take(find->handlers->launchers, endpoint, &problem) : NULL;
    finish(find, launcher, launcher ? NULL : &problem);
}

static bool ask_for_hosts(struct task_host *find, struct error *err)
{
    Eos__Scheduler__V1__ListHostsRequest request = EOS__SCHEDULER__V1__LIST_HOSTS_REQUEST__INIT;
    find->call = backend_call(find->handlers->backends, BACKEND_SCHEDULER, find->exchange,
                              SCHEDULER, "ListHosts", &request.base, on_hosts, find, err);
    return find->call != NULL;
}

/* Takes the host's id out of the answer. */
static bool take_host_id(struct task_host *find,
                         const Eos__Scheduler__V1__ListTasksResponse *response, struct error *err)
{
    if (response->n_tasks == 0)
        return error_set(err, ERROR_NOT_FOUND, "there is no such task");
    const Eos__Job__V1__AssignedTask *task = response->tasks[0]->assigned_task;
    if (!task || !task->host_id[0])
        return error_set(err, ERROR_FAILED_PRECONDITION, "the task is not on a host yet");
    find->host_id = xstrdup(task->host_id);
    return true;
}

static void on_tasks(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct task_host *find = user;
    struct error problem;
    if (!response) {
        fail_call(find, err);
        return;
    }
    if (!take_host_id(find, (const Eos__Scheduler__V1__ListTasksResponse *)response, &problem) ||
        !ask_for_hosts(find, &problem))
        finish(find, NULL, &problem);
}

struct task_host *task_host_find(struct handlers *handlers, const struct exchange *exchange,
                                 const char *task_id, task_host_fn *done, void *user,
                                 struct error *err)
{
    struct task_host *find = xcalloc(1, sizeof *find);
    find->handlers = handlers;
    find->exchange = exchange;
    find->done = done;
    find->user = user;

    char *ids[] = { (char *)task_id };
    Eos__Scheduler__V1__ListTasksRequest request = EOS__SCHEDULER__V1__LIST_TASKS_REQUEST__INIT;
    request.task_ids = ids;
    request.n_task_ids = 1;
    request.without_configs = true;
    find->call = backend_call(handlers->backends, BACKEND_SCHEDULER, exchange, SCHEDULER,
                              "ListTasks", &request.base, on_tasks, find, err);
    if (!find->call) {
        find_free(find);
        return NULL;
    }
    return find;
}

void task_host_cancel(struct task_host *find)
{
    peer_call_cancel(find->call);
    find_free(find);
}
