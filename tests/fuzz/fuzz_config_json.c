#include "config/compilation.h"

/* A configuration in JSON. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct compilation compilation;
    compilation_init(&compilation, (struct slice){ (const char *)data, size },
                     (struct slice){ "", 0 });
    compilation.request.is_json = true;
    compilation.request.want_canonical_json = compilation.request.want_job_json = true;
    (void)compilation_run(arena, &compilation);
    arena_free(arena);
    return 0;
}
