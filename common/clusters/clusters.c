#include "clusters/clusters.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stddef.h>
#include <unistd.h>

struct clusters {
    struct map *by_name; /* name -> struct cluster */
};

static const struct {
    const char *key;
    size_t offset;
} fields[] = {
    { "name", offsetof(struct cluster, name) },
    { "scheduler_uri", offsetof(struct cluster, scheduler_uri) },
    { "docker_registry", offsetof(struct cluster, docker_registry) },
    { "proxy_url", offsetof(struct cluster, proxy_url) },
    { "auth_mechanism", offsetof(struct cluster, auth_mechanism) },
    { "zk", offsetof(struct cluster, zk) },
    { "scheduler_zk_path", offsetof(struct cluster, scheduler_zk_path) },
};

static void cluster_free(struct cluster *cluster)
{
    if (!cluster)
        return;
    json_decref(cluster->entry);
    free(cluster);
}

struct clusters *clusters_new(void)
{
    struct clusters *clusters = xcalloc(1, sizeof *clusters);
    clusters->by_name = map_new();
    return clusters;
}

void clusters_free(struct clusters *clusters)
{
    size_t cursor = 0;
    struct slice name;
    void *cluster;
    if (!clusters)
        return;
    while (map_next(clusters->by_name, &cursor, &name, &cluster))
        cluster_free(cluster);
    map_free(clusters->by_name);
    free(clusters);
}

/* -- reading -------------------------------------------------------------------------------------- */

static const char *const type_names[] = {
    [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",  [JSON_STRING] = "a string",
    [JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
    [JSON_FALSE] = "false",      [JSON_NULL] = "null",
};

/* Strings of a bounded length without control characters. */
static bool check_field(const char *key, const json_t *value, struct error *err)
{
    if (!value || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return error_set(err, ERROR_INVALID_ARGUMENT, "\"%s\" must be a string, got %s", key,
                         type_names[json_typeof(value)]);
    if (json_string_length(value) > CLUSTERS_MAX_VALUE_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "\"%s\" is over %u bytes", key,
                         CLUSTERS_MAX_VALUE_BYTES);
    for (const char *c = json_string_value(value); *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return error_set(err, ERROR_INVALID_ARGUMENT, "\"%s\" has a control character", key);
    return true;
}

static bool check_entry(const json_t *entry, struct error *err)
{
    if (!json_is_object(entry))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "clusters must be maps of key/value pairs, got %s",
                         type_names[json_typeof(entry)]);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!check_field(fields[i].key, json_object_get(entry, fields[i].key), err))
            return false;
    return true;
}

static void add_entry(struct clusters *clusters, json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    if (!name || !name[0])
        return;
    struct cluster *cluster = xcalloc(1, sizeof *cluster);
    cluster->entry = json_incref(entry);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *value = cluster_value(cluster, fields[i].key);
        *(const char **)(void *)((char *)cluster + fields[i].offset) = value ? value : "";
    }
    cluster_free(map_put(clusters->by_name, slice_of(name), cluster));
}

/* An entry of a list is called by its number, one of an object by its key. */
static bool check_all(json_t *root, struct error *err)
{
    size_t i;
    const char *key;
    json_t *entry;
    json_array_foreach(root, i, entry)
    {
        if (!check_entry(entry, err))
            return error_prefix(err, "entry %zu", i + 1);
    }
    json_object_foreach(root, key, entry)
    {
        if (!check_entry(entry, err))
            return error_prefix(err, "entry \"%.64s\"", key);
    }
    return true;
}

static void add_all(struct clusters *clusters, json_t *root)
{
    size_t i;
    const char *key;
    json_t *entry;
    json_array_foreach(root, i, entry) add_entry(clusters, entry);
    json_object_foreach(root, key, entry) add_entry(clusters, entry);
}

bool clusters_add_text(struct clusters *clusters, const char *file, struct slice text,
                       struct error *err)
{
    json_error_t where = { .line = 0 };
    if (text.len > CLUSTERS_MAX_FILE_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "unable to parse %s: it is over %u bytes",
                         file, CLUSTERS_MAX_FILE_BYTES);
    json_auto_t *root = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_DECODE_ANY, &where);
    if (!root)
        return error_set(err, ERROR_INVALID_ARGUMENT, "unable to parse %s: line %d, column %d: %s",
                         file, where.line, where.column, where.text);
    if (!json_is_array(root) && !json_is_object(root))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "unknown layout in %s: expected a list or an object of clusters", file);
    size_t count = json_is_array(root) ? json_array_size(root) : json_object_size(root);
    if (map_count(clusters->by_name) + count > CLUSTERS_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT, "%s: there are over %u clusters", file,
                         CLUSTERS_MAX);
    if (!check_all(root, err))
        return error_prefix(err, "%s", file);
    add_all(clusters, root);
    return true;
}

enum when_missing { MISSING_IS_AN_ERROR, MISSING_IS_FINE };

static bool add_file(struct clusters *clusters, const char *path, enum when_missing when_missing,
                     struct error *err)
{
    cleanup_text struct text content = TEXT_INIT;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && when_missing == MISSING_IS_FINE && (errno == ENOENT || errno == ENOTDIR))
        return true;
    if (fd < 0)
        return error_set_errno(err, errno, "could not open %s", path);
    if (!text_read(&content, fd, CLUSTERS_MAX_FILE_BYTES))
        return error_set_errno(err, errno, "could not read %s", path);
    return clusters_add_text(clusters, path, text_slice(&content), err);
}

bool clusters_add_file(struct clusters *clusters, const char *path, struct error *err)
{
    return add_file(clusters, path, MISSING_IS_AN_ERROR, err);
}

static const struct {
    const char *variable, *otherwise, *below;
} search_path[] = {
    { "AURORA_CONFIG_ROOT", "/etc/aurora", "clusters.json" },
    { "EOS_CONFIG_ROOT", "/etc/eos", "clusters.json" },
    { "HOME", "", ".aurora/clusters.json" },
};

bool clusters_add_search_path(struct clusters *clusters, struct error *err)
{
    for (size_t i = 0; i < sizeof search_path / sizeof search_path[0]; i++) {
        const char *directory = getenv(search_path[i].variable);
        if (!directory || !directory[0])
            directory = search_path[i].otherwise;
        if (!directory[0])
            continue;
        cleanup_free char *path = xasprintf("%s/%s", directory, search_path[i].below);
        if (!add_file(clusters, path, MISSING_IS_FINE, err))
            return false;
    }
    return true;
}

/* -- asking --------------------------------------------------------------------------------------- */

const struct cluster *clusters_find(const struct clusters *clusters, struct slice name)
{
    return map_get(clusters->by_name, name);
}

const struct cluster *clusters_next(const struct clusters *clusters, size_t *cursor)
{
    struct slice name;
    void *cluster;
    return map_next(clusters->by_name, cursor, &name, &cluster) ? cluster : NULL;
}

size_t clusters_count(const struct clusters *clusters)
{
    return map_count(clusters->by_name);
}

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 127)
            return false;
    return text.len <= 64 && slice_is_utf8(text);
}

bool clusters_get(const struct clusters *clusters, struct slice name,
                  const struct cluster **ret_cluster, struct error *err)
{
    cleanup_text struct text known = TEXT_INIT;
    const struct cluster *cluster = clusters_find(clusters, name);
    size_t cursor = 0;

    if (cluster) {
        *ret_cluster = cluster;
        return true;
    }
    while ((cluster = clusters_next(clusters, &cursor)))
        text_printf(&known, "%s%s", known.len > 0 ? ", " : "", cluster->name);
    struct slice shown = is_printable(name) ? name : SLICE("(not printable)");
    return error_set(err, ERROR_NOT_FOUND, "Unknown cluster: %.*s%s%s", SLICE_ARG(shown),
                     known.len > 0 ? ". Known clusters: " : "", text_string(&known));
}

const void *cluster_json(const struct cluster *cluster, const char *key)
{
    return json_object_get(cluster->entry, key);
}

const char *cluster_value(const struct cluster *cluster, const char *key)
{
    return json_string_value(json_object_get(cluster->entry, key));
}
