#include "binder/resolver.h"

#include "base/alloc.h"
#include "base/map.h"
#include "binder/image_details.h"
#include "binder/verifier.h"
#include "io/metrics.h"
#include "io/wall_clock.h"
#include "registry/manifest.h"

#include <assert.h>

#define CONFIG_MAX_MS 5000u

struct resolver_ticket {
    struct flight *flight;
    struct resolver_ticket *previous, *next;
    resolver_fn *done;
    void *user;
};

struct flight {
    struct resolver *resolver;
    char *key;
    struct arena *arena;
    struct registry_target target;
    const char *what; /* the reference of the first who asked, for messages */
    const struct policy_rule *rule;
    uint64_t deadline_at_ms;
    struct finding last;        /* what was found the last time, or all NULL */
    struct finding finding;     /* known, and being verified */
    struct registry_call *call; /* at most one of these two; neither: waits for its turn */
    struct verifier *verifier;
    struct resolver_ticket *tickets;
    struct flight *next_waiting;
};

struct resolver {
    struct resolver_options options;
    struct cache *cache;
    struct map *flights;    /* key -> struct flight, asking and waiting */
    struct flight *waiting; /* in their order */
    uint32_t asking;
    uint32_t ticket_count;
    bool is_closing;
    struct metric *from_cache, *from_registry, *failures, *verified, *unverified;
};

/* Not the wall's: how long an answer lives does not depend on somebody who sets the clock. */
static int64_t steady_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

/* An answer under one rule, or from some mirrors, is none under another: each cluster has its own, and
 * they live as long as the settings. */
static char *key_of(const struct image *image)
{
    return xasprintf("%s %s %s %p %p", image->base_url, image->repository, image->version,
                     (const void *)image->rule, (const void *)image->mirrors);
}

static void open_signature_metrics(struct resolver *resolver)
{
    static const char name[] = "eos_binder_signatures_total";
    static const char help[] = "Images whose signature was asked for.";
    resolver->verified = metric_open(METRIC_COUNTER, name, help, "result=\"good\"");
    resolver->unverified = metric_open(METRIC_COUNTER, name, help, "result=\"refused\"");
}

struct resolver *resolver_new(const struct resolver_options *options)
{
    static const char name[] = "eos_binder_answers_total";
    static const char help[] = "Images that were asked for, by where the answer came from.";
    struct resolver *resolver = xcalloc(1, sizeof *resolver);
    assert(options->concurrency > 0 && options->timeout_ms > 0);
    resolver->options = *options;
    resolver->cache = cache_new(&options->cache);
    resolver->flights = map_new();
    resolver->from_cache = metric_open(METRIC_COUNTER, name, help, "source=\"cache\"");
    resolver->from_registry = metric_open(METRIC_COUNTER, name, help, "source=\"registry\"");
    resolver->failures = metric_open(METRIC_COUNTER, "eos_binder_failures_total",
                                     "Questions to registries that failed.", NULL);
    open_signature_metrics(resolver);
    return resolver;
}

/* -- tickets and flights -------------------------------------------------------------------------- */

static void free_when_idle(struct resolver *resolver)
{
    if (!resolver->is_closing || map_count(resolver->flights) > 0)
        return;
    cache_free(resolver->cache);
    map_free(resolver->flights);
    free(resolver);
}

static void ticket_free(struct resolver_ticket *ticket)
{
    struct flight *flight = ticket->flight;
    if (ticket->previous)
        ticket->previous->next = ticket->next;
    else
        flight->tickets = ticket->next;
    if (ticket->next)
        ticket->next->previous = ticket->previous;
    flight->resolver->ticket_count--;
    free(ticket);
}

static void stop_waiting(struct flight *flight)
{
    struct flight **at = &flight->resolver->waiting;
    while (*at && *at != flight)
        at = &(*at)->next_waiting;
    if (*at)
        *at = flight->next_waiting;
}

/* It is out of the map already. */
static void flight_free(struct flight *flight)
{
    arena_free(flight->arena);
    free(flight->key);
    free(flight);
}

static void start_waiting_flights(struct resolver *resolver);

/* Tells everybody.  A callback may cancel other tickets, of this flight too, or ask for the same image
 * again, which then is a new flight. */
static void land(struct flight *flight, const struct finding *finding, const struct error *err)
{
    struct resolver *resolver = flight->resolver;
    map_remove(resolver->flights, slice_of(flight->key));
    while (flight->tickets) {
        struct resolver_ticket *ticket = flight->tickets;
        resolver_fn *done = ticket->done;
        void *user = ticket->user;
        ticket_free(ticket);
        metric_add(resolver->from_registry, 1);
        done(user, finding, err);
    }
    flight_free(flight);
}

/* The end of a flight that has asked a registry; exactly one of the two is NULL. */
static void finish(struct flight *flight, const struct finding *finding, const struct error *err)
{
    struct resolver *resolver = flight->resolver;
    resolver->asking--;
    if (finding) {
        cache_put(resolver->cache, flight->key, finding, steady_ms());
    } else {
        metric_add(resolver->failures, 1);
        cache_put_error(resolver->cache, flight->key, err, steady_ms());
    }
    land(flight, finding, err);
    start_waiting_flights(resolver);
    free_when_idle(resolver);
}

static void on_verified(void *user, const struct verification *verification,
                        const struct error *err)
{
    struct flight *flight = user;
    flight->verifier = NULL;
    metric_add(err ? flight->resolver->unverified : flight->resolver->verified, 1);
    if (err) {
        finish(flight, NULL, err);
        return;
    }
    flight->finding.signed_by = public_key_name(verification->key);
    flight->finding.signing_key_id = public_key_id(verification->key);
    finish(flight, &flight->finding, NULL);
}

static uint32_t time_left_ms(const struct flight *flight)
{
    uint64_t now = (uint64_t)steady_ms();
    return flight->deadline_at_ms > now ? (uint32_t)(flight->deadline_at_ms - now) : 1;
}

static void verify(struct flight *flight)
{
    struct verifier_question question = {
        .registry = flight->resolver->options.registry,
        .base_url = flight->target.base_url,
        .repository = flight->target.repository,
        .digest = flight->finding.digest,
        .what = flight->what,
        .keys = &flight->rule->keys,
        .timeout_ms = time_left_ms(flight),
    };
    struct error err;
    flight->verifier = verifier_start(&question, on_verified, flight, &err);
    if (!flight->verifier)
        finish(flight, NULL, &err);
}

static void verify_or_finish(struct flight *flight)
{
    if (flight->rule)
        verify(flight);
    else
        finish(flight, &flight->finding, NULL);
}

/* The platform is only told: that it could not be found out keeps no image from being bound. */
static void on_config(void *user, const struct registry_document *document, const struct error *err)
{
    struct flight *flight = user;
    Eos__Binder__V1__ImageConfig *config;
    struct error ignored;
    flight->call = NULL;
    if (!err && details_parse_config((struct slice){ document->bytes, document->len },
                                     flight->arena, &config, &ignored))
        flight->finding.platforms = config_platform(config, flight->arena);
    verify_or_finish(flight);
}

/* A plain manifest does not say what it is for. */
static bool ask_config(struct flight *flight, const struct manifest *manifest)
{
    uint32_t left = time_left_ms(flight);
    struct registry_document_request request = {
        .path = arena_printf(flight->arena, "blobs/%s", manifest->config.digest),
        .digest = manifest->config.digest,
        .max_bytes = IMAGE_CONFIG_MAX_BYTES,
    };
    struct error ignored;
    flight->call = registry_get_document(flight->resolver->options.registry, &flight->target,
                                         &request, left < CONFIG_MAX_MS ? left : CONFIG_MAX_MS,
                                         on_config, flight, &ignored);
    return flight->call != NULL;
}

/* Only the registry's word is new, and whether it is signed is looked at again. */
static void use_last(struct flight *flight, const struct registry_manifest *manifest)
{
    struct finding finding = flight->last;
    finding.authentication = manifest->authentication;
    finding.signed_by = finding.signing_key_id = "";
    finding.found_at_ms = wall_clock_ms();
    flight->finding = finding_copy(&finding, flight->arena);
    verify_or_finish(flight);
}

static void on_manifest(void *user, const struct registry_manifest *manifest,
                        const struct error *err)
{
    struct flight *flight = user;
    struct manifest parsed;
    struct error ignored;
    flight->call = NULL;
    if (!manifest) {
        finish(flight, NULL, err);
        return;
    }
    if (manifest->len == 0) { /* it is the one of the last time */
        use_last(flight, manifest);
        return;
    }
    bool is_parsed =
        manifest_parse((struct slice){ manifest->bytes, manifest->len },
                       slice_of(manifest->media_type), flight->arena, &parsed, &ignored);
    bool is_index = is_parsed && parsed.kind == MANIFEST_INDEX;
    struct finding finding = {
        .digest = manifest->digest,
        .media_type = manifest->media_type,
        .platforms = is_index ? manifest_platforms(&parsed, flight->arena) : "",
        .authentication = manifest->authentication,
        .signed_by = "",
        .signing_key_id = "",
        .size_bytes = (int64_t)manifest->len,
        .found_at_ms = wall_clock_ms(),
    };
    flight->finding = finding_copy(&finding, flight->arena);
    if (!is_parsed || is_index || !ask_config(flight, &parsed))
        verify_or_finish(flight);
}

static bool ask_registry(struct flight *flight, struct error *err)
{
    struct resolver *resolver = flight->resolver;
    struct registry_client *registry = resolver->options.registry;
    uint32_t timeout_ms = resolver->options.timeout_ms;
    struct finding last;
    flight->deadline_at_ms = (uint64_t)steady_ms() + timeout_ms;
    if (cache_last(resolver->cache, flight->key, &last)) {
        flight->last = finding_copy(&last, flight->arena);
        flight->call = registry_check_manifest(registry, &flight->target, flight->last.digest,
                                               timeout_ms, on_manifest, flight, err);
    } else {
        flight->call = registry_get_manifest(registry, &flight->target, false, timeout_ms,
                                             on_manifest, flight, err);
    }
    if (!flight->call)
        return false;
    resolver->asking++;
    return true;
}

static void start_waiting_flights(struct resolver *resolver)
{
    while (resolver->waiting && resolver->asking < resolver->options.concurrency) {
        struct flight *flight = resolver->waiting;
        struct error err;
        resolver->waiting = flight->next_waiting;
        if (!ask_registry(flight, &err))
            land(flight, NULL, &err);
    }
}

static void wait_for_turn(struct flight *flight)
{
    struct flight **at = &flight->resolver->waiting;
    while (*at)
        at = &(*at)->next_waiting;
    *at = flight;
}

static struct flight *flight_new(struct resolver *resolver, const struct image *image, char *key)
{
    struct flight *flight = xcalloc(1, sizeof *flight);
    flight->resolver = resolver;
    flight->key = key;
    flight->arena = arena_new();
    flight->target = (struct registry_target){
        .base_url = arena_strdup(flight->arena, image->base_url),
        .repository = arena_strdup(flight->arena, image->repository),
        .reference = arena_strdup(flight->arena, image->version),
        .mirrors = image->mirrors,
    };
    flight->what = arena_strdup(flight->arena, image->reference);
    flight->rule = image->rule;
    map_put(resolver->flights, slice_of(key), flight);
    return flight;
}

/* A flight that cannot even start fails before anybody waits for it. */
static struct flight *begin_flight(struct resolver *resolver, const struct image *image, char *key,
                                   struct error *err)
{
    struct flight *flight = flight_new(resolver, image, key);
    if (resolver->asking >= resolver->options.concurrency) {
        wait_for_turn(flight);
        return flight;
    }
    if (ask_registry(flight, err))
        return flight;
    map_remove(resolver->flights, slice_of(key));
    flight_free(flight);
    return NULL;
}

/* -- the interface -------------------------------------------------------------------------------- */

enum cache_answer resolver_recall(const struct resolver *resolver, const struct image *image,
                                  struct finding *ret_finding, struct error *err)
{
    char *key = key_of(image);
    enum cache_answer answer = cache_find(resolver->cache, key, steady_ms(), ret_finding, err);
    free(key);
    if (answer != CACHE_MISS)
        metric_add(resolver->from_cache, 1);
    return answer;
}

struct resolver_ticket *resolver_ask(struct resolver *resolver, const struct image *image,
                                     resolver_fn *done, void *user, struct error *err)
{
    if (resolver->ticket_count >= RESOLVER_MAX_WAITING) {
        error_set(err, ERROR_RESOURCE_EXHAUSTED, "%u questions to registries are waiting already",
                  RESOLVER_MAX_WAITING);
        return NULL;
    }
    char *key = key_of(image);
    struct flight *flight = map_get(resolver->flights, slice_of(key));
    if (flight)
        free(key);
    else
        flight = begin_flight(resolver, image, key, err);
    if (!flight)
        return NULL;
    struct resolver_ticket *ticket = xcalloc(1, sizeof *ticket);
    ticket->flight = flight;
    ticket->done = done;
    ticket->user = user;
    ticket->next = flight->tickets;
    if (ticket->next)
        ticket->next->previous = ticket;
    flight->tickets = ticket;
    resolver->ticket_count++;
    return ticket;
}

/* A flight that lands tells its tickets itself, and is not in the map any more. */
void resolver_cancel(struct resolver_ticket *ticket)
{
    struct flight *flight = ticket->flight;
    struct resolver *resolver = flight->resolver;
    ticket_free(ticket);
    if (flight->tickets || map_get(resolver->flights, slice_of(flight->key)) != flight)
        return;
    map_remove(resolver->flights, slice_of(flight->key));
    if (flight->call || flight->verifier)
        resolver->asking--;
    else
        stop_waiting(flight);
    if (flight->call)
        registry_call_cancel(flight->call);
    if (flight->verifier)
        verifier_cancel(flight->verifier);
    flight_free(flight);
    start_waiting_flights(resolver);
    free_when_idle(resolver);
}

void resolver_close(struct resolver *resolver)
{
    struct error err;
    if (!resolver)
        return;
    error_set(&err, ERROR_CANCELLED, "the program is stopping");
    while (resolver->waiting) {
        struct flight *flight = resolver->waiting;
        resolver->waiting = flight->next_waiting;
        land(flight, NULL, &err);
    }
    resolver->is_closing = true;
    free_when_idle(resolver);
}
