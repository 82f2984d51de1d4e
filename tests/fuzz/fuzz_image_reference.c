#include "registry/endpoint.h"
#include "registry/reference.h"

#include <assert.h>

/* References, and the URLs that they lead to.  What is accepted is written as it was read, and leads to
 * a registry that may be asked. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void locate(const struct image_reference *reference, struct arena *arena)
{
    static const char *const hosts[] = { "plain.example:5000" };
    static const struct insecure_hosts insecure = { hosts, 1 };
    struct endpoint endpoint;
    struct origin origin;
    struct error err;
    endpoint_find(reference, "https://registry.example", &insecure, arena, &endpoint);
    if (origin_parse(slice_of(endpoint.base_url), &origin, &err))
        assert(origin_check_security(&origin, &insecure, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = { (const char *)data, size };
    struct arena *arena = arena_new();
    struct image_reference reference;
    struct origin origin;
    struct error err;
    if (reference_parse(text, arena, &reference, &err)) {
        assert(slice_is(text, reference_format(&reference, arena)));
        assert(repository_check(slice_of(reference.repository), &err));
        locate(&reference, arena);
    }
    (void)!origin_parse(text, &origin, &err);
    (void)!endpoint_check(text, &err);
    arena_free(arena);
    return 0;
}
