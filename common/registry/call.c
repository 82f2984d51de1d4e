#include "registry/call.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>

#define MAX_CALLS        4096u
#define MAX_URLS         8u
#define REST_MS          30000u  /* of a mirror that did not answer */
#define REST_OF_LIAR_MS  600000u /* of one that gave wrong bytes */
#define MAX_OTHERS_BYTES 120u    /* of an error's text */
#define ALSO_TRIED       "; also tried: "

bool call_is_digest(const char *reference)
{
    return strchr(reference, ':') != NULL;
}

/* -- sources -------------------------------------------------------------------------------------- */

static struct source mirror_source(const struct registry_call *call, const struct mirror *mirror)
{
    return (struct source){
        .kind = SOURCE_MIRROR,
        .base_url = mirror->base_url,
        .repository = arena_printf(call->arena, "%s%s", mirror->prefix, call->target.repository),
    };
}

/* Those that had trouble a moment ago come behind the registry. */
static void add_mirrors(struct registry_call *call, const struct mirror *mirrors, size_t count,
                        bool resting)
{
    uint64_t now_ms = uv_now(call->client->loop);
    for (size_t i = 0; i < count; i++)
        if (resting_has(call->client->resting, mirrors[i].base_url, now_ms) == resting)
            call->sources[call->source_count++] = mirror_source(call, &mirrors[i]);
}

static struct source registry_source(const struct registry_call *call)
{
    return (struct source){
        .kind = SOURCE_REGISTRY,
        .base_url = call->target.base_url,
        .repository = call->target.repository,
    };
}

static void find_sources(struct registry_call *call, const struct registry_target *target)
{
    size_t mirror_count;
    const struct mirror *mirrors = mirrors_find(target->mirrors, target->base_url, &mirror_count);
    size_t url_count = target->url_count < MAX_URLS ? target->url_count : MAX_URLS;
    call->sources = arena_array(call->arena, mirror_count + 1 + url_count, sizeof *call->sources);
    add_mirrors(call, mirrors, mirror_count, false);
    call->sources[call->source_count++] = registry_source(call);
    add_mirrors(call, mirrors, mirror_count, true);
    for (size_t i = 0; i < url_count; i++) {
        struct source source = registry_source(call);
        source.kind = SOURCE_FOREIGN;
        source.foreign_url = arena_strdup(call->arena, target->urls[i]);
        call->sources[call->source_count++] = source;
    }
}

const struct source *call_source(const struct registry_call *call)
{
    assert(call->at < call->source_count);
    return &call->sources[call->at];
}

/* -- calls ---------------------------------------------------------------------------------------- */

static bool check_call(struct registry_client *client, const struct registry_target *target,
                       uint32_t deadline_ms, struct error *err)
{
    if (deadline_ms == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a registry call needs a deadline");
    if (client->is_closing)
        return error_set(err, ERROR_UNAVAILABLE, "the registry client is closing");
    if (client->call_count >= MAX_CALLS)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "%u registry calls are already in flight",
                         MAX_CALLS);
    if (!endpoint_check(slice_of(target->base_url), err))
        return error_prefix(err, "registry");
    if (!repository_check(slice_of(target->repository), err))
        return error_prefix(err, "repository");
    return true;
}

struct registry_call *call_new(struct registry_client *client, const struct registry_target *target,
                               uint32_t deadline_ms, void *user, struct error *err)
{
    if (!check_call(client, target, deadline_ms, err))
        return NULL;
    struct registry_call *call = xcalloc(1, sizeof *call);
    call->client = client;
    call->arena = arena_new();
    call->target.base_url = arena_strdup(call->arena, target->base_url);
    call->target.repository = arena_strdup(call->arena, target->repository);
    call->target.reference = arena_strdup(call->arena, target->reference ? target->reference : "");
    find_sources(call, target);
    call->deadline_at_ms = uv_now(client->loop) + deadline_ms;
    call->user = user;
    call->expected_size = -1;
    call->next = client->calls;
    if (call->next)
        call->next->previous = call;
    client->calls = call;
    client->call_count++;
    return call;
}

void call_free(struct registry_call *call)
{
    struct registry_client *client = call->client;
    if (call->previous)
        call->previous->next = call->next;
    else
        client->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    client->call_count--;
    digest_stream_free(call->digest);
    text_done(&call->others);
    arena_free(call->arena);
    free(call);
}

void call_fail(struct registry_call *call, const struct error *err)
{
    if (call->on_manifest)
        call->on_manifest(call->user, NULL, err);
    else if (call->on_document)
        call->on_document(call->user, NULL, err);
    else
        call->on_done(call->user, err);
    call_free(call);
}

uint32_t call_time_left_ms(const struct registry_call *call)
{
    uint64_t now_ms = uv_now(call->client->loop);
    return call->deadline_at_ms > now_ms ? (uint32_t)(call->deadline_at_ms - now_ms) : 1;
}

uint32_t call_part_of_time_ms(const struct registry_call *call)
{
    uint32_t part_ms = call_time_left_ms(call) / (uint32_t)(call->source_count - call->at);
    return part_ms > 0 ? part_ms : 1;
}

struct fetch_request call_request(const struct registry_call *call)
{
    const struct source *source = call_source(call);
    bool is_last = call->at + 1 == call->source_count;
    return (struct fetch_request){
        .base_url = source->base_url,
        .repository = source->repository,
        .foreign_url = source->foreign_url,
        .deadline_ms = call_time_left_ms(call),
        .patience = source->kind == SOURCE_REGISTRY || is_last ? FETCH_PATIENT : FETCH_HASTY,
        .user = (void *)call,
    };
}

bool call_fetch(struct registry_call *call, const struct fetch_request *request, struct error *err)
{
    struct fetch *fetch = fetch_start(call->client, request, err);
    if (!fetch)
        return false;
    call->fetch = fetch;
    if (call->is_paused)
        fetch_pause(fetch);
    return true;
}

/* -- from one source to the next ------------------------------------------------------------------ */

static const struct {
    enum error_code code;
    const char *word;
} words[] = {
    { ERROR_NOT_FOUND, "not found" },        { ERROR_UNAVAILABLE, "unavailable" },
    { ERROR_DEADLINE_EXCEEDED, "too slow" }, { ERROR_RESOURCE_EXHAUSTED, "too many requests" },
    { ERROR_UNAUTHENTICATED, "no access" },  { ERROR_PERMISSION_DENIED, "no access" },
    { ERROR_DATA_LOSS, "wrong bytes" },
};

static const char *word_of(enum error_code code)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].code == code)
            return words[i].word;
    return "refused";
}

/* What is not there is no trouble. */
static void rest(struct registry_call *call, const struct source *source, enum error_code code)
{
    uint64_t now_ms = uv_now(call->client->loop);
    if (code == ERROR_NOT_FOUND)
        return;
    resting_put(call->client->resting, source->base_url,
                now_ms + (code == ERROR_DATA_LOSS ? REST_OF_LIAR_MS : REST_MS));
}

static const char *source_name(const struct source *source)
{
    return source->kind == SOURCE_FOREIGN ? source->foreign_url : source->base_url;
}

/* The registry's word is the one that counts. */
static void note_failure(struct registry_call *call, const struct error *err)
{
    const struct source *source = call_source(call);
    if (source->kind == SOURCE_MIRROR) {
        metric_add(call->client->mirror_failures, 1);
        rest(call, source, err->code);
    }
    if (source->kind == SOURCE_REGISTRY) {
        call->failure = *err;
        call->has_failure = true;
        return;
    }
    text_printf(&call->others, "%s%s (%s)", call->others.len > 0 ? ", " : "", source_name(source),
                word_of(err->code));
}

/* Room is left in the text for those who failed besides the registry. */
static void describe_failure(struct registry_call *call, struct error *ret_err)
{
    size_t shown = call->others.len < MAX_OTHERS_BYTES ? call->others.len : MAX_OTHERS_BYTES;
    size_t room = sizeof ret_err->message - 1 - strlen(ALSO_TRIED) - shown;
    *ret_err = call->failure;
    if (call->others.len > 0)
        error_set(ret_err, call->failure.code, "%.*s" ALSO_TRIED "%.*s", (int)room,
                  call->failure.message, (int)shown, text_string(&call->others));
}

static bool start_next(struct registry_call *call, struct error *ret_err)
{
    for (; call->at < call->source_count; call->at++) {
        if (call->start(call, ret_err))
            return true;
        note_failure(call, ret_err);
    }
    assert(call->has_failure);
    describe_failure(call, ret_err);
    return false;
}

bool call_begin(struct registry_call *call, struct error *err)
{
    return start_next(call, err);
}

/* With the deadline over, or bytes delivered that cannot be taken back. */
static void fail_now(struct registry_call *call, const struct error *err)
{
    const struct source *source = call_source(call);
    struct error all;
    if (source->kind == SOURCE_MIRROR)
        rest(call, source, err->code);
    if (call->is_spoilt || !call->has_failure)
        call->failure = *err;
    describe_failure(call, &all);
    call_fail(call, &all);
}

void call_try_next(struct registry_call *call, const struct error *err)
{
    struct error all;
    if (call->is_spoilt || uv_now(call->client->loop) >= call->deadline_at_ms) {
        fail_now(call, err);
        return;
    }
    note_failure(call, err);
    call->at++;
    if (!start_next(call, &all))
        call_fail(call, &all);
}

/* -- the interface -------------------------------------------------------------------------------- */

void registry_call_pause(struct registry_call *call)
{
    call->is_paused = true;
    fetch_pause(call->fetch);
}

void registry_call_resume(struct registry_call *call)
{
    call->is_paused = false;
    fetch_resume(call->fetch);
}

void registry_call_cancel(struct registry_call *call)
{
    fetch_cancel(call->fetch);
    call_free(call);
}
