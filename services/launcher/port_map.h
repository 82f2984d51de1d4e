#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

#include "eos/job/v1/job.pb-c.h"

#include <jansson.h>

/* The ports of a task by name: those that the scheduler has assigned, and what the job's
 * announcement names after them. */
struct port {
    const char *name;
    int number;
};

struct port_map {
    struct port *ports;
    size_t count;
};

#define PORT_MAP_MAX 1000u

/* `aliases` is announce.portmap, from name to number or to another name; NULL for none.  Names that
 * lead nowhere are left out.  INVALID_ARGUMENT "Found cycle in portmap!" or for what is no port. */
bool port_map_make(Eos__Job__V1__AssignedPort *const *assigned, size_t assigned_count,
                   const json_t *aliases, struct arena *arena, struct port_map *ret_map,
                   struct error *err) MUST_CHECK;

/* NULL when there is no port of that name. */
const struct port *port_map_find(const struct port_map *map, struct slice name);
