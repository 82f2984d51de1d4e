#include "client/job.h"

#include "base/cleanup.h"
#include "client/cluster.h"
#include "client/fetch.h"
#include "client/job_text.h"
#include "client/output.h"
#include "client/table.h"
#include "json/message_json.h"

#include <errno.h>
#include <time.h>

typedef Eos__Scheduler__V1__JobSummary job_summary;

/* -- what the verbs share ------------------------------------------------------------------------- */

const char *job_key_text(const struct job_key *key, struct arena *arena)
{
    return arena_printf(arena, "%s/%s/%s/%s", key->cluster, key->role, key->environment, key->name);
}

void job_pause(int *pause_ms)
{
    if (*pause_ms < 50)
        *pause_ms = 50;
    struct timespec time = { *pause_ms / 1000, *pause_ms % 1000 * 1000000L };
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
    *pause_ms = *pause_ms * 3 / 2 < 1000 ? *pause_ms * 3 / 2 : 1000;
}

int64_t job_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- patterns over clusters ----------------------------------------------------------------------- */

/* What a listing does with the jobs that it finds in one cluster. */
typedef bool job_visit_fn(void *user, struct gateway *gateway, const struct job_key *key,
                          const job_summary *summary, struct error *err);

struct walk {
    const struct invocation *invocation;
    struct job_key pattern;
    bool is_one; /* the pattern is a key: what it names is visited without looking for it */
    job_visit_fn *visit;
    void *user;
};

static bool has_wildcard(const struct job_key *pattern)
{
    return job_part_has_wildcard(pattern->role) || job_part_has_wildcard(pattern->environment) ||
           job_part_has_wildcard(pattern->name);
}

static bool visit_matches(const struct walk *walk, struct gateway *gateway, const char *cluster,
                          struct error *err)
{
    job_summary **jobs;
    size_t count;
    if (!fetch_jobs(gateway, &walk->pattern, walk->invocation->arena, &jobs, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const Eos__Job__V1__JobKey *found = jobs[i]->key;
        struct job_key key = { cluster, found->role, found->environment, found->name };
        if (!walk->visit(walk->user, gateway, &key, jobs[i], err))
            return false;
    }
    return true;
}

/* The status is that of `err`, which is left to the caller to print. */
static enum exit_status walk_cluster(const struct walk *walk, const char *cluster,
                                     struct error *err)
{
    cleanup_gateway struct gateway *gateway = gateway_open(walk->invocation, cluster, err);
    if (!gateway)
        return STATUS_INVALID_CONFIGURATION;
    bool is_visited = walk->is_one ? walk->visit(walk->user, gateway, &walk->pattern, NULL, err)
                                   : visit_matches(walk, gateway, cluster, err);
    return is_visited ? STATUS_OK : exit_status_of(err->code);
}

/* A cluster that does not answer is named and passed over; its status is that of the whole. */
static enum exit_status walk_all(const struct walk *walk)
{
    const char **names;
    size_t count;
    struct error err;
    enum exit_status first = STATUS_OK;
    if (!cluster_names(walk->invocation->flags, walk->invocation->arena, &names, &count, &err))
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    for (size_t i = 0; i < count; i++) {
        enum exit_status status = walk_cluster(walk, names[i], &err);
        if (status == STATUS_OK)
            continue;
        error_prefix(&err, "cluster %.80s", names[i]);
        output_complain(status, &err);
        first = first == STATUS_OK ? status : first;
    }
    return first;
}

static enum exit_status walk_jobs(const struct walk *walk)
{
    struct error err;
    if (strcmp(walk->pattern.cluster, "*") == 0)
        return walk_all(walk);
    enum exit_status status = walk_cluster(walk, walk->pattern.cluster, &err);
    return status == STATUS_OK ? STATUS_OK : output_complain(status, &err);
}

/* -- list ----------------------------------------------------------------------------------------- */

struct listing {
    const struct flags *flags;
    struct arena *arena;
    struct text out;
    bool is_json;
};

static void add_json_job(struct listing *listing, const char *key, const job_summary *summary)
{
    text_add(&listing->out, listing->out.len > 0 ? ",\n  {\"job\": " : "  {\"job\": ");
    text_add_json_string(&listing->out, slice_of(key));
    text_add(&listing->out, ", \"summary\": ");
    message_to_json(&summary->base, &listing->out);
    text_add_char(&listing->out, '}');
}

static bool list_job(void *user, struct gateway *gateway, const struct job_key *key,
                     const job_summary *summary, struct error *err)
{
    struct listing *listing = user;
    const char *text = job_key_text(key, listing->arena);
    (void)gateway;
    (void)err;
    if (listing->is_json)
        add_json_job(listing, text, summary);
    else
        text_printf(&listing->out, "%s\n", text);
    return true;
}

/* Puts what was collected between the brackets of a list.  `walked` says whether that is all there is;
 * after a failure nothing is no result. */
static enum exit_status print_listing(const struct listing *listing, enum exit_status walked)
{
    cleanup_text struct text out = TEXT_INIT;
    bool is_empty = listing->out.len == 0;
    if (walked != STATUS_OK && is_empty)
        return walked;
    text_add(&out, !listing->is_json ? "" : is_empty ? "[" : "[\n");
    text_add_slice(&out, text_slice(&listing->out));
    text_add(&out, !listing->is_json ? "" : is_empty ? "]\n" : "\n]\n");
    enum exit_status printed = output_print(&out);
    return walked == STATUS_OK ? printed : walked;
}

enum exit_status job_list(const struct invocation *invocation)
{
    struct listing listing = { .flags = invocation->flags,
                               .arena = invocation->arena,
                               .is_json = flags_want_json(invocation->flags) };
    struct walk walk = { .invocation = invocation, .visit = list_job, .user = &listing };
    struct error err;
    if (!job_pattern_parse(invocation->arguments[0], invocation->arena, &walk.pattern, &err))
        return output_complain(STATUS_SYNTAX, &err);
    enum exit_status status = print_listing(&listing, walk_jobs(&walk));
    text_done(&listing.out);
    return status;
}

/* -- status --------------------------------------------------------------------------------------- */

static bool fetch_status(struct gateway *gateway, const struct job_key *key, struct arena *arena,
                         struct job_status *ret_status, struct error *err)
{
    struct task_query query = { .key = key };
    Eos__Scheduler__V1__PendingReasonsResponse *reasons;
    if (!fetch_tasks(gateway, &query, arena, &ret_status->tasks, &ret_status->task_count, err) ||
        !fetch_pending(gateway, key, arena, &reasons, err))
        return false;
    ret_status->reasons = reasons->reasons;
    ret_status->reason_count = reasons->n_reasons;
    return true;
}

static bool fetch_images(struct gateway *gateway, const struct job_key *key, struct arena *arena,
                         struct job_status *status, struct error *err)
{
    Eos__Scheduler__V1__GetJobResponse *job;
    if (!fetch_job(gateway, key, arena, &job, err))
        return false;
    status->has_images = true;
    status->bindings = job->bindings;
    status->binding_count = job->n_bindings;
    return true;
}

static bool show_status(void *user, struct gateway *gateway, const struct job_key *key,
                        const job_summary *summary, struct error *err)
{
    struct listing *listing = user;
    struct job_status status = { 0 };
    (void)summary;
    if (!fetch_status(gateway, key, listing->arena, &status, err))
        return false;
    if (status.task_count == 0)
        return true;
    if (listing->flags->want_images && !fetch_images(gateway, key, listing->arena, &status, err))
        return false;
    if (listing->is_json) {
        text_add(&listing->out, listing->out.len > 0 ? ",\n" : "");
        job_status_add_json(&listing->out, job_key_text(key, listing->arena), &status);
    } else {
        job_status_add(&listing->out, &status, listing->arena, output_has_colour(STDOUT_FILENO));
    }
    return true;
}

/* Aurora's clients print an object here, and scripts look at it instead of at the status. */
static enum exit_status found_nothing(struct listing *listing, const char *pattern)
{
    struct error err;
    if (listing->is_json) {
        text_add(&listing->out, "{\"jobspec\": ");
        text_add_json_string(&listing->out, slice_of(pattern));
        text_add(&listing->out, ", \"error\": \"No matching jobs found\"}\n");
        return output_print(&listing->out);
    }
    error_set(&err, ERROR_NOT_FOUND, "Found no jobs matching %s", pattern);
    return output_complain(STATUS_INVALID_PARAMETER, &err);
}

enum exit_status job_status(const struct invocation *invocation)
{
    struct listing listing = { .flags = invocation->flags,
                               .arena = invocation->arena,
                               .is_json = flags_want_json(invocation->flags) };
    struct walk walk = { .invocation = invocation, .visit = show_status, .user = &listing };
    struct error err;
    if (!job_pattern_parse(invocation->arguments[0], invocation->arena, &walk.pattern, &err))
        return output_complain(STATUS_SYNTAX, &err);
    walk.is_one = !has_wildcard(&walk.pattern) && strcmp(walk.pattern.cluster, "*") != 0;
    enum exit_status status = walk_jobs(&walk);
    if (status == STATUS_OK && listing.out.len == 0)
        status = found_nothing(&listing, job_key_text(&walk.pattern, invocation->arena));
    else
        status = print_listing(&listing, status);
    text_done(&listing.out);
    return status;
}
