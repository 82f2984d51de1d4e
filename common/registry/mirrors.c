#include "registry/mirrors.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "registry/reference.h"

struct list {
    struct mirror *items;
    size_t count;
};

struct mirrors {
    struct arena *arena;
    struct map *registries; /* key of endpoint_key() -> struct list */
};

void mirrors_free(struct mirrors *mirrors)
{
    if (!mirrors)
        return;
    map_free(mirrors->registries);
    arena_free(mirrors->arena);
    free(mirrors);
}

const struct mirror *mirrors_find(const struct mirrors *mirrors, const char *base_url,
                                  size_t *ret_count)
{
    const struct list *list = NULL;
    struct origin origin;
    struct error ignored;
    *ret_count = 0;
    if (mirrors && origin_parse(slice_of(base_url), &origin, &ignored)) {
        struct arena *arena = arena_new();
        list = map_get(mirrors->registries, slice_of(endpoint_key(origin.authority, arena)));
        arena_free(arena);
    }
    if (!list)
        return NULL;
    *ret_count = list->count;
    return list->items;
}

/* "/proxy/" as "proxy/". */
static bool read_path(struct slice rest, struct arena *arena, const char **ret_prefix,
                      struct error *err)
{
    while (slice_starts_with(rest, SLICE("/")))
        rest = (struct slice){ rest.ptr + 1, rest.len - 1 };
    while (slice_ends_with(rest, SLICE("/")))
        rest.len--;
    if (rest.len == 0) {
        *ret_prefix = "";
        return true;
    }
    if (!repository_check(rest, err))
        return error_prefix(err, "its path is no beginning of a repository");
    *ret_prefix = arena_printf(arena, "%.*s/", SLICE_ARG(rest));
    return true;
}

static bool read_mirror(const json_t *value, struct arena *arena, struct mirror *ret_mirror,
                        struct error *err)
{
    struct origin origin;
    if (!json_is_string(value))
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is no string");
    struct slice url = { json_string_value(value), json_string_length(value) };
    if (!origin_parse(url, &origin, err) ||
        !read_path(origin.rest, arena, &ret_mirror->prefix, err))
        return false;
    ret_mirror->base_url =
        arena_printf(arena, "%.*s://%.*s", SLICE_ARG(origin.scheme), SLICE_ARG(origin.authority));
    return true;
}

static bool read_list(const json_t *value, struct arena *arena, struct list **ret_list,
                      struct error *err)
{
    if (!json_is_array(value) || json_array_size(value) > MIRRORS_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is no list of up to %u URLs",
                         MIRRORS_MAX);
    struct list *list = arena_alloc(arena, sizeof *list);
    list->count = json_array_size(value);
    list->items = arena_array(arena, list->count, sizeof *list->items);
    for (size_t i = 0; i < list->count; i++)
        if (!read_mirror(json_array_get(value, i), arena, &list->items[i], err))
            return error_prefix(err, "mirror %zu", i + 1);
    *ret_list = list;
    return true;
}

/* A host as references name it. */
static bool check_host(const char *host, struct error *err)
{
    struct origin origin;
    cleanup_free char *url = xasprintf("https://%s", host);
    return (origin_parse(slice_of(url), &origin, err) && origin.rest.len == 0) ||
           error_set(err, ERROR_INVALID_ARGUMENT, "expected HOST or HOST:PORT");
}

static bool read_all(struct mirrors *mirrors, json_t *value, struct error *err)
{
    const char *host;
    json_t *urls;
    size_t number = 0;
    json_object_foreach(value, host, urls)
    {
        struct list *list = NULL;
        number++;
        if (!check_host(host, err))
            return error_prefix(err, "registry %zu", number);
        if (!read_list(urls, mirrors->arena, &list, err))
            return error_prefix(err, "registry \"%s\"", host);
        map_put(mirrors->registries, slice_of(endpoint_key(slice_of(host), mirrors->arena)), list);
    }
    return true;
}

struct mirrors *mirrors_parse(const json_t *value, struct error *err)
{
    struct mirrors *mirrors = xcalloc(1, sizeof *mirrors);
    mirrors->arena = arena_new();
    mirrors->registries = map_new();
    bool is_none = !value || json_is_null(value);
    bool ok = is_none || json_is_object(value) ||
              error_set(err, ERROR_INVALID_ARGUMENT, "it is no object of lists of URLs");
    if (ok && !is_none && json_object_size(value) > MIRRORS_MAX_REGISTRIES)
        ok = error_set(err, ERROR_INVALID_ARGUMENT, "it has over %u registries",
                       MIRRORS_MAX_REGISTRIES);
    if (ok && (is_none || read_all(mirrors, (json_t *)value, err)))
        return mirrors;
    mirrors_free(mirrors);
    return NULL;
}
