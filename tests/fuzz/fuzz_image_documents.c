#include "launcher/image_aci.h"
#include "launcher/image_digest.h"
#include "launcher/image_manifest.h"
#include "launcher/image_path.h"

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

static void check_labels(const struct image_label *labels, size_t count)
{
    struct error err;
    assert(image_aci_check_labels(labels, count, &err));
}

static void check_paths(const struct image_aci *aci)
{
    struct image_path path;
    struct error err;
    for (size_t i = 0; i < aci->whitelist_count; i++) {
        assert(!*aci->whitelist[i] || image_path_parse(slice_of(aci->whitelist[i]), &path, &err));
        assert(i == 0 || strcmp(aci->whitelist[i - 1], aci->whitelist[i]) <= 0);
        assert(image_aci_permits(aci, aci->whitelist[i]));
    }
}

static void read_aci(struct slice json, struct arena *arena)
{
    static const struct image_aci_name wanted = { .name = "example.org/hello" };
    struct image_aci aci;
    struct error err;
    if (!image_aci_parse(json, arena, &aci, &err))
        return;
    check_settings(&aci.settings);
    check_labels(aci.labels, aci.label_count);
    for (size_t i = 0; i < aci.dependency_count; i++) {
        const struct image_aci_dependency *dependency = &aci.dependencies[i];
        check_labels(dependency->name.labels, dependency->name.label_count);
        assert(!*dependency->id || image_digest_is(IMAGE_SHA512, slice_of(dependency->id)));
        assert(*image_aci_name_format(&dependency->name, arena));
    }
    check_paths(&aci);
    (void)!image_aci_match(&aci, &wanted, &err);
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
