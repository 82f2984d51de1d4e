#include "scheduler/host.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

#define PORT_COUNT 65536

struct host *host_new(Eos__Scheduler__V1__StoredHost *message)
{
    struct host *host = xcalloc(1, sizeof *host);
    host->entity.kind = ENTITY_HOST;
    host->session = xstrdup("");
    host->old_session = xstrdup("");
    host->strays = map_new();
    host->forgets = map_new();
    host_describe(host, message);
    return host;
}

void host_free(struct host *host)
{
    struct slice key;
    void *value;

    if (!host)
        return;
    message_free(host->message);
    free(host->session);
    free(host->old_session);
    free(host->ports_used);
    for (size_t cursor = 0; map_next(host->strays, &cursor, &key, &value);)
        free(value);
    map_free(host->strays);
    map_free(host->forgets);
    free(host);
}

static int64_t port_total(const Eos__Scheduler__V1__StoredHost *message)
{
    int64_t total = 0;
    for (size_t i = 0; i < message->n_ports; i++)
        total += message->ports[i]->last - message->ports[i]->first + 1;
    return total;
}

void host_describe(struct host *host, Eos__Scheduler__V1__StoredHost *message)
{
    message_free(host->message);
    host->message = message;
    host->total = (struct resources){
        .cpu_micros = cpu_micros_of(message->num_cpus),
        .ram_mb = message->ram_mb,
        .disk_mb = message->disk_mb,
        .gpus = message->num_gpus,
        .ports = port_total(message),
    };
}

const char *host_id(const struct host *host)
{
    return host->message->host_id;
}

bool host_is_open(const struct host *host)
{
    return host->is_connected && host->has_picture && !host->is_draining;
}

bool host_attribute(const struct host *host, const char *name, size_t *ret_count,
                    char *const **ret_values)
{
    const Eos__Scheduler__V1__StoredHost *message = host->message;
    for (size_t i = 0; i < message->n_attributes; i++) {
        if (strcmp(message->attributes[i]->name, name) != 0)
            continue;
        *ret_count = message->attributes[i]->n_values;
        *ret_values = message->attributes[i]->values;
        return true;
    }
    if (strcmp(name, "host") != 0)
        return false;
    *ret_count = 1;
    *ret_values = &message->hostname;
    return true;
}

void host_add_stray(struct host *host, struct slice task_id)
{
    if (!map_get(host->strays, task_id))
        map_put(host->strays, task_id, xcalloc(1, sizeof(int64_t)));
}

void host_remove_stray(struct host *host, struct slice task_id)
{
    free(map_remove(host->strays, task_id));
}

struct resources host_free_resources(const struct host *host)
{
    struct resources left = host->total;
    resources_subtract(&left, &host->used);
    return left;
}

bool host_port_is_used(const struct host *host, int32_t port)
{
    return host->ports_used && (host->ports_used[port / 64] >> (port % 64) & 1);
}

static void port_set(struct host *host, int32_t port, bool is_used)
{
    if (port < 0 || port >= PORT_COUNT)
        return;
    if (!host->ports_used)
        host->ports_used = xcalloc(PORT_COUNT / 64, sizeof *host->ports_used);
    uint64_t bit = 1ull << (port % 64);
    if (is_used)
        host->ports_used[port / 64] |= bit;
    else
        host->ports_used[port / 64] &= ~bit;
}

/* The `index`th port that the host offers, whether free or not. */
static int32_t port_at(const struct host *host, int64_t index)
{
    const Eos__Scheduler__V1__StoredHost *message = host->message;
    for (size_t i = 0; i < message->n_ports; i++) {
        int64_t count = message->ports[i]->last - message->ports[i]->first + 1;
        if (index < count)
            return (int32_t)(message->ports[i]->first + index);
        index -= count;
    }
    assert(false && "an index within the host's ports");
    return 0;
}

void host_take_ports(struct host *host, size_t count, uint64_t start, int32_t *ret_ports)
{
    int64_t total = host->total.ports;
    size_t taken = 0;

    for (int64_t i = 0; i < total && taken < count; i++) {
        int32_t port = port_at(host, (int64_t)((start + (uint64_t)i) % (uint64_t)total));
        if (host_port_is_used(host, port))
            continue;
        port_set(host, port, true);
        ret_ports[taken++] = port;
    }
    assert(taken == count);
}

void host_mark_ports(struct host *host, const int32_t *ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        port_set(host, ports[i], true);
}

void host_return_ports(struct host *host, const int32_t *ports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        port_set(host, ports[i], false);
}
