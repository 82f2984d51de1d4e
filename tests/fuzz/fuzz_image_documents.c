#include "launcher/image_aci.h"
#include "launcher/image_manifest.h"

#include <assert.h>

/* What a stranger writes about an image.  The first byte chooses the reader. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_settings(const struct image_settings *settings)
{
    for (size_t i = 0; i < settings->environment_count; i++)
        assert(strchr(settings->environment[i], '=') > settings->environment[i]);
    const char *directory = settings->working_directory;
    assert(!*directory || *directory == '/');
    assert(!strstr(directory, "/../") && !strstr(directory, "//"));
}

static void read_config(struct slice json, struct arena *arena)
{
    struct image_config config;
    struct error err;
    if (!image_config_parse(json, 2, arena, &config, &err))
        return;
    assert(config.diff_id_count == 2 && !strchr(config.diff_ids[1], '/'));
    check_settings(&config.settings);
}

static void read_manifest(struct slice json, struct arena *arena)
{
    struct manifest manifest;
    struct error err;
    if (!image_manifest_parse(json, "", arena, &manifest, &err))
        return;
    assert(manifest.layer_count > 0 && !strchr(manifest.layers[0].digest, '/'));
}

static void read_aci(struct slice json, struct arena *arena)
{
    struct image_settings settings;
    struct error err;
    if (image_aci_parse(json, "example.org/hello", arena, &settings, &err))
        check_settings(&settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct slice, struct arena *) = { read_config, read_manifest,
                                                                     read_aci };
    if (size == 0)
        return 0;
    struct arena *arena = arena_new();
    readers[data[0] % 3]((struct slice){ (const char *)data + 1, size - 1 }, arena);
    arena_free(arena);
    return 0;
}
