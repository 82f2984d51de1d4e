#include "registry/digest.h"
#include "registry/manifest.h"

#include <assert.h>

/* Manifests and indexes; the first byte chooses what the header says. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct manifest *manifest, struct arena *arena)
{
    const struct platform host = platform_host();
    const struct descriptor *entry;
    struct error err;
    if (manifest->kind == MANIFEST_INDEX) {
        (void)manifest_platforms(manifest, arena);
        if (manifest_choose(manifest, &host, &entry, &err))
            assert(digest_check(slice_of(entry->digest), &err));
        return;
    }
    assert(digest_check(slice_of(manifest->config.digest), &err));
    for (size_t i = 0; i < manifest->layer_count; i++)
        assert(digest_check(slice_of(manifest->layers[i].digest), &err) &&
               manifest->layers[i].size >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {
        "",
        "application/json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json; charset=utf-8",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v1+json",
    };
    if (size == 0)
        return 0;
    struct slice bytes = { (const char *)data + 1, size - 1 };
    struct arena *arena = arena_new();
    struct manifest manifest;
    struct error err;
    const char *type = types[data[0] % (sizeof types / sizeof types[0])];
    if (manifest_parse(bytes, slice_of(type), arena, &manifest, &err))
        use(&manifest, arena);
    arena_free(arena);
    return 0;
}
