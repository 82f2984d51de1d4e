#include "launcher/port_map.h"

#define PORT_MAX 65535

const struct port *port_map_find(const struct port_map *map, struct slice name)
{
    for (size_t i = 0; i < map->count; i++)
        if (slice_is(name, map->ports[i].name))
            return &map->ports[i];
    return NULL;
}

static bool to_port(const json_t *value, int *ret_number)
{
    uint64_t number;
    if (json_is_string(value) &&
        !slice_to_u64(slice_of(json_string_value(value)), PORT_MAX, &number))
        return false;
    if (json_is_integer(value))
        number = (uint64_t)json_integer_value(value);
    else if (!json_is_string(value))
        return false;
    if (number < 1 || number > PORT_MAX)
        return false;
    *ret_number = (int)number;
    return true;
}

/* Follows `name` through the aliases to a number.  0 when it leads nowhere, -1 for a circle. */
static int resolve(const struct port_map *map, const json_t *aliases, const char *name)
{
    size_t steps = json_object_size(aliases);
    for (size_t i = 0; i <= steps; i++) {
        const struct port *port = port_map_find(map, slice_of(name));
        const json_t *value = json_object_get(aliases, name);
        int number;
        if (port)
            return port->number;
        if (!value)
            return 0;
        if (to_port(value, &number))
            return number;
        if (!json_is_string(value))
            return 0;
        name = json_string_value(value);
    }
    return -1;
}

static bool add_aliases(struct port_map *map, const json_t *aliases, struct arena *arena,
                        struct error *err)
{
    struct port_map assigned = *map;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)aliases, name, value)
    {
        if (port_map_find(&assigned, slice_of(name)))
            continue; /* what the scheduler assigned wins */
        int number = resolve(&assigned, aliases, name);
        if (number < 0)
            return error_set(err, ERROR_INVALID_ARGUMENT, "Found cycle in portmap!");
        if (number > 0)
            map->ports[map->count++] = (struct port){ arena_strdup(arena, name), number };
    }
    return true;
}

bool port_map_make(Eos__Job__V1__AssignedPort *const *assigned, size_t assigned_count,
                   const json_t *aliases, struct arena *arena, struct port_map *ret_map,
                   struct error *err)
{
    size_t alias_count = aliases ? json_object_size(aliases) : 0;
    struct port_map map = { 0 };

    if (assigned_count + alias_count > PORT_MAP_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a task may have at most %u ports",
                         PORT_MAP_MAX);
    map.ports = arena_array(arena, assigned_count + alias_count, sizeof *map.ports);
    for (size_t i = 0; i < assigned_count; i++) {
        if (assigned[i]->port < 1 || assigned[i]->port > PORT_MAX)
            return error_set(err, ERROR_INVALID_ARGUMENT, "an assigned port is not within 1 and %d",
                             PORT_MAX);
        map.ports[map.count++] = (struct port){ assigned[i]->name, assigned[i]->port };
    }
    if (aliases && !add_aliases(&map, aliases, arena, err))
        return false;
    *ret_map = map;
    return true;
}
