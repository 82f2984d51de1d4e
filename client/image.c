#include "client/image.h"

#include "base/cleanup.h"
#include "client/gateway.h"
#include "client/image_text.h"
#include "client/output.h"
#include "client/source.h"
#include "json/message_json.h"

typedef Eos__Binder__V1__ResolveResponse resolve_response;
typedef Eos__Binder__V1__InspectResponse inspect_response;
typedef Eos__Binder__V1__VerifyRequest verify_request;
typedef Eos__Binder__V1__VerifyResponse verify_response;

/* What the verbs of one image share: one call to the gateway, and its answer as text or JSON. */
struct call {
    const struct invocation *invocation;
    struct gateway *gateway;
    ProtobufCMessage *response;
};

static bool open_gateway(struct call *call, struct error *err)
{
    call->gateway = gateway_open(call->invocation, NULL, err);
    return call->gateway != NULL;
}

static enum exit_status print(const struct call *call, struct text *text)
{
    struct text json = TEXT_INIT;
    bool is_json = flags_want_json(call->invocation->flags);
    if (is_json)
        message_to_json_pretty(call->response, &json);
    enum exit_status status = output_print(is_json ? &json : text);
    text_done(&json);
    return status;
}

static enum exit_status complain_of_answer(void)
{
    struct error err;
    error_set(&err, ERROR_DATA_LOSS, "the gateway's answer names no image");
    return output_complain(STATUS_UNKNOWN_ERROR, &err);
}

/* -- resolve -------------------------------------------------------------------------------------- */

static enum exit_status resolve(struct call *call)
{
    const struct invocation *invocation = call->invocation;
    Eos__Binder__V1__ResolveRequest request = EOS__BINDER__V1__RESOLVE_REQUEST__INIT;
    cleanup_text struct text out = TEXT_INIT;
    struct error err;
    request.cluster = (char *)gateway_cluster(call->gateway);
    request.reference = invocation->arguments[0];
    request.skip_cache = invocation->flags->skip_cache;
    if (!gateway_call(call->gateway, "POST", "/v1/images:resolve", &request.base,
                      &eos__binder__v1__resolve_response__descriptor, invocation->arena,
                      &call->response, &err))
        return output_complain(exit_status_of(err.code), &err);
    Eos__Job__V1__ImageBinding *binding = ((resolve_response *)call->response)->binding;
    if (!binding)
        return complain_of_answer();
    call->response = &binding->base;
    output_add_printable(&out, binding->resolved);
    text_add_char(&out, '\n');
    return print(call, &out);
}

enum exit_status image_resolve(const struct invocation *invocation)
{
    struct call call = { .invocation = invocation };
    struct error err;
    if (!open_gateway(&call, &err))
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    enum exit_status status = resolve(&call);
    gateway_close(call.gateway);
    return status;
}

/* -- inspect -------------------------------------------------------------------------------------- */

static enum exit_status inspect(struct call *call)
{
    const struct invocation *invocation = call->invocation;
    Eos__Binder__V1__InspectRequest request = EOS__BINDER__V1__INSPECT_REQUEST__INIT;
    cleanup_text struct text out = TEXT_INIT;
    struct error err;
    request.cluster = (char *)gateway_cluster(call->gateway);
    request.reference = invocation->arguments[0];
    if (invocation->flags->platform)
        request.platform = (char *)invocation->flags->platform;
    if (!gateway_call(call->gateway, "POST", "/v1/images:inspect", &request.base,
                      &eos__binder__v1__inspect_response__descriptor, invocation->arena,
                      &call->response, &err))
        return output_complain(exit_status_of(err.code), &err);
    const inspect_response *image = (const inspect_response *)call->response;
    if (!image->binding)
        return complain_of_answer();
    image_details_add(&out, image, invocation->arena);
    return print(call, &out);
}

enum exit_status image_inspect(const struct invocation *invocation)
{
    struct call call = { .invocation = invocation };
    struct error err;
    if (!open_gateway(&call, &err))
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    enum exit_status status = inspect(&call);
    gateway_close(call.gateway);
    return status;
}

/* -- verify --------------------------------------------------------------------------------------- */

/* What is secret must not leave this machine by mistake; the rest the binder looks at. */
static bool check_key(const struct text *pem, struct error *err)
{
    if (!strstr(text_string(pem), "PRIVATE KEY-----"))
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "there is a private key where a public one is expected");
}

/* The keys of --key, which are read here: the binder may be on another machine. */
static bool add_keys(const struct invocation *invocation, verify_request *request,
                     struct error *err)
{
    const struct option_list *files = &invocation->flags->key;
    request->keys = arena_array(invocation->arena, files->count, sizeof request->keys[0]);
    for (size_t i = 0; i < files->count; i++) {
        cleanup_text struct text pem = TEXT_INIT;
        Eos__Binder__V1__SigningKey *key = arena_alloc(invocation->arena, sizeof *key);
        if (!source_read_file(files->items[i], &pem, err) || !check_key(&pem, err))
            return error_prefix(err, "flag --key");
        eos__binder__v1__signing_key__init(key);
        key->name = (char *)files->items[i];
        key->pem = arena_memdup0(invocation->arena, text_string(&pem), pem.len);
        request->keys[request->n_keys++] = key;
    }
    return true;
}

/* A signature that does not count is the cluster's refusal, as for a job. */
static enum exit_status status_of_verify(enum error_code code)
{
    return code == ERROR_FAILED_PRECONDITION ? STATUS_COMMAND_FAILURE : exit_status_of(code);
}

static enum exit_status verify(struct call *call)
{
    const struct invocation *invocation = call->invocation;
    verify_request request = EOS__BINDER__V1__VERIFY_REQUEST__INIT;
    cleanup_text struct text out = TEXT_INIT;
    struct error err;
    request.cluster = (char *)gateway_cluster(call->gateway);
    request.reference = invocation->arguments[0];
    request.skip_cache = invocation->flags->skip_cache;
    if (!add_keys(invocation, &request, &err))
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    if (!gateway_call(call->gateway, "POST", "/v1/images:verify", &request.base,
                      &eos__binder__v1__verify_response__descriptor, invocation->arena,
                      &call->response, &err))
        return output_complain(status_of_verify(err.code), &err);
    const verify_response *image = (const verify_response *)call->response;
    if (!image->binding)
        return complain_of_answer();
    image_verified_add(&out, image);
    return print(call, &out);
}

enum exit_status image_verify(const struct invocation *invocation)
{
    struct call call = { .invocation = invocation };
    struct error err;
    if (!open_gateway(&call, &err))
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    enum exit_status status = verify(&call);
    gateway_close(call.gateway);
    return status;
}
