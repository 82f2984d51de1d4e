#include "base/cleanup.h"
#include "client/job_key.h"

#include <assert.h>

/* What is taken as a name comes out as the same name again; instances come sorted and once. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_key(const char *text, struct arena *arena)
{
    struct job_key key;
    struct error err;
    if (job_key_parse(text, arena, &key, &err))
        assert(strcmp(text, arena_printf(arena, "%s/%s/%s/%s", key.cluster, key.role,
                                         key.environment, key.name)) == 0);
    else
        assert(err.message[0]);
}

static void check_instances(const char *text, struct arena *arena)
{
    struct job_key key;
    struct instance_list list;
    struct error err;
    if (!instance_spec_parse(text, arena, &key, &list, &err))
        return;
    assert(list.count <= INSTANCES_MAX);
    for (size_t i = 0; i < list.count; i++)
        assert(list.ids[i] >= 0 && list.ids[i] <= INSTANCE_ID_MAX &&
               (i == 0 || list.ids[i] > list.ids[i - 1]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    const char *text = arena_memdup0(arena, data, size);
    struct job_key key;
    int32_t instance;
    struct error err;
    check_key(text, arena);
    check_instances(text, arena);
    (void)!task_instance_parse(text, arena, &key, &instance, &err);
    (void)!job_selector_parse(text, arena, &key, &err);
    if (size < 200 && job_pattern_parse(text, arena, &key, &err))
        job_pattern_matches(&key, "www-data", "prod", "hello");
    arena_free(arena);
    return 0;
}
