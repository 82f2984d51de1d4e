#include "scheduler/commands.h"
#include "scheduler/query.h"
#include "scheduler/service.h"

/* Replies of these methods leave when all that changed before is on disk: the server's hold hook sees
 * to that, see service.c. */

static bool create_job(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    struct service *service = ctx;
    return command_create_job(service->state, request, service_now_ms(service), arena, response,
                              err);
}

static bool kill_tasks(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    struct service *service = ctx;
    return command_kill_tasks(service->state, request, service_now_ms(service), arena, response,
                              err);
}

static bool list_jobs(void *ctx, const void *request, void *response, struct arena *arena,
                      struct error *err)
{
    struct service *service = ctx;
    return query_list_jobs(service->state, request, arena, response, err);
}

static bool get_job(void *ctx, const void *request, void *response, struct arena *arena,
                    struct error *err)
{
    struct service *service = ctx;
    const Eos__Scheduler__V1__GetJobRequest *req = request;
    struct job *job;

    if (!command_find_job(service->state, req->key, &job, err))
        return false;
    query_job(job, arena, response);
    return true;
}

static bool list_tasks(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    struct service *service = ctx;
    return query_list_tasks(service->state, request, arena, response, err);
}

static bool pending_reasons(void *ctx, const void *request, void *response, struct arena *arena,
                            struct error *err)
{
    struct service *service = ctx;
    (void)err;
    query_pending(service->state, request, service_now_ms(service), arena, response);
    return true;
}

static bool list_hosts(void *ctx, const void *request, void *response, struct arena *arena,
                       struct error *err)
{
    struct service *service = ctx;
    (void)request;
    (void)err;
    query_list_hosts(service->state, arena, response);
    return true;
}

static void start_sync(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    polls_take(service->polls, request, service_now_ms(service));
}

const struct rpc_method scheduler_methods[] = {
    { .name = "CreateJob", .handle = create_job },
    { .name = "KillTasks", .handle = kill_tasks },
    { .name = "ListJobs", .handle = list_jobs },
    { .name = "GetJob", .handle = get_job },
    { .name = "ListTasks", .handle = list_tasks },
    { .name = "PendingReasons", .handle = pending_reasons },
    { .name = "ListHosts", .handle = list_hosts },
    { 0 },
};

const struct rpc_method cluster_methods[] = {
    { .name = "Sync", .start = start_sync },
    { 0 },
};
