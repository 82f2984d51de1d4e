#include "client/fetch.h"

#include "base/cleanup.h"

typedef Eos__Job__V1__ScheduledTask scheduled_task;
typedef Eos__Scheduler__V1__JobSummary job_summary;
typedef Eos__Scheduler__V1__ListJobsResponse jobs_response;
typedef Eos__Scheduler__V1__ListTasksResponse tasks_response;

#define ACTIVE                                                                                     \
    "PENDING,THROTTLED,ASSIGNED,STARTING,RUNNING,PARTITIONED,DRAINING,KILLING,PREEMPTING,"         \
    "RESTARTING"

static void add_parameter(struct text *path, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    text_printf(path, "%c%s=", strchr(path->ptr, '?') ? '&' : '?', name);
    http_add_escaped(path, value);
}

static const char *literal(const char *part)
{
    return job_part_has_wildcard(part) ? NULL : part;
}

static void add_key(struct text *path, const struct job_key *key)
{
    add_parameter(path, "role", literal(key->role));
    add_parameter(path, "environment", literal(key->environment));
    add_parameter(path, "name", literal(key->name));
}

void fetch_add_job_path(struct text *path, const struct job_key *key)
{
    text_add(path, "/v1/jobs/");
    http_add_escaped(path, key->role);
    text_add_char(path, '/');
    http_add_escaped(path, key->environment);
    text_add_char(path, '/');
    http_add_escaped(path, key->name);
}

/* Calls GET `path` with the token of the next page in it; the answer is of `type`. */
static bool get_page(struct gateway *gateway, const struct text *path, const char *token,
                     const ProtobufCMessageDescriptor *type, struct arena *arena,
                     ProtobufCMessage **ret_message, struct error *err)
{
    cleanup_text struct text page = TEXT_INIT;
    text_add_slice(&page, text_slice(path));
    add_parameter(&page, "pageToken", token);
    return gateway_call(gateway, "GET", text_string(&page), NULL, type, arena, ret_message, err);
}

static bool fail_endless(struct error *err)
{
    return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the gateway's list is over %d pages",
                     FETCH_MAX_PAGES);
}

/* -- tasks ---------------------------------------------------------------------------------------- */

static void add_task_query(struct text *path, const struct task_query *query)
{
    text_add(path, "/v1/tasks");
    add_key(path, query->key);
    add_parameter(path, "statuses", query->only_active ? ACTIVE : NULL);
    add_parameter(path, "withoutConfigs", query->with_configs ? NULL : "true");
    for (size_t i = 0; i < query->instances.count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", query->instances.ids[i]);
        add_parameter(path, "instances", number);
    }
}

bool fetch_tasks(struct gateway *gateway, const struct task_query *query, struct arena *arena,
                 scheduled_task ***ret_tasks, size_t *ret_count, struct error *err)
{
    cleanup_text struct text path = TEXT_INIT;
    scheduled_task **tasks = arena_alloc(arena, 0);
    size_t count = 0;
    const char *token = NULL;
    add_task_query(&path, query);
    for (int page = 0; page < FETCH_MAX_PAGES; page++) {
        ProtobufCMessage *message;
        if (!get_page(gateway, &path, token, &eos__scheduler__v1__list_tasks_response__descriptor,
                      arena, &message, err))
            return false;
        tasks_response *response = (tasks_response *)message;
        tasks = arena_grow(arena, tasks, count * sizeof *tasks,
                           (count + response->n_tasks) * sizeof *tasks);
        for (size_t i = 0; i < response->n_tasks; i++)
            tasks[count++] = response->tasks[i];
        token = response->next_page_token;
        if (!token[0]) {
            *ret_tasks = tasks;
            *ret_count = count;
            return true;
        }
    }
    return fail_endless(err);
}

/* -- jobs ----------------------------------------------------------------------------------------- */

static bool is_meant(const job_summary *job, const struct job_key *pattern)
{
    return job->key &&
           job_pattern_matches(pattern, job->key->role, job->key->environment, job->key->name);
}

bool fetch_jobs(struct gateway *gateway, const struct job_key *pattern, struct arena *arena,
                job_summary ***ret_jobs, size_t *ret_count, struct error *err)
{
    cleanup_text struct text path = TEXT_INIT;
    job_summary **jobs = arena_alloc(arena, 0);
    size_t count = 0;
    const char *token = NULL;
    text_add(&path, "/v1/jobs");
    add_key(&path, pattern);
    for (int page = 0; page < FETCH_MAX_PAGES; page++) {
        ProtobufCMessage *message;
        if (!get_page(gateway, &path, token, &eos__scheduler__v1__list_jobs_response__descriptor,
                      arena, &message, err))
            return false;
        jobs_response *response = (jobs_response *)message;
        jobs = arena_grow(arena, jobs, count * sizeof *jobs,
                          (count + response->n_jobs) * sizeof *jobs);
        for (size_t i = 0; i < response->n_jobs; i++)
            if (is_meant(response->jobs[i], pattern))
                jobs[count++] = response->jobs[i];
        token = response->next_page_token;
        if (!token[0]) {
            *ret_jobs = jobs;
            *ret_count = count;
            return true;
        }
    }
    return fail_endless(err);
}

/* -- the rest ------------------------------------------------------------------------------------- */

bool fetch_pending(struct gateway *gateway, const struct job_key *key, struct arena *arena,
                   Eos__Scheduler__V1__PendingReasonsResponse **ret_reasons, struct error *err)
{
    cleanup_text struct text path = TEXT_INIT;
    ProtobufCMessage *message;
    text_add(&path, "/v1/pending");
    add_key(&path, key);
    if (!gateway_call(gateway, "GET", text_string(&path), NULL,
                      &eos__scheduler__v1__pending_reasons_response__descriptor, arena, &message,
                      err))
        return false;
    *ret_reasons = (Eos__Scheduler__V1__PendingReasonsResponse *)message;
    return true;
}

bool fetch_job(struct gateway *gateway, const struct job_key *key, struct arena *arena,
               Eos__Scheduler__V1__GetJobResponse **ret_job, struct error *err)
{
    cleanup_text struct text path = TEXT_INIT;
    ProtobufCMessage *message;
    fetch_add_job_path(&path, key);
    if (!gateway_call(gateway, "GET", text_string(&path), NULL,
                      &eos__scheduler__v1__get_job_response__descriptor, arena, &message, err))
        return false;
    *ret_job = (Eos__Scheduler__V1__GetJobResponse *)message;
    return true;
}
