#include "binder/settings.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>

struct settings {
    struct arena *arena;
    struct map *clusters; /* name -> struct cluster_settings, in the arena */
    struct map *keys;     /* path -> struct public_key */
};

/* -- keys ----------------------------------------------------------------------------------------- */

static bool read_file(const char *path, struct text *content, struct error *err)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open it");
    if (!text_read(content, fd, PUBLIC_KEY_MAX_BYTES))
        return error_set_errno(err, errno, "could not read it");
    return true;
}

static struct public_key *read_key(void *user, const char *path, struct error *err)
{
    struct settings *settings = user;
    cleanup_text struct text content = TEXT_INIT;
    struct public_key *key = map_get(settings->keys, slice_of(path));
    if (key)
        return key;
    if (read_file(path, &content, err))
        key = public_key_parse(text_slice(&content), path, err);
    if (!key) {
        error_prefix(err, "key %s", path);
        return NULL;
    }
    map_put(settings->keys, slice_of(path), key);
    return key;
}

/* -- clusters ------------------------------------------------------------------------------------- */

static bool read_cluster(struct settings *settings, const struct cluster *cluster,
                         struct error *err)
{
    struct cluster_settings *own = arena_alloc(settings->arena, sizeof *own);
    const json_t *pin = json_object_get(cluster->entry, "docker_pin");
    if (pin && !json_is_boolean(pin))
        return error_set(err, ERROR_INVALID_ARGUMENT, "docker_pin is neither true nor false");
    own->pin = json_is_true(pin);
    map_put(settings->clusters, slice_of(cluster->name), own);
    own->mirrors = mirrors_parse(cluster_json(cluster, "docker_mirrors"), err);
    if (!own->mirrors)
        return error_prefix(err, "docker_mirrors");
    return policy_parse(json_object_get(cluster->entry, "docker_signatures"), read_key, settings,
                        settings->arena, &own->policy, err);
}

struct settings *settings_read(const struct clusters *clusters, struct error *err)
{
    struct settings *settings = xcalloc(1, sizeof *settings);
    const struct cluster *cluster;
    size_t cursor = 0;
    settings->arena = arena_new();
    settings->clusters = map_new();
    settings->keys = map_new();
    while ((cluster = clusters_next(clusters, &cursor)))
        if (!read_cluster(settings, cluster, err)) {
            error_prefix(err, "cluster \"%.80s\"", cluster->name);
            settings_free(settings);
            return NULL;
        }
    return settings;
}

static void free_mirrors(struct settings *settings)
{
    struct slice name;
    size_t cursor = 0;
    void *value;
    while (map_next(settings->clusters, &cursor, &name, &value)) {
        struct cluster_settings *own = value;
        mirrors_free(own->mirrors);
    }
}

void settings_free(struct settings *settings)
{
    struct slice path;
    size_t cursor = 0;
    void *key;
    if (!settings)
        return;
    free_mirrors(settings);
    while (map_next(settings->keys, &cursor, &path, &key))
        public_key_free(key);
    map_free(settings->keys);
    map_free(settings->clusters);
    arena_free(settings->arena);
    free(settings);
}

const struct cluster_settings *settings_find(const struct settings *settings, const char *cluster)
{
    static const struct cluster_settings none;
    const struct cluster_settings *found = map_get(settings->clusters, slice_of(cluster));
    return found ? found : &none;
}
