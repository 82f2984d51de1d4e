#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/options.h"

#include "eos/scheduler/v1/scheduler.pb-c.h"

/* What the host offers, and how it is described. */
struct host_facts {
    const char *hostname;
    Eos__Scheduler__V1__HostResources *total;
    Eos__Job__V1__Attribute **attributes; /* "host" first */
    size_t attribute_count;
};

/* What flags say; zero and NULL: as detected. */
struct host_wishes {
    const char *hostname, *cpus,
        *ports; /* "4", "0.5"; "31000-32000", several separated by commas */
    int64_t ram_bytes, disk_bytes;
    struct option_list attributes; /* "name=value", a name may come several times */
};

/* What the machine has. */
struct host_size {
    const char *hostname;
    double cpus;
    int64_t ram_bytes, disk_bytes;
};

#define HOST_MAX_ATTRIBUTES 1000u
#define HOST_DEFAULT_PORTS  "31000-32000"

/* Where others reach what is served at `url`: an address that stands for all of the host's gives way to
 * its name.  Lives in `arena`. */
const char *host_endpoint(const char *url, const char *hostname, struct arena *arena);

/* Without a wish, a part of ram and disk is left to the host itself: 1 GB and 5 GB, or a half when
 * there is less than twice that.  INVALID_ARGUMENT names the flag. */
bool host_facts_make(const struct host_wishes *wishes, const struct host_size *size,
                     struct arena *arena, struct host_facts *ret_facts,
                     struct error *err) MUST_CHECK;
