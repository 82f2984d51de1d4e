#include "binder/service.h"

#include "base/alloc.h"
#include "binder/job_images.h"
#include "io/log.h"

#include <assert.h>

/* Resolve and Bind are the same operation over one image or over all of a job: take what the cache has,
 * ask for the rest at once, and answer when the last is there.  The first failure ends it. */
struct operation;

struct question {
    struct operation *operation;
    struct image *image;
    struct resolver_ticket *ticket; /* NULL: not waiting for it */
};

struct operation {
    struct service *service;
    struct rpc_request *request;
    struct arena *arena; /* the request's */
    struct job_images images;
    struct question *questions;
    size_t open; /* questions that wait */
    bool is_over;
    void (*reply)(struct operation *operation);
    Eos__Job__V1__JobConfiguration *job; /* of Bind */
};

static struct operation *operation_new(struct service *service, struct rpc_request *request,
                                       void (*reply)(struct operation *operation))
{
    struct operation *operation = xcalloc(1, sizeof *operation);
    operation->service = service;
    operation->request = request;
    operation->arena = rpc_request_arena(request);
    operation->reply = reply;
    return operation;
}

static void operation_free(struct operation *operation)
{
    free(operation->questions);
    free(operation);
}

static void cancel_questions(struct operation *operation)
{
    operation->is_over = true;
    for (size_t i = 0; operation->questions && i < operation->images.count; i++) {
        struct resolver_ticket *ticket = operation->questions[i].ticket;
        operation->questions[i].ticket = NULL;
        if (ticket)
            resolver_cancel(ticket);
    }
}

static void operation_fail(struct operation *operation, const struct error *err)
{
    cancel_questions(operation);
    rpc_fail(operation->request, err);
    operation_free(operation);
}

static void on_cancel(void *user)
{
    struct operation *operation = user;
    struct error err;
    error_set(&err, ERROR_CANCELLED, "the caller has given up");
    operation_fail(operation, &err);
}

static void operation_reply(struct operation *operation)
{
    operation->reply(operation);
    operation_free(operation);
}

static void on_found(void *user, const struct finding *finding, const struct error *err)
{
    struct question *question = user;
    struct operation *operation = question->operation;

    question->ticket = NULL;
    if (operation->is_over)
        return;
    operation->open--;
    if (err) {
        operation_fail(operation, err);
        return;
    }
    question->image->finding = finding_copy(finding, operation->arena);
    log_info("image resolved", "reference", question->image->reference, "registry",
             question->image->base_url, "digest", finding->digest);
    if (operation->open == 0)
        operation_reply(operation);
}

enum use_of_cache { USE_CACHE, SKIP_CACHE };

/* Asks one question, unless the cache has the answer. */
static bool ask(struct operation *operation, struct question *question,
                enum use_of_cache use_of_cache, struct error *err)
{
    struct resolver *resolver = operation->service->resolver;
    struct finding finding;
    enum cache_answer answer = CACHE_MISS;

    if (use_of_cache == USE_CACHE)
        answer = resolver_recall(resolver, question->image, &finding, err);
    if (answer == CACHE_NOT_FOUND)
        return false;
    if (answer == CACHE_FOUND) {
        question->image->finding = finding_copy(&finding, operation->arena);
        return true;
    }
    question->ticket = resolver_ask(resolver, question->image, on_found, question, err);
    if (!question->ticket)
        return false;
    operation->open++;
    return true;
}

static void operation_run(struct operation *operation, enum use_of_cache use_of_cache)
{
    struct error err;
    size_t count = operation->images.count;
    operation->questions = xcalloc(count + 1, sizeof *operation->questions);
    for (size_t i = 0; i < count; i++) {
        struct question *question = &operation->questions[i];
        question->operation = operation;
        question->image = &operation->images.items[i];
        if (!ask(operation, question, use_of_cache, &err)) {
            operation_fail(operation, &err);
            return;
        }
    }
    if (operation->open == 0)
        operation_reply(operation);
    else
        rpc_request_on_cancel(operation->request, on_cancel, operation);
}

/* -- Resolve -------------------------------------------------------------------------------------- */

static void reply_resolve(struct operation *operation)
{
    Eos__Binder__V1__ResolveResponse response = EOS__BINDER__V1__RESOLVE_RESPONSE__INIT;
    response.binding = image_binding(&operation->images.items[0], operation->arena);
    rpc_reply(operation->request, &response.base);
}

static void start_resolve(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Binder__V1__ResolveRequest *req = rpc_request_message(request);
    struct operation *operation = operation_new(service, request, reply_resolve);
    struct error err, unknown;
    struct image_context context = service_image_context(service, req->cluster, &unknown);

    operation->images.items = arena_alloc(operation->arena, sizeof(struct image));
    if (!image_parse(&context, slice_of(req->reference), operation->arena, operation->images.items,
                     &err)) {
        operation_fail(operation, &err);
        return;
    }
    operation->images.items[0].rule = NULL; /* what is there is told, signed or not */
    operation->images.count = 1;
    operation_run(operation, req->skip_cache ? SKIP_CACHE : USE_CACHE);
}

/* -- Bind ----------------------------------------------------------------------------------------- */

static void reply_bind(struct operation *operation)
{
    Eos__Binder__V1__BindResponse response = EOS__BINDER__V1__BIND_RESPONSE__INIT;
    const struct job_images *images = &operation->images;

    job_images_apply(images, operation->job, operation->arena);
    response.job = operation->job;
    response.bindings = arena_array(operation->arena, images->count, sizeof response.bindings[0]);
    response.n_bindings = images->count;
    for (size_t i = 0; i < images->count; i++)
        response.bindings[i] = image_binding(&images->items[i], operation->arena);
    rpc_reply(operation->request, &response.base);
}

static enum job_pinning pinning_of(const struct service *service,
                                   const Eos__Binder__V1__BindRequest *req)
{
    bool is_default = service_settings(service, req->cluster)->pin && !req->no_pin;
    return req->pin || is_default ? JOB_PIN_TAGS : JOB_TEMPLATES_ONLY;
}

static void start_bind(void *ctx, struct rpc_request *request)
{
    struct service *service = ctx;
    const Eos__Binder__V1__BindRequest *req = rpc_request_message(request);
    struct operation *operation = operation_new(service, request, reply_bind);
    struct error err, unknown;
    struct image_context context = service_image_context(service, req->cluster, &unknown);

    if (!req->job) {
        error_set(&err, ERROR_INVALID_ARGUMENT, "field job: missing");
        operation_fail(operation, &err);
        return;
    }
    operation->job = job_copy(req->job, operation->arena);
    if (!job_images_collect(&context, operation->job, pinning_of(service, req), operation->arena,
                            &operation->images, &err)) {
        operation_fail(operation, &err);
        return;
    }
    operation_run(operation, req->skip_cache ? SKIP_CACHE : USE_CACHE);
}

const struct rpc_method binder_methods[] = {
    { .name = "Resolve", .start = start_resolve },
    { .name = "Bind", .start = start_bind },
    { .name = "Inspect", .start = start_inspect },
    { .name = "Verify", .start = start_verify },
    { 0 },
};
