#include "client/host.h"

#include "base/cleanup.h"
#include "client/gateway.h"
#include "client/output.h"
#include "client/table.h"
#include "json/message_json.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

typedef Eos__Scheduler__V1__Host host_message;
typedef Eos__Scheduler__V1__HostResources host_resources;
typedef Eos__Scheduler__V1__ListHostsResponse hosts_response;

static const char *used_of(double used, double total, struct arena *arena)
{
    return arena_printf(arena, "%g/%g", used, total);
}

static void add_host(struct table *table, const host_message *host, struct arena *arena)
{
    static const host_resources none = EOS__SCHEDULER__V1__HOST_RESOURCES__INIT;
    const host_resources *used = host->used ? host->used : &none;
    const host_resources *total = host->total ? host->total : &none;
    table_add(table, host->hostname);
    table_add_coloured(table, host->is_connected ? COLOUR_GREEN : COLOUR_RED,
                       host->is_connected ? "connected" : "lost");
    table_add(table, arena_printf(arena, "%d", host->task_count));
    table_add(table, used_of(used->num_cpus, total->num_cpus, arena));
    table_add(table, used_of((double)used->ram_mb, (double)total->ram_mb, arena));
    table_add(table, used_of((double)used->disk_mb, (double)total->disk_mb, arena));
    table_add(table, host->version);
    table_add(table, host->host_id);
}

static enum exit_status print_hosts(const hosts_response *hosts,
                                    const struct invocation *invocation)
{
    static const char *const headings[] = { "HOST",    "STATE",   "TASKS", "CPU", "RAM MB",
                                            "DISK MB", "VERSION", "ID",    NULL };
    cleanup_text struct text out = TEXT_INIT;
    if (flags_want_json(invocation->flags)) {
        message_to_json_pretty(&hosts->base, &out);
        return output_print(&out);
    }
    struct table *table = table_new(headings);
    for (size_t i = 0; i < hosts->n_hosts; i++)
        add_host(table, hosts->hosts[i], invocation->arena);
    table_format(table, output_has_colour(STDOUT_FILENO), &out);
    table_free(table);
    return output_print(&out);
}

enum exit_status host_list(const struct invocation *invocation)
{
    const char *cluster = invocation->argument_count > 0 ? invocation->arguments[0] : NULL;
    ProtobufCMessage *message;
    struct error err;
    cleanup_gateway struct gateway *gateway = gateway_open(invocation, cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    if (!gateway_call(gateway, "GET", "/v1/hosts", NULL,
                      &eos__scheduler__v1__list_hosts_response__descriptor, invocation->arena,
                      &message, &err))
        return output_complain(exit_status_of(err.code), &err);
    return print_hosts((const hosts_response *)message, invocation);
}
