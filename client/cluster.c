#include "client/cluster.h"

#include "base/cleanup.h"
#include "json/message_json.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (1 << 20)
#define MAX_CLUSTERS   1000

struct list {
    struct arena *arena;
    struct cluster *items;
    size_t count;
};

/* -- clusters.json -------------------------------------------------------------------------------- */

static const char *string_of(struct list *list, const json_t *entry, const char *key)
{
    const char *value = json_string_value(json_object_get(entry, key));
    return value && *value ? arena_strdup(list->arena, value) : NULL;
}

/* A later definition of a name takes the place of the whole earlier one. */
static bool add_entry(struct list *list, const char *path, const json_t *entry, struct error *err)
{
    if (!json_is_object(entry))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "\"%.100s\": clusters must be objects with a \"name\"", path);
    struct cluster cluster = { .name = string_of(list, entry, "name"),
                               .gateway = string_of(list, entry, "scheduler_uri"),
                               .token_file = string_of(list, entry, "token_file") };
    if (!cluster.name)
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, cluster.name) == 0) {
            list->items[i] = cluster;
            return true;
        }
    if (list->count == MAX_CLUSTERS)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "\"%.100s\": more than %d clusters", path,
                         MAX_CLUSTERS);
    list->items[list->count++] = cluster;
    return true;
}

static bool add_document(struct list *list, const char *path, json_t *document, struct error *err)
{
    size_t index;
    json_t *entry;
    const char *key;
    if (!json_is_array(document) && !json_is_object(document))
        return error_set(err, ERROR_INVALID_ARGUMENT, "unknown layout in \"%.100s\"", path);
    json_array_foreach(document, index, entry) if (!add_entry(list, path, entry, err)) return false;
    json_object_foreach(document, key, entry) if (!add_entry(list, path, entry, err)) return false;
    return true;
}

static bool read_text(const char *path, struct text *ret_text, struct error *err)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not read \"%.100s\"", path);
    text_reserve(ret_text, FILE_MAX_BYTES);
    ssize_t len;
    while ((len = read(fd, ret_text->ptr + ret_text->len, FILE_MAX_BYTES - ret_text->len)) > 0)
        ret_text->len += (size_t)len;
    if (len < 0)
        return error_set_errno(err, errno, "could not read \"%.100s\"", path);
    if (ret_text->len == FILE_MAX_BYTES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "\"%.100s\" is over %d bytes", path,
                         FILE_MAX_BYTES);
    return true;
}

static bool read_file(struct list *list, const char *path, struct error *err)
{
    cleanup_text struct text text = TEXT_INIT;
    json_t *document;
    if (access(path, F_OK) != 0)
        return true;
    if (!read_text(path, &text, err))
        return false;
    if (!json_parse(text_slice(&text), &document, err))
        return error_prefix(err, "could not parse \"%.100s\"", path);
    bool is_added = add_document(list, path, document, err);
    json_decref(document);
    return is_added;
}

static bool read_all(struct list *list, struct error *err)
{
    const char *root = getenv("EOS_CONFIG_ROOT"), *home = getenv("HOME");
    if (!root || !*root)
        root = getenv("AURORA_CONFIG_ROOT");
    if (!root || !*root)
        root = "/etc/aurora";
    list->items = arena_array(list->arena, MAX_CLUSTERS, sizeof *list->items);
    if (!read_file(list, arena_printf(list->arena, "%s/clusters.json", root), err))
        return false;
    return !home || !*home ||
           read_file(list, arena_printf(list->arena, "%s/.aurora/clusters.json", home), err);
}

/* -- looking -------------------------------------------------------------------------------------- */

static bool load(const struct flags *flags, struct arena *arena, struct list *ret_list,
                 struct error *err)
{
    *ret_list = (struct list){ .arena = arena };
    return flags->gateway || read_all(ret_list, err);
}

bool cluster_find(const struct flags *flags, const char *name, struct arena *arena,
                  struct cluster *ret_cluster, struct error *err)
{
    struct list list;
    if (flags->gateway) {
        *ret_cluster = (struct cluster){ .name = name, .gateway = flags->gateway };
        return true;
    }
    if (!load(flags, arena, &list, err))
        return false;
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.items[i].name, name) != 0)
            continue;
        if (!list.items[i].gateway)
            return error_set(err, ERROR_FAILED_PRECONDITION,
                             "cluster \"%.80s\" has no scheduler_uri in clusters.json", name);
        *ret_cluster = list.items[i];
        return true;
    }
    if (strcmp(name, CLUSTER_DEV) != 0)
        return error_set(err, ERROR_NOT_FOUND, "Unknown cluster: %.100s", name);
    *ret_cluster = (struct cluster){ .name = CLUSTER_DEV, .gateway = CLUSTER_DEV_GATEWAY };
    return true;
}

bool cluster_find_default(const struct flags *flags, struct arena *arena,
                          struct cluster *ret_cluster, struct error *err)
{
    struct list list;
    if (flags->cluster)
        return cluster_find(flags, flags->cluster, arena, ret_cluster, err);
    if (!load(flags, arena, &list, err))
        return false;
    if (list.count > 1)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "clusters.json names %zu clusters, choose one with --cluster", list.count);
    return cluster_find(flags, list.count == 1 ? list.items[0].name : CLUSTER_DEV, arena,
                        ret_cluster, err);
}

bool cluster_names(const struct flags *flags, struct arena *arena, const char ***ret_names,
                   size_t *ret_count, struct error *err)
{
    struct list list;
    if (!load(flags, arena, &list, err))
        return false;
    const char **names = arena_array(arena, list.count + 1, sizeof *names);
    names[0] = CLUSTER_DEV;
    for (size_t i = 0; i < list.count; i++)
        names[i] = list.items[i].name;
    *ret_names = names;
    *ret_count = list.count > 0 ? list.count : 1;
    return true;
}
