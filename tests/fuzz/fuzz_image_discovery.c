#include "launcher/image_discovery.h"
#include "registry/endpoint.h"

#include <assert.h>

/* The HTML of meta discovery, and the name that is looked for in front of it, up to the first line
 * feed.  What a page says becomes http and https URLs only, and labels stay in their place. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_page(struct slice html, const struct image_aci_name *name, struct arena *arena)
{
    struct image_discovery discovery;
    image_discovery_read(html, name, arena, &discovery);
    assert(discovery.has_tags || discovery.url_count == 0);
    for (size_t i = 0; i < discovery.url_count; i++) {
        struct slice url = slice_of(discovery.urls[i]);
        assert(slice_starts_with(url, SLICE("http://")) ||
               slice_starts_with(url, SLICE("https://")));
        assert(i == 0 || !slice_starts_with(url, SLICE("https://")) ||
               slice_starts_with(slice_of(discovery.urls[i - 1]), SLICE("https://")));
    }
}

static void find_simply(const struct image_aci_name *name, struct arena *arena)
{
    struct image_aci_place place;
    struct origin origin;
    struct error err;
    if (image_discovery_simple(name, "/srv", arena, &place, &err)) {
        assert(slice_starts_with(slice_of(place.path), SLICE("/srv/")));
        assert(!strstr(place.path, "/../"));
    }
    bool ok = image_discovery_simple(name, "https://host/", arena, &place, &err);
    assert(ok && origin_parse(slice_of(place.url), &origin, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice html = { (const char *)data, size }, text = slice_split(&html, '\n');
    struct arena *arena = arena_new();
    struct image_aci_name name, again;
    struct error err;
    if (html.ptr && image_aci_name_parse(text, arena, &name, &err)) {
        again = image_aci_name_copy(&name, arena);
        assert(strcmp(image_aci_name_format(&name, arena), image_aci_name_format(&again, arena)) ==
               0);
        for (struct slice at = slice_of(name.name); image_discovery_parent(&at);)
            assert(at.len > 0 && at.ptr[at.len - 1] != '/');
        find_simply(&name, arena);
        read_page(html, &name, arena);
    }
    arena_free(arena);
    return 0;
}
