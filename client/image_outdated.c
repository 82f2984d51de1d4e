#include "base/cleanup.h"
#include "client/fetch.h"
#include "client/image.h"
#include "client/image_use.h"
#include "client/job.h"
#include "client/output.h"

#include "eos/binder/v1/binder.pb-c.h"

/* Asks the registry itself what each tag names now: an answer out of a cache would be no news. */

struct outdated {
    const struct invocation *invocation;
    struct gateway *gateway;
    struct job_key key;
    struct image_use *uses;
    size_t count;
};

static bool find_uses(struct outdated *outdated, struct error *err)
{
    struct arena *arena = outdated->invocation->arena;
    struct task_query query = { .key = &outdated->key, .only_active = true, .with_configs = true };
    Eos__Scheduler__V1__GetJobResponse *job;
    Eos__Job__V1__ScheduledTask **tasks;
    size_t task_count;
    if (!fetch_job(outdated->gateway, &outdated->key, arena, &job, err) ||
        !fetch_tasks(outdated->gateway, &query, arena, &tasks, &task_count, err))
        return false;
    outdated->uses =
        image_uses(job->bindings, job->n_bindings, tasks, task_count, arena, &outdated->count);
    return true;
}

static bool ask(const struct outdated *outdated, struct image_use *use, struct error *err)
{
    struct arena *arena = outdated->invocation->arena;
    Eos__Binder__V1__ResolveRequest request = EOS__BINDER__V1__RESOLVE_REQUEST__INIT;
    ProtobufCMessage *message;
    request.cluster = (char *)gateway_cluster(outdated->gateway);
    request.reference = image_tag_reference(use->binding, arena);
    request.skip_cache = true;
    if (!gateway_call(outdated->gateway, "POST", "/v1/images:resolve", &request.base,
                      &eos__binder__v1__resolve_response__descriptor, arena, &message, err)) {
        use->state = IMAGE_GONE;
        return err->code == ERROR_NOT_FOUND;
    }
    const Eos__Binder__V1__ResolveResponse *response =
        (const Eos__Binder__V1__ResolveResponse *)message;
    if (!response->binding)
        return error_set(err, ERROR_DATA_LOSS, "the gateway's answer names no image");
    use->now = response->binding->digest;
    use->state = strcmp(use->now, use->binding->digest) == 0 ? IMAGE_CURRENT : IMAGE_MOVED;
    return true;
}

static bool ask_all(const struct outdated *outdated, struct error *err)
{
    for (size_t i = 0; i < outdated->count; i++)
        if (outdated->uses[i].state == IMAGE_CURRENT && !ask(outdated, &outdated->uses[i], err))
            return false;
    return true;
}

static enum exit_status print(const struct outdated *outdated)
{
    cleanup_text struct text out = TEXT_INIT;
    bool is_outdated = false;
    for (size_t i = 0; i < outdated->count; i++) {
        is_outdated = is_outdated || image_is_outdated(&outdated->uses[i]);
        if (outdated->uses[i].state == IMAGE_UNPINNED)
            output_note("%s is a tag that is not pinned: nobody knows what runs",
                        outdated->uses[i].reference);
    }
    if (flags_want_json(outdated->invocation->flags)) {
        text_add_char(&out, '[');
        image_uses_add_json(&out, outdated->uses, outdated->count);
        text_add(&out, outdated->count > 0 ? "\n]\n" : "]\n");
    } else {
        image_uses_add(&out, outdated->uses, outdated->count);
    }
    enum exit_status status = output_print(&out);
    return status == STATUS_OK && is_outdated ? STATUS_COMMAND_FAILURE : status;
}

enum exit_status image_outdated(const struct invocation *invocation)
{
    struct outdated outdated = { .invocation = invocation };
    struct error err;
    if (!job_key_parse(invocation->arguments[0], invocation->arena, &outdated.key, &err))
        return output_complain(STATUS_SYNTAX, &err);
    cleanup_gateway struct gateway *gateway = gateway_open(invocation, outdated.key.cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    outdated.gateway = gateway;
    if (!find_uses(&outdated, &err) || !ask_all(&outdated, &err))
        return output_complain(exit_status_of(err.code), &err);
    return print(&outdated);
}
