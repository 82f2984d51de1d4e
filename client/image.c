#include "client/image.h"

#include "base/cleanup.h"
#include "client/gateway.h"
#include "client/output.h"
#include "json/message_json.h"

#include "eos/binder/v1/binder.pb-c.h"

static enum exit_status print_binding(const Eos__Job__V1__ImageBinding *binding, bool is_json)
{
    cleanup_text struct text out = TEXT_INIT;
    if (is_json)
        message_to_json_pretty(&binding->base, &out);
    else
        output_add_printable(&out, binding->resolved);
    if (!is_json)
        text_add_char(&out, '\n');
    return output_print(&out);
}

static enum exit_status resolve(const struct invocation *invocation, struct gateway *gateway)
{
    Eos__Binder__V1__ResolveRequest request = EOS__BINDER__V1__RESOLVE_REQUEST__INIT;
    ProtobufCMessage *message;
    struct error err;
    request.cluster = (char *)gateway_cluster(gateway);
    request.reference = invocation->arguments[0];
    request.skip_cache = invocation->flags->skip_cache;
    if (!gateway_call(gateway, "POST", "/v1/images:resolve", &request.base,
                      &eos__binder__v1__resolve_response__descriptor, invocation->arena, &message,
                      &err))
        return output_complain(exit_status_of(err.code), &err);
    const Eos__Binder__V1__ResolveResponse *response =
        (const Eos__Binder__V1__ResolveResponse *)message;
    if (response->binding)
        return print_binding(response->binding, flags_want_json(invocation->flags));
    error_set(&err, ERROR_DATA_LOSS, "the gateway's answer names no image");
    return output_complain(STATUS_UNKNOWN_ERROR, &err);
}

enum exit_status image_resolve(const struct invocation *invocation)
{
    struct error err;
    cleanup_gateway struct gateway *gateway = gateway_open(invocation, NULL, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    return resolve(invocation, gateway);
}
