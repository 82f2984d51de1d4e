#include "launcher/image_store.h"

#include <stdlib.h>

/* In place of the image store, until it is there. */

struct image_store {
    uv_loop_t *loop;
};

struct image_store *image_store_open(uv_loop_t *loop, const struct image_store_options *options,
                                     struct error *err)
{
    (void)options;
    struct image_store *store = malloc(sizeof *store);
    if (!store) {
        error_set(err, ERROR_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    store->loop = loop;
    return store;
}

void image_store_close(struct image_store *store)
{
    free(store);
}

struct image_fetch *image_store_fetch(struct image_store *store,
                                      const struct image_request *request, uint32_t deadline_ms,
                                      image_fetch_fn *done, void *user, struct error *err)
{
    (void)store;
    (void)request;
    (void)deadline_ms;
    (void)done;
    (void)user;
    error_set(err, ERROR_UNIMPLEMENTED, "no image store");
    return NULL;
}

void image_store_cancel(struct image_fetch *fetch)
{
    (void)fetch;
}
