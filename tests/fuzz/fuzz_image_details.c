#include "binder/image_details.h"

#include <assert.h>

/* Configurations of images, and what names a platform. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = { (const char *)data, size };
    struct arena *arena = arena_new();
    Eos__Binder__V1__ImageConfig *config = NULL;
    struct platform platform;
    struct error err;
    if (details_parse_config(bytes, arena, &config, &err)) {
        assert(config->n_env <= IMAGE_CONFIG_MAX_ITEMS);
        for (size_t i = 1; i < config->n_labels; i++)
            assert(strcmp(config->labels[i - 1]->name, config->labels[i]->name) < 0);
    } else {
        assert(!config);
    }
    if (platform_parse(bytes, arena, &platform, &err))
        assert(platform.os[0] && platform.architecture[0]);
    arena_free(arena);
    return 0;
}
