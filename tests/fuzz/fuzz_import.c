#include "client/import/layout.h"
#include "client/import/tar_index.h"

#include <stdlib.h>

/* What `eos image import` reads: an archive, and the documents in it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_memory(void *user, int64_t offset, void *bytes, size_t len, struct error *err)
{
    const struct slice *all = user;
    (void)err;
    if (offset < 0 || len > all->len || (uint64_t)offset > all->len - len)
        abort(); /* nothing beyond the size that was told */
    memcpy(bytes, all->ptr + offset, len);
    return true;
}

static void look_up(struct slice all, struct arena *arena)
{
    static const char *const paths[] = { "index.json", "manifest.json", "a", "a/b" };
    struct error err;
    struct tar_file file;
    struct tar_index *index = tar_index_read(read_memory, &all, (int64_t)all.len, arena, &err);
    for (size_t i = 0; index && i < sizeof paths / sizeof paths[0]; i++)
        if (tar_index_find(index, paths[i], &file) &&
            (file.offset < 0 || file.size < 0 || (uint64_t)file.offset > all.len ||
             (uint64_t)file.size > all.len - (uint64_t)file.offset))
            abort();
    tar_index_done(index);
}

static void choose(const struct layout *layout, struct arena *arena)
{
    const struct platform host = { "linux", "amd64", "" };
    struct layout_choice *choices;
    size_t count;
    struct error err;
    (void)!layout_choose(layout, NULL, &host, arena, &choices, &count, &err);
    (void)!layout_choose(layout, "a:1", &host, arena, &choices, &count, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = { (const char *)data, size };
    struct arena *arena = arena_new();
    struct layout layout;
    struct error err;
    const char *const *diff_ids;
    size_t count;
    look_up(all, arena);
    if (layout_parse_index(all, arena, &layout, &err))
        choose(&layout, arena);
    if (layout_parse_docker(all, arena, &layout, &err))
        choose(&layout, arena);
    (void)!layout_parse_config(all, arena, &diff_ids, &count, &err);
    arena_free(arena);
    return 0;
}
