#include "launcher/image_store.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "launcher/image_discovery.h"
#include "launcher/image_limits.h"
#include "launcher/image_path.h"
#include "launcher/image_pull.h"
#include "registry/digest.h"

#include <assert.h>
#include <curl/curl.h>

#define MAX_FETCHES 1024

/* One pull with all that wait for it.  It is gone from `pulls` before the first of them is told. */
struct pull {
    struct image_store *store;
    struct image_pull *pull;
    char *key;
    uint64_t owner; /* of pins */
};

struct image_fetch {
    struct image_store *store;
    struct pull *pull;
    struct image_fetch *next;
    uint32_t deadline_ms;
    uv_timer_t deadline;
    image_fetch_fn *done; /* NULL: told, or cancelled; the timer is closing */
    void *user;
};

struct image_store {
    uv_loop_t *loop;
    struct registry_client *registry;
    char *registry_url, *prefix;
    struct image_web *web;
    struct image_places places;
    const struct mirrors *mirrors;
    struct image_directory directory;
    struct image_flights *flights;
    struct image_keeper *keeper;
    struct map *pulls;
    struct image_fetch *fetches; /* all that wait */
    size_t fetch_count;
    unsigned open_parts; /* timers, cancelled pulls, the flights */
    bool is_closing;
};

static void on_keeper_closed(void *user)
{
    struct image_store *store = user;
    assert(map_count(store->pulls) == 0 && !store->fetches);
    map_free(store->pulls);
    image_directory_close(&store->directory);
    free(store->registry_url);
    free(store->prefix);
    image_web_free(store->web);
    free(store);
    curl_global_cleanup();
}

/* The keeper goes last: pulls release their pins there. */
static void part_closed(void *user)
{
    struct image_store *store = user;
    assert(store->open_parts > 0);
    if (--store->open_parts == 0 && store->is_closing)
        image_keeper_close(store->keeper, on_keeper_closed, store);
}

static bool check_prefix(const char *prefix, struct error *err)
{
    static const struct image_aci_name any = { .name = "x" };
    struct arena *arena = arena_new();
    struct image_aci_place place;
    bool ok = image_discovery_simple(&any, prefix, arena, &place, err);
    arena_free(arena);
    return ok;
}

struct image_store *image_store_open(uv_loop_t *loop, const struct image_store_options *options,
                                     struct error *err)
{
    struct image_directory directory;
    const char *prefix = options->appc_simple_discovery_uri_prefix;
    if (prefix && !check_prefix(prefix, err))
        return NULL;
    struct image_web *web = image_web_new(&options->web, err);
    if (!web || !image_directory_open(&directory, options->directory, err)) {
        image_web_free(web);
        return NULL;
    }
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
    struct image_store *store = xcalloc(1, sizeof *store);
    store->loop = loop;
    store->registry = options->registry;
    store->directory = directory;
    store->pulls = map_new();
    store->mirrors = options->mirrors;
    if (options->registry_url)
        store->registry_url = xstrdup(options->registry_url);
    if (prefix)
        store->prefix = xstrdup(prefix);
    store->web = web;
    store->places = (struct image_places){ web, store->prefix, options->appc_meta_discovery };
    store->flights = image_flights_open(loop, &store->directory, store->registry, &store->places);
    store->keeper = image_keeper_open(loop, &store->directory, &options->keep);
    store->open_parts = 1;
    return store;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct image_fetch *fetch = handle->data;
    struct image_store *store = fetch->store;
    free(fetch);
    part_closed(store);
}

/* Takes it off the list; it is not told after this. */
static void drop(struct image_fetch *fetch)
{
    struct image_store *store = fetch->store;
    struct image_fetch **at = &store->fetches;
    while (*at != fetch)
        at = &(*at)->next;
    *at = fetch->next;
    store->fetch_count--;
    fetch->done = NULL;
    uv_close((uv_handle_t *)&fetch->deadline, on_timer_closed);
}

static void tell(struct image_fetch *fetch, const struct image *image, const struct error *err)
{
    image_fetch_fn *done = fetch->done;
    void *user = fetch->user;
    drop(fetch);
    done(user, image, err);
}

static struct image_fetch *find_fetch(struct image_store *store, const struct pull *pull)
{
    struct image_fetch *fetch = store->fetches;
    while (fetch && fetch->pull != pull)
        fetch = fetch->next;
    return fetch;
}

/* Its image is in the hands of those who waited, or in nobody's. */
static void end_pull(void *user)
{
    struct pull *pull = user;
    struct image_store *store = pull->store;
    image_keeper_release(store->keeper, pull->owner);
    free(pull->key);
    free(pull);
    part_closed(store);
}

/* Whoever is told may call anything: fetch again, cancel another, close the store.  So each is looked
 * up anew. */
static void on_pulled(void *user, const struct image *image, const struct error *err)
{
    struct pull *pull = user;
    struct image_store *store = pull->store;
    map_remove(store->pulls, slice_of(pull->key));
    for (struct image_fetch *fetch; (fetch = find_fetch(store, pull));)
        tell(fetch, image, err);
    if (image)
        image_keeper_poke(store->keeper);
    end_pull(pull);
}

/* Nobody waits for it. */
static void abandon(struct pull *pull)
{
    struct image_store *store = pull->store;
    if (map_get(store->pulls, slice_of(pull->key)) != pull)
        return; /* it has arrived and is telling */
    map_remove(store->pulls, slice_of(pull->key));
    image_pull_cancel(pull->pull, end_pull, pull);
}

static void leave(struct image_fetch *fetch)
{
    struct image_store *store = fetch->store;
    struct pull *pull = fetch->pull;
    drop(fetch);
    if (!find_fetch(store, pull))
        abandon(pull);
}

void image_store_cancel(struct image_fetch *fetch)
{
    assert(fetch->done);
    leave(fetch);
}

static void on_deadline(uv_timer_t *timer)
{
    struct image_fetch *fetch = timer->data;
    image_fetch_fn *done = fetch->done;
    void *user = fetch->user;
    struct error err = { 0 };
    cleanup_text struct text state = TEXT_INIT;
    image_pull_tell(fetch->pull->pull, &state);
    error_set(&err, ERROR_DEADLINE_EXCEEDED, "after %u ms %s", fetch->deadline_ms,
              text_string(&state));
    leave(fetch);
    done(user, NULL, &err);
}

struct image_progress image_store_progress(const struct image_fetch *fetch)
{
    return image_pull_progress(fetch->pull->pull);
}

void image_store_close(struct image_store *store)
{
    struct error err = { 0 };
    if (!store)
        return;
    store->is_closing = true;
    error_set(&err, ERROR_CANCELLED, "the image store is closing");
    while (store->fetches) {
        image_fetch_fn *done = store->fetches->done;
        void *user = store->fetches->user;
        leave(store->fetches);
        done(user, NULL, &err);
    }
    image_keeper_stop(store->keeper);
    image_flights_close(store->flights, part_closed, store);
}

static void label_docker(const struct image_reference *reference, struct arena *arena,
                         struct image_pull_request *pull)
{
    char shown[IMAGE_SHOWN_BYTES];
    image_show(reference->repository, shown);
    pull->label = *reference->digest
                      ? arena_printf(arena, "%s@%.19s", shown, reference->digest)
                      : arena_printf(arena, "%s:%.40s", shown, reference_version(reference));
    pull->origin = arena_printf(arena, "registry %s", pull->target.base_url);
}

static bool describe_docker(struct image_store *store, const struct image_request *request,
                            struct arena *arena, struct image_pull_request *pull, struct error *err)
{
    struct image_reference reference;
    if (!image_reference_of(request, arena, &reference, err) ||
        !registry_locate(store->registry, &reference, store->registry_url, arena, &pull->target,
                         err))
        return false;
    pull->target.mirrors = store->mirrors;
    label_docker(&reference, arena, pull);
    pull->local_name = image_local_name(&reference, store->registry_url, arena);
    pull->is_fresh = request->is_fresh;
    return true;
}

static bool describe_appc(struct image_store *store, const struct image_request *request,
                          struct arena *arena, struct image_pull_request *pull, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    if (!image_aci_name_of(request, arena, &pull->name, err))
        return false;
    pull->id = request->id ? request->id : "";
    pull->local_name = request->name;
    pull->label = arena_strdup(arena, image_show(request->name, shown));
    pull->origin = store->prefix ? store->prefix : "its host";
    return true;
}

static const char *key_of(const struct image_pull_request *pull, struct arena *arena)
{
    if (pull->kind == IMAGE_APPC)
        return arena_printf(arena, "appc %s %s", image_aci_name_format(&pull->name, arena),
                            pull->id);
    if (pull->is_import)
        return arena_printf(arena, "import %s %s", pull->local_name, pull->manifest_digest);
    return arena_printf(arena, "docker %s %s %s%s", pull->target.base_url, pull->target.repository,
                        pull->target.reference, pull->is_fresh ? " fresh" : "");
}

static struct pull *find_pull(struct image_store *store, struct image_pull_request *request,
                              struct arena *arena)
{
    const struct image_pull_context context = { store->loop, &store->directory, store->registry,
                                                store->flights };
    const char *key = key_of(request, arena);
    struct pull *pull = map_get(store->pulls, slice_of(key));
    if (pull)
        return pull;
    pull = xcalloc(1, sizeof *pull);
    pull->store = store;
    pull->key = xstrdup(key);
    pull->owner = request->owner = image_pins_new_owner(store->directory.pins);
    map_put(store->pulls, slice_of(key), pull);
    store->open_parts++;
    pull->pull = image_pull_start(&context, request, on_pulled, pull);
    return pull;
}

static struct image_fetch *wait_for(struct pull *pull, uint32_t deadline_ms, image_fetch_fn *done,
                                    void *user)
{
    struct image_store *store = pull->store;
    struct image_fetch *fetch = xcalloc(1, sizeof *fetch);
    fetch->store = store;
    fetch->pull = pull;
    fetch->deadline_ms = deadline_ms;
    fetch->done = done;
    fetch->user = user;
    fetch->next = store->fetches;
    store->fetches = fetch;
    store->fetch_count++;
    store->open_parts++;
    fetch->deadline.data = fetch;
    uv_timer_init(store->loop, &fetch->deadline); /* cannot fail */
    uv_timer_start(&fetch->deadline, on_deadline, deadline_ms, 0);
    return fetch;
}

static bool check_room(const struct image_store *store, uint32_t deadline_ms, struct error *err)
{
    if (deadline_ms == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "fetching an image needs a deadline");
    if (store->is_closing)
        return error_set(err, ERROR_UNAVAILABLE, "the image store is closing");
    if (store->fetch_count >= MAX_FETCHES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "%d images are already waited for",
                         MAX_FETCHES);
    return true;
}

struct image_fetch *image_store_fetch(struct image_store *store,
                                      const struct image_request *request, uint32_t deadline_ms,
                                      image_fetch_fn *done, void *user, struct error *err)
{
    struct arena *arena = arena_new();
    struct image_pull_request pull = { .kind = request->kind };
    struct image_fetch *fetch = NULL;
    bool ok = check_room(store, deadline_ms, err) &&
              (request->kind == IMAGE_APPC ? describe_appc : describe_docker)(store, request, arena,
                                                                              &pull, err);
    if (ok)
        fetch = wait_for(find_pull(store, &pull, arena), deadline_ms, done, user);
    arena_free(arena);
    return fetch;
}

/* -- what there is -------------------------------------------------------------------------------- */

void image_store_start_keeping(struct image_store *store, image_users_fn *users, void *user)
{
    image_keeper_start(store->keeper, users, user);
}

struct image_keeper *image_store_keeper(const struct image_store *store)
{
    return store->keeper;
}

struct job {
    uv_work_t work;
    struct image_store *store;
    void (*run)(const struct image_directory *directory, void *user);
    void (*done)(void *user);
    void *user;
};

static void run_job(uv_work_t *work)
{
    const struct job *job = work->data;
    job->run(&job->store->directory, job->user);
}

static void after_job(uv_work_t *work, int status)
{
    struct job *job = work->data;
    assert(status == 0);
    job->done(job->user);
    part_closed(job->store);
    free(job);
}

void image_store_run(struct image_store *store,
                     void (*work)(const struct image_directory *directory, void *user),
                     void (*done)(void *user), void *user)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->store = store;
    job->run = work;
    job->done = done;
    job->user = user;
    job->work.data = job;
    store->open_parts++;
    int status = uv_queue_work(store->loop, &job->work, run_job, after_job);
    assert(status == 0);
}

bool image_store_local_name(const struct image_store *store, const char *text, struct arena *arena,
                            const char **ret_name, struct error *err)
{
    struct image_reference reference;
    if (strncmp(text, "sha256:", 7) == 0 || strncmp(text, "sha512-", 7) == 0) {
        *ret_name = text;
        return true;
    }
    if (!reference_parse(slice_of(text), arena, &reference, err))
        return error_prefix(err, "image name");
    *ret_name = image_local_name(&reference, store->registry_url, arena);
    return true;
}

/* -- import --------------------------------------------------------------------------------------- */

static bool describe_import(struct image_store *store, const char *name, struct slice manifest,
                            struct arena *arena, struct image_pull_request *pull, struct error *err)
{
    struct image_reference reference;
    char digest[DIGEST_MAX_LEN];
    if (!reference_parse(slice_of(name), arena, &reference, err))
        return error_prefix(err, "image name");
    if (*reference.digest)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "image name: a tag is expected, and not a digest");
    if (manifest.len > IMAGE_MAX_MANIFEST_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "the manifest has %zu bytes, more than %u",
                         manifest.len, IMAGE_MAX_MANIFEST_BYTES);
    digest_of(manifest.ptr, manifest.len, digest);
    pull->is_import = true;
    pull->local_name = image_local_name(&reference, store->registry_url, arena);
    pull->manifest = manifest;
    pull->manifest_digest = arena_strdup(arena, digest);
    pull->target = (struct registry_target){ .base_url = "",
                                             .repository = reference.repository,
                                             .reference = pull->manifest_digest };
    label_docker(&reference, arena, pull);
    pull->origin = "import";
    return true;
}

struct image_fetch *image_store_import(struct image_store *store, const char *name,
                                       struct slice manifest, uint32_t deadline_ms,
                                       image_fetch_fn *done, void *user, struct error *err)
{
    struct arena *arena = arena_new();
    struct image_pull_request pull = { .kind = IMAGE_DOCKER };
    struct image_fetch *fetch = NULL;
    if (check_room(store, deadline_ms, err) &&
        describe_import(store, name, manifest, arena, &pull, err))
        fetch = wait_for(find_pull(store, &pull, arena), deadline_ms, done, user);
    arena_free(arena);
    return fetch;
}
