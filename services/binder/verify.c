#include "binder/service.h"

#include "base/alloc.h"
#include "binder/job_images.h"
#include "binder/verifier.h"

/* Verify: the digest of the reference, and then its signatures, by the keys of the request or of the
 * cluster's policy. */
struct verify {
    struct service *service;
    struct rpc_request *request;
    struct arena *arena; /* the request's */
    struct image image;
    struct public_keys keys;
    struct public_key **own; /* those of the request, freed in the end */
    size_t own_count;
    const char *policy;
    struct resolver_ticket *ticket; /* at most one of these two */
    struct verifier *verifier;
};

static void verify_free(struct verify *verify)
{
    for (size_t i = 0; i < verify->own_count; i++)
        public_key_free(verify->own[i]);
    free(verify->own);
    free(verify);
}

static void verify_fail(struct verify *verify, const struct error *err)
{
    rpc_fail(verify->request, err);
    verify_free(verify);
}

static void on_cancel(void *user)
{
    struct verify *verify = user;
    struct error err;
    if (verify->ticket)
        resolver_cancel(verify->ticket);
    if (verify->verifier)
        verifier_cancel(verify->verifier);
    error_set(&err, ERROR_CANCELLED, "the caller has given up");
    verify_fail(verify, &err);
}

/* -- the signature -------------------------------------------------------------------------------- */

static void on_verified(void *user, const struct verification *verification,
                        const struct error *err)
{
    struct verify *verify = user;
    Eos__Binder__V1__VerifyResponse response = EOS__BINDER__V1__VERIFY_RESPONSE__INIT;
    verify->verifier = NULL;
    if (err) {
        verify_fail(verify, err);
        return;
    }
    verify->image.finding.signed_by = public_key_name(verification->key);
    verify->image.finding.signing_key_id = public_key_id(verification->key);
    response.binding = image_binding(&verify->image, verify->arena);
    response.policy = (char *)verify->policy;
    response.algorithm = (char *)public_key_algorithm(verification->key);
    response.form = (char *)verification->form;
    response.found = (char *)verification->found;
    response.signature_digest = (char *)verification->digest;
    rpc_reply(verify->request, &response.base);
    verify_free(verify);
}

static bool ask_signatures(struct verify *verify, struct error *err)
{
    struct verifier_question question = {
        .registry = verify->service->registry,
        .base_url = verify->image.base_url,
        .repository = verify->image.repository,
        .digest = verify->image.finding.digest,
        .what = verify->image.reference,
        .keys = &verify->keys,
        .timeout_ms = verify->service->timeout_ms,
    };
    verify->verifier = verifier_start(&question, on_verified, verify, err);
    return verify->verifier != NULL;
}

/* -- the digest ----------------------------------------------------------------------------------- */

static bool use_finding(struct verify *verify, const struct finding *finding, struct error *err)
{
    verify->image.finding = finding_copy(finding, verify->arena);
    return ask_signatures(verify, err);
}

static void on_found(void *user, const struct finding *finding, const struct error *err)
{
    struct verify *verify = user;
    struct error problem;
    verify->ticket = NULL;
    if (err)
        verify_fail(verify, err);
    else if (!use_finding(verify, finding, &problem))
        verify_fail(verify, &problem);
}

static bool ask_digest(struct verify *verify, bool skip_cache, struct error *err)
{
    struct resolver *resolver = verify->service->resolver;
    struct finding finding;
    enum cache_answer answer =
        skip_cache ? CACHE_MISS : resolver_recall(resolver, &verify->image, &finding, err);
    if (answer == CACHE_NOT_FOUND)
        return false;
    if (answer == CACHE_FOUND)
        return use_finding(verify, &finding, err);
    verify->ticket = resolver_ask(resolver, &verify->image, on_found, verify, err);
    return verify->ticket != NULL;
}

/* -- the method ----------------------------------------------------------------------------------- */

static bool take_keys(struct verify *verify, const Eos__Binder__V1__VerifyRequest *req,
                      struct error *err)
{
    if (req->n_keys > POLICY_MAX_KEYS)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field keys: there are over %u",
                         POLICY_MAX_KEYS);
    verify->own = xcalloc(req->n_keys + 1, sizeof *verify->own); /* outlives the request */
    for (size_t i = 0; i < req->n_keys; i++) {
        verify->own[i] = public_key_parse(slice_of(req->keys[i]->pem), req->keys[i]->name, err);
        if (!verify->own[i])
            return error_prefix(err, "field keys[%zu]", i);
        verify->own_count++;
    }
    verify->keys = (struct public_keys){ verify->own, verify->own_count };
    return true;
}

/* The image is asked for as if it need not be signed, so that the cache of others serves here too. */
static bool choose_keys(struct verify *verify, const Eos__Binder__V1__VerifyRequest *req,
                        struct error *err)
{
    const struct policy_rule *rule = verify->image.rule;
    verify->image.rule = NULL;
    verify->policy = "";
    if (req->n_keys > 0)
        return take_keys(verify, req, err);
    if (!rule)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "no rule of docker_signatures is about image %s: name a key",
                         verify->image.reference);
    verify->policy = rule->images;
    verify->keys = rule->keys;
    return true;
}

void start_verify(void *ctx, struct rpc_request *request)
{
    const Eos__Binder__V1__VerifyRequest *req = rpc_request_message(request);
    struct verify *verify = xcalloc(1, sizeof *verify);
    struct error err, unknown;
    verify->service = ctx;
    verify->request = request;
    verify->arena = rpc_request_arena(request);
    struct image_context context = service_image_context(verify->service, req->cluster, &unknown);
    if (image_parse(&context, slice_of(req->reference), verify->arena, &verify->image, &err) &&
        choose_keys(verify, req, &err) && ask_digest(verify, req->skip_cache, &err))
        rpc_request_on_cancel(request, on_cancel, verify);
    else
        verify_fail(verify, &err);
}
