#include "binder/verifier.h"

#include "base/alloc.h"
#include "binder/policy.h"

#include <assert.h>

#define ACCEPT_MANIFEST                                                                            \
    "application/vnd.oci.image.manifest.v1+json, "                                                 \
    "application/vnd.docker.distribution.manifest.v2+json"
#define ACCEPT_INDEX "application/vnd.oci.image.index.v1+json"

/* The places to look at, in their order. */
enum place { PLACE_TAG, PLACE_REFERRERS, PLACE_REFERRERS_TAG, PLACE_NONE };

/* One document is on its way at any time: that of the place, one of the manifests that it listed, or one
 * of the blobs of the manifest at hand. */
struct verifier {
    struct verifier_question question;
    struct arena *arena;
    struct registry_call *call;
    uint64_t deadline_at_ms;
    verifier_fn *done;
    void *user;

    enum place place;
    struct signature_referrers referrers;
    size_t next_referrer;
    struct signature_manifest manifest;
    size_t next_blob;
    size_t looked_at; /* signatures, of all manifests together */

    enum signature_verdict verdict; /* the most telling one so far */
    struct error why;
};

static void step(struct verifier *verifier);

/* -- the end -------------------------------------------------------------------------------------- */

static void verifier_free(struct verifier *verifier)
{
    arena_free(verifier->arena);
    free(verifier);
}

static void fail(struct verifier *verifier, const struct error *err)
{
    verifier->done(verifier->user, NULL, err);
    verifier_free(verifier);
}

/* "it has no signature", "its signature does not count: …", "none of its 3 signatures counts: …" */
static void finish_without(struct verifier *verifier)
{
    const char *expected = policy_expected(verifier->question.keys, verifier->arena);
    size_t count = verifier->looked_at;
    struct error err;
    if (verifier->question.keys->count == 0)
        error_set(&err, ERROR_FAILED_PRECONDITION,
                  "image %s may not be bound: the policy of the cluster has no key for it",
                  verifier->question.what);
    else if (count == 0)
        error_set(&err, ERROR_FAILED_PRECONDITION,
                  "image %s must be signed by %s, and has no signature", verifier->question.what,
                  expected);
    else if (count == 1)
        error_set(&err, ERROR_FAILED_PRECONDITION,
                  "image %s must be signed by %s, and its signature does not count: %s",
                  verifier->question.what, expected, verifier->why.message);
    else
        error_set(&err, ERROR_FAILED_PRECONDITION,
                  "image %s must be signed by %s, and none of its %zu signatures counts: %s",
                  verifier->question.what, expected, count, verifier->why.message);
    fail(verifier, &err);
}

static void finish(struct verifier *verifier, const struct signature_blob *blob,
                   const struct public_key *key)
{
    struct verification verification = {
        .key = key,
        .form = blob->form == SIGNATURE_SIMPLE ? "simple-signing" : "bundle",
        .found = verifier->place == PLACE_TAG ? "tag" : "referrer",
        .digest = blob->digest,
    };
    verifier->done(verifier->user, &verification, NULL);
    verifier_free(verifier);
}

/* -- asking --------------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* What is not there or no document is passed over; when the registry cannot be asked, nobody knows. */
static bool is_passed_over(const struct error *err)
{
    static const enum error_code codes[] = { ERROR_NOT_FOUND, ERROR_INVALID_ARGUMENT,
                                             ERROR_FAILED_PRECONDITION, ERROR_DATA_LOSS,
                                             ERROR_UNIMPLEMENTED };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (err->code == codes[i])
            return true;
    return false;
}

static bool ask(struct verifier *verifier, const struct registry_document_request *document,
                registry_document_fn *done, struct error *err)
{
    struct registry_target target = {
        .base_url = verifier->question.base_url,
        .repository = verifier->question.repository,
        .reference = "",
    };
    uint64_t now = now_ms();
    uint64_t left = verifier->deadline_at_ms > now ? verifier->deadline_at_ms - now : 1;
    verifier->call = registry_get_document(verifier->question.registry, &target, document,
                                           (uint32_t)left, done, verifier, err);
    return verifier->call != NULL;
}

static void ask_or_fail(struct verifier *verifier, const struct registry_document_request *document,
                        registry_document_fn *done)
{
    struct error err;
    if (!ask(verifier, document, done, &err))
        fail(verifier, &err);
}

/* True when there is a document; otherwise the verifier has gone on or has failed. */
static bool has_arrived(struct verifier *verifier, const struct registry_document *document,
                        const struct error *err)
{
    verifier->call = NULL;
    if (document)
        return true;
    if (is_passed_over(err))
        step(verifier);
    else
        fail(verifier, err);
    return false;
}

/* -- blobs ---------------------------------------------------------------------------------------- */

static void on_blob(void *user, const struct registry_document *document, const struct error *err)
{
    struct verifier *verifier = user;
    const struct signature_blob *blob = &verifier->manifest.blobs[verifier->next_blob - 1];
    const struct public_key *key;
    struct error why;
    if (!has_arrived(verifier, document, err))
        return;
    verifier->looked_at++;
    enum signature_verdict verdict =
        signature_check(blob, (struct slice){ document->bytes, document->len },
                        verifier->question.digest, verifier->question.keys, &key, &why);
    if (verdict == SIGNATURE_GOOD) {
        finish(verifier, blob, key);
        return;
    }
    if (verifier->looked_at == 1 || verdict > verifier->verdict) {
        verifier->verdict = verdict;
        verifier->why = why;
    }
    step(verifier);
}

static void ask_blob(struct verifier *verifier)
{
    const struct signature_blob *blob = &verifier->manifest.blobs[verifier->next_blob++];
    struct registry_document_request request = {
        .path = arena_printf(verifier->arena, "blobs/%s", blob->digest),
        .digest = blob->digest,
        .max_bytes = blob->size > 0 ? (size_t)blob->size : 1,
    };
    ask_or_fail(verifier, &request, on_blob);
}

/* -- manifests ------------------------------------------------------------------------------------ */

/* One that says that it is about another image is not looked into. */
static void use_manifest(struct verifier *verifier, const struct registry_document *document)
{
    struct signature_manifest manifest;
    struct error ignored;
    if (!signature_manifest_parse((struct slice){ document->bytes, document->len }, verifier->arena,
                                  &manifest, &ignored))
        return;
    bool is_referrer = verifier->place != PLACE_TAG;
    if ((manifest.subject[0] || is_referrer) &&
        strcmp(manifest.subject, verifier->question.digest) != 0)
        return;
    verifier->manifest = manifest;
    verifier->next_blob = 0;
}

static void on_manifest(void *user, const struct registry_document *document,
                        const struct error *err)
{
    struct verifier *verifier = user;
    if (!has_arrived(verifier, document, err))
        return;
    use_manifest(verifier, document);
    step(verifier);
}

static void ask_referrer(struct verifier *verifier)
{
    const char *digest = verifier->referrers.digests[verifier->next_referrer++];
    struct registry_document_request request = {
        .path = arena_printf(verifier->arena, "manifests/%s", digest),
        .accept = ACCEPT_MANIFEST,
        .digest = digest,
        .max_bytes = SIGNATURE_MAX_MANIFEST_BYTES,
    };
    ask_or_fail(verifier, &request, on_manifest);
}

/* -- places --------------------------------------------------------------------------------------- */

static void on_referrers(void *user, const struct registry_document *document,
                         const struct error *err)
{
    struct verifier *verifier = user;
    struct signature_referrers referrers;
    struct error ignored;
    if (!has_arrived(verifier, document, err))
        return;
    if (signature_referrers_parse((struct slice){ document->bytes, document->len }, verifier->arena,
                                  &referrers, &ignored)) {
        verifier->referrers = referrers;
        verifier->next_referrer = 0;
    }
    step(verifier);
}

static void ask_place(struct verifier *verifier)
{
    const char *digest = verifier->question.digest;
    struct arena *arena = verifier->arena;
    struct registry_document_request request = { .accept = ACCEPT_INDEX,
                                                 .max_bytes = SIGNATURE_MAX_MANIFEST_BYTES };
    switch (verifier->place) {
    case PLACE_TAG:
        request.path = arena_printf(arena, "manifests/%s", signature_tag(digest, arena));
        request.accept = ACCEPT_MANIFEST;
        ask_or_fail(verifier, &request, on_manifest);
        return;
    case PLACE_REFERRERS:
        request.path = arena_printf(arena, "referrers/%s", digest);
        ask_or_fail(verifier, &request, on_referrers);
        return;
    case PLACE_REFERRERS_TAG:
        request.path = arena_printf(arena, "manifests/%s", signature_referrers_tag(digest, arena));
        ask_or_fail(verifier, &request, on_referrers);
        return;
    case PLACE_NONE:
        finish_without(verifier);
        return;
    }
}

/* Whatever is left to look at, from the nearest to the farthest. */
static void step(struct verifier *verifier)
{
    if (verifier->looked_at >= SIGNATURE_MAX_COUNT) {
        finish_without(verifier);
    } else if (verifier->next_blob < verifier->manifest.count) {
        ask_blob(verifier);
    } else if (verifier->next_referrer < verifier->referrers.count) {
        ask_referrer(verifier);
    } else {
        verifier->place++;
        ask_place(verifier);
    }
}

/* -- the interface -------------------------------------------------------------------------------- */

static struct verifier *verifier_new(const struct verifier_question *question, verifier_fn *done,
                                     void *user)
{
    struct verifier *verifier = xcalloc(1, sizeof *verifier);
    verifier->arena = arena_new();
    verifier->question = *question;
    verifier->question.base_url = arena_strdup(verifier->arena, question->base_url);
    verifier->question.repository = arena_strdup(verifier->arena, question->repository);
    verifier->question.digest = arena_strdup(verifier->arena, question->digest);
    verifier->question.what = arena_strdup(verifier->arena, question->what);
    verifier->deadline_at_ms = now_ms() + question->timeout_ms;
    verifier->done = done;
    verifier->user = user;
    return verifier;
}

/* The first question is asked here and not by ask_place(), which would call back at once when it cannot. */
struct verifier *verifier_start(const struct verifier_question *question, verifier_fn *done,
                                void *user, struct error *err)
{
    struct verifier *verifier = verifier_new(question, done, user);
    struct registry_document_request request = {
        .path = arena_printf(verifier->arena, "manifests/%s",
                             signature_tag(question->digest, verifier->arena)),
        .accept = ACCEPT_MANIFEST,
        .max_bytes = SIGNATURE_MAX_MANIFEST_BYTES,
    };
    assert(question->timeout_ms > 0);
    if (ask(verifier, &request, on_manifest, err))
        return verifier;
    verifier_free(verifier);
    return NULL;
}

void verifier_cancel(struct verifier *verifier)
{
    if (verifier->call)
        registry_call_cancel(verifier->call);
    verifier_free(verifier);
}
