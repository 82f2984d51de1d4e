#include "client/version.h"

#include "base/cleanup.h"
#include "client/gateway.h"
#include "client/output.h"

#include "eos/gateway/v1/gateway.pb-c.h"

typedef Eos__Gateway__V1__VersionResponse version_response;

static enum exit_status print_version(const struct invocation *invocation,
                                      const version_response *gateway)
{
    cleanup_text struct text out = TEXT_INIT;
    bool is_json = flags_want_json(invocation->flags);
    text_add(&out, is_json ? "{\"version\": \"" EOS_VERSION "\"" : "eos " EOS_VERSION "\n");
    if (gateway && is_json) {
        text_add(&out, ", \"cluster\": ");
        text_add_json_string(&out, slice_of(gateway->cluster));
        text_add(&out, ", \"gatewayVersion\": ");
        text_add_json_string(&out, slice_of(gateway->version));
    } else if (gateway) {
        text_printf(&out, "cluster %s: gateway %s\n", gateway->cluster, gateway->version);
    }
    text_add(&out, is_json ? "}\n" : "");
    return output_print(&out);
}

enum exit_status version_show(const struct invocation *invocation)
{
    ProtobufCMessage *message;
    struct error err;
    if (invocation->argument_count == 0)
        return print_version(invocation, NULL);
    cleanup_gateway struct gateway *gateway =
        gateway_open(invocation, invocation->arguments[0], &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    if (!gateway_call(gateway, "GET", "/v1/version", NULL,
                      &eos__gateway__v1__version_response__descriptor, invocation->arena, &message,
                      &err))
        return output_complain(exit_status_of(err.code), &err);
    return print_version(invocation, (const version_response *)message);
}
