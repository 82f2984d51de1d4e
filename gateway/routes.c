#include "gateway/routes.h"

#include "gateway/url.h"

#include "eos/binder/v1/binder.pb-c.h"
#include "eos/config/v1/config.pb-c.h"
#include "eos/gateway/v1/gateway.pb-c.h"
#include "eos/launcher/v1/launcher.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"

#include <assert.h>

static const struct {
    const char *name, *title;
} backend_names[BACKEND_COUNT] = {
    [BACKEND_CONFIG] = { "config", "configuration compiler" },
    [BACKEND_BINDER] = { "binder", "binder" },
    [BACKEND_SCHEDULER] = { "scheduler", "scheduler" },
};

const char *backend_name(enum backend backend)
{
    assert(backend < BACKEND_COUNT);
    return backend_names[backend].name;
}

const char *backend_title(enum backend backend)
{
    assert(backend < BACKEND_COUNT);
    return backend_names[backend].title;
}

#define CALL(what, whom, of, name, type)                                                           \
    .answer = (what), .backend = (whom), .service = &(of), .call = (name), .request = &(type)
#define CONFIG(name, type)                                                                         \
    CALL(ROUTE_FORWARD, BACKEND_CONFIG, eos__config__v1__config__descriptor, name,                 \
         eos__config__v1__##type##__descriptor)
#define BINDER(name, type)                                                                         \
    CALL(ROUTE_FORWARD, BACKEND_BINDER, eos__binder__v1__binder__descriptor, name,                 \
         eos__binder__v1__##type##__descriptor)
#define SCHEDULER(name, type)                                                                      \
    CALL(ROUTE_FORWARD, BACKEND_SCHEDULER, eos__scheduler__v1__scheduler__descriptor, name,        \
         eos__scheduler__v1__##type##__descriptor)
#define LAUNCHER(answer, name, type)                                                               \
    CALL(answer, BACKEND_SCHEDULER, eos__launcher__v1__launcher__descriptor, name,                 \
         eos__launcher__v1__##type##__descriptor)

#define JOB  "{job.role}/{job.environment}/{job.name}"
#define HOST "/v1/hosts/{host}/"
#define KEY  "{key.role}/{key.environment}/{key.name}"

// clang-format off
const struct route routes[] = {
    { .method = "POST", .path = "/v1/jobs",                  .answer = ROUTE_CREATE_JOB, .request = &eos__gateway__v1__create_job_request__descriptor },
    { .method = "GET",  .path = "/v1/jobs",                  SCHEDULER("ListJobs", list_jobs_request) },
    { .method = "GET",  .path = "/v1/jobs/" KEY,             SCHEDULER("GetJob", get_job_request) },
    { .method = "POST", .path = "/v1/jobs/" JOB ":kill",     SCHEDULER("KillTasks", kill_tasks_request) },
    { .method = "GET",  .path = "/v1/tasks",                 SCHEDULER("ListTasks", list_tasks_request) },
    { .method = "GET",  .path = "/v1/tasks/{task_id}",       LAUNCHER(ROUTE_LAUNCHER, "DescribeTask", describe_task_request) },
    { .method = "GET",  .path = "/v1/tasks/{task_id}/logs",  LAUNCHER(ROUTE_LAUNCHER, "ListLogs", list_logs_request) },
    { .method = "GET",  .path = "/v1/tasks/{task_id}/log",   LAUNCHER(ROUTE_LOG, "ReadLog", read_log_request), .defaults = "run=-1" },
    { .method = "GET",  .path = "/v1/pending",               SCHEDULER("PendingReasons", pending_reasons_request) },
    { .method = "GET",  .path = "/v1/hosts",                 SCHEDULER("ListHosts", list_hosts_request) },
    { .method = "GET",  .path = "/v1/images",                LAUNCHER(ROUTE_HOSTS, "ListImages", list_images_request) },
    { .method = "POST", .path = "/v1/images:pull",           LAUNCHER(ROUTE_HOSTS_STREAM, "PullImage", pull_image_request) },
    { .method = "POST", .path = "/v1/images:prune",          LAUNCHER(ROUTE_HOSTS, "PruneImages", prune_images_request) },
    { .method = "GET",  .path = HOST "images",               LAUNCHER(ROUTE_HOSTS, "ListImages", list_images_request) },
    { .method = "POST", .path = HOST "images:pull",          LAUNCHER(ROUTE_HOSTS_STREAM, "PullImage", pull_image_request) },
    { .method = "POST", .path = HOST "images:prune",         LAUNCHER(ROUTE_HOSTS, "PruneImages", prune_images_request) },
    { .method = "POST", .path = HOST "images:check",         LAUNCHER(ROUTE_HOSTS, "CheckBlobs", check_blobs_request) },
    { .method = "POST", .path = HOST "images:upload",        LAUNCHER(ROUTE_HOSTS, "UploadBlob", upload_blob_request) },
    { .method = "POST", .path = HOST "images:commit",        LAUNCHER(ROUTE_HOSTS, "CommitImage", commit_image_request) },
    { .method = "POST", .path = "/v1/compile",               CONFIG("Compile", compile_request) },
    { .method = "POST", .path = "/v1/images:resolve",        BINDER("Resolve", resolve_request) },
    { .method = "POST", .path = "/v1/images:inspect",        BINDER("Inspect", inspect_request) },
    { .method = "POST", .path = "/v1/images:verify",         BINDER("Verify", verify_request) },
    { .method = "GET",  .path = "/v1/version",               .answer = ROUTE_VERSION },
    { .method = "GET",  .path = "/healthz",                  .answer = ROUTE_HEALTH, .is_open = true },
    { .method = "GET",  .path = "/metrics",                  .answer = ROUTE_METRICS },
    { 0 },
};
// clang-format on

/* Takes one segment of the path by one of the row: a literal, or "{name}" with an optional ":verb"
 * behind it.  A plain "{name}" takes no colon, so that verbs stay verbs. */
static bool match_segment(struct slice pattern, struct slice segment, struct arena *arena,
                          struct route_match *match)
{
    if (pattern.len == 0 || pattern.ptr[0] != '{')
        return slice_equal(pattern, segment);

    pattern.ptr++;
    pattern.len--;
    struct slice name = slice_split(&pattern, '}');
    if (segment.len <= pattern.len || !slice_ends_with(segment, pattern))
        return false;
    segment.len -= pattern.len;
    struct slice value;
    if (memchr(segment.ptr, ':', segment.len) ||
        !url_decode(segment, URL_PATH, arena, &value, &(struct error){ 0 }))
        return false;
    assert(match->parameter_count < ROUTE_MAX_PARAMETERS);
    match->parameters[match->parameter_count].name = name;
    match->parameters[match->parameter_count++].value = value.ptr;
    return true;
}

static bool match_path(const struct route *route, struct slice path, struct arena *arena,
                       struct route_match *match)
{
    struct slice pattern = slice_of(route->path);
    *match = (struct route_match){ .route = route };
    while (pattern.ptr && path.ptr) {
        struct slice expected = slice_split(&pattern, '/'), segment = slice_split(&path, '/');
        if (!match_segment(expected, segment, arena, match))
            return false;
    }
    return !pattern.ptr && !path.ptr;
}

static bool match_method(const struct route *route, struct slice method)
{
    if (slice_is(method, "HEAD") && route->answer != ROUTE_LOG)
        return strcmp(route->method, "GET") == 0;
    return slice_is(method, route->method);
}

static void allow(struct text *allowed, const struct route *route)
{
    if (allowed->len > 0)
        text_add(allowed, ", ");
    text_add(allowed, route->method);
    if (strcmp(route->method, "GET") == 0 && route->answer != ROUTE_LOG)
        text_add(allowed, ", HEAD");
}

bool route_find(struct slice method, struct slice path, struct arena *arena,
                struct route_match *ret_match, struct text *allowed, struct error *err)
{
    struct route_match match;
    for (const struct route *route = routes; route->method; route++) {
        if (!match_path(route, path, arena, &match))
            continue;
        if (match_method(route, method)) {
            *ret_match = match;
            text_clear(allowed);
            return true;
        }
        allow(allowed, route);
    }
    if (allowed->len > 0)
        return error_set(err, ERROR_UNIMPLEMENTED, "this path takes %s", text_string(allowed));
    return error_set(err, ERROR_NOT_FOUND, "there is nothing at this path");
}
