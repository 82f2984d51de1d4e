#include "launcher/host_facts.h"

#include <math.h>

#define MB             (INT64_C(1) << 20)
#define GB             (INT64_C(1) << 30)
#define NAME_MAX_BYTES 255u
#define RANGES_MAX     1000u
#define CPUS_MAX       1e6

typedef Eos__Scheduler__V1__HostResources resources;
typedef Eos__Job__V1__Attribute attribute;

static int64_t all_but(int64_t total, int64_t reserve)
{
    return total > 2 * reserve ? total - reserve : total / 2;
}

static bool parse_cpus(const char *text, double *ret_cpus, struct error *err)
{
    char *end;
    double cpus = strtod(text, &end);
    if (end == text || *end || !(cpus > 0 && cpus <= CPUS_MAX))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "flag --cpus: expected a number over 0, such as 4 or 0.5");
    *ret_cpus = cpus;
    return true;
}

static bool parse_range(struct slice text, int32_t least, Eos__Job__V1__Range *range,
                        struct error *err)
{
    struct slice rest = text, first = slice_split(&rest, '-');
    uint64_t from, to;

    if (!rest.ptr || !slice_to_u64(first, UINT16_MAX, &from) ||
        !slice_to_u64(rest, UINT16_MAX, &to) || from < (uint64_t)least || to < from)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "flag --ports: expected rising ranges within 1 and %d, such as "
                         "31000-32000",
                         UINT16_MAX);
    range->first = (int32_t)from;
    range->last = (int32_t)to;
    return true;
}

static bool parse_ports(const char *text, struct arena *arena, resources *total, struct error *err)
{
    struct slice rest = slice_of(text);
    total->ports = arena_array(arena, RANGES_MAX, sizeof *total->ports);
    for (int32_t least = 1; rest.ptr;) {
        Eos__Job__V1__Range *range = arena_alloc(arena, sizeof *range);
        eos__job__v1__range__init(range);
        if (total->n_ports == RANGES_MAX)
            return error_set(err, ERROR_INVALID_ARGUMENT, "flag --ports: more than %u ranges",
                             RANGES_MAX);
        if (!parse_range(slice_split(&rest, ','), least, range, err))
            return false;
        least = range->last + 1;
        total->ports[total->n_ports++] = range;
    }
    return true;
}

static attribute *find_or_add(struct host_facts *facts, struct slice name, struct arena *arena,
                              size_t most_values)
{
    for (size_t i = 0; i < facts->attribute_count; i++)
        if (slice_is(name, facts->attributes[i]->name))
            return facts->attributes[i];
    attribute *added = arena_alloc(arena, sizeof *added);
    eos__job__v1__attribute__init(added);
    added->name = arena_memdup0(arena, name.ptr, name.len);
    added->values = arena_array(arena, most_values, sizeof *added->values);
    facts->attributes[facts->attribute_count++] = added;
    return added;
}

static bool parse_attributes(const struct option_list *list, struct arena *arena,
                             struct host_facts *facts, struct error *err)
{
    if (list->count > HOST_MAX_ATTRIBUTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "flag --attribute: given more than %u times",
                         HOST_MAX_ATTRIBUTES);
    facts->attributes = arena_array(arena, list->count + 1, sizeof *facts->attributes);
    attribute *host = find_or_add(facts, SLICE("host"), arena, 1);
    host->values[host->n_values++] = (char *)facts->hostname;
    for (size_t i = 0; i < list->count; i++) {
        struct slice value = slice_of(list->items[i]);
        struct slice name = slice_split(&value, '=');
        if (!value.ptr || name.len == 0 || name.len > NAME_MAX_BYTES || value.len == 0)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "flag --attribute: expected NAME=VALUE, such as rack=a7");
        if (slice_is(name, "host"))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "flag --attribute: \"host\" is the host's name, see --hostname");
        attribute *wanted = find_or_add(facts, name, arena, list->count);
        wanted->values[wanted->n_values++] = arena_memdup0(arena, value.ptr, value.len);
    }
    return true;
}

bool host_facts_make(const struct host_wishes *wishes, const struct host_size *size,
                     struct arena *arena, struct host_facts *ret_facts, struct error *err)
{
    struct host_facts facts = { .hostname = wishes->hostname ? wishes->hostname : size->hostname };
    const char *ports = wishes->ports ? wishes->ports : HOST_DEFAULT_PORTS;
    size_t len = strlen(facts.hostname);

    if (len == 0 || len > NAME_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "flag --hostname: expected 1 to %u bytes",
                         NAME_MAX_BYTES);
    facts.total = arena_alloc(arena, sizeof *facts.total);
    eos__scheduler__v1__host_resources__init(facts.total);
    facts.total->num_cpus = size->cpus;
    facts.total->ram_mb =
        (wishes->ram_bytes > 0 ? wishes->ram_bytes : all_but(size->ram_bytes, GB)) / MB;
    facts.total->disk_mb =
        (wishes->disk_bytes > 0 ? wishes->disk_bytes : all_but(size->disk_bytes, 5 * GB)) / MB;
    if ((wishes->cpus && !parse_cpus(wishes->cpus, &facts.total->num_cpus, err)) ||
        !parse_ports(ports, arena, facts.total, err) ||
        !parse_attributes(&wishes->attributes, arena, &facts, err))
        return false;
    *ret_facts = facts;
    return true;
}

const char *host_endpoint(const char *url, const char *hostname, struct arena *arena)
{
    static const char *const wildcards[] = { "tcp://0.0.0.0:", "tcp://[::]:", "tcp://*:" };
    for (size_t i = 0; i < sizeof wildcards / sizeof wildcards[0]; i++)
        if (slice_starts_with(slice_of(url), slice_of(wildcards[i])))
            return arena_printf(arena, "tcp://%s:%s", hostname, url + strlen(wildcards[i]));
    return arena_strdup(arena, url);
}
