#include "launcher/image_gc.h"

#include <assert.h>
#include <stdlib.h>

/* How many images that stay have each layer. */
static size_t *count_users(const struct gc *gc, struct arena *arena)
{
    size_t *users = arena_array(arena, gc->layer_count, sizeof *users);
    for (size_t i = 0; i < gc->image_count; i++) {
        const struct gc_image *image = &gc->images[i];
        for (size_t k = 0; k < image->layer_count && !image->goes; k++) {
            assert(image->layers[k] < gc->layer_count);
            users[image->layers[k]]++;
        }
    }
    return users;
}

static bool is_old_orphan(const struct gc *gc, const struct gc_layer *layer)
{
    return gc->now_ms - layer->changed_ms >= gc->orphan_age_ms;
}

/* A layer that an image leaves behind is no orphan that somebody may be about to use. */
void gc_settle(struct gc *gc, struct arena *arena)
{
    size_t *users = count_users(gc, arena);
    bool *had_user = arena_array(arena, gc->layer_count, sizeof *had_user);
    for (size_t i = 0; i < gc->image_count; i++)
        for (size_t k = 0; k < gc->images[i].layer_count; k++)
            had_user[gc->images[i].layers[k]] = true;
    gc->total_bytes = 0;
    for (size_t i = 0; i < gc->layer_count; i++) {
        struct gc_layer *layer = &gc->layers[i];
        layer->goes = users[i] == 0 && (had_user[i] || is_old_orphan(gc, layer));
        gc->total_bytes += layer->goes ? 0 : layer->bytes;
    }
}

void gc_begin(struct gc *gc, struct arena *arena)
{
    for (size_t i = 0; i < gc->image_count; i++)
        gc->images[i].goes = gc->images[i].is_broken && !gc->images[i].is_held;
    gc_settle(gc, arena);
}

static int compare_use(const void *a, const void *b)
{
    const struct gc_image *left = *(struct gc_image *const *)a;
    const struct gc_image *right = *(struct gc_image *const *)b;
    if (left->used_ms != right->used_ms)
        return left->used_ms < right->used_ms ? -1 : 1;
    return left < right ? -1 : left > right;
}

static struct gc_image **by_use(const struct gc *gc, struct arena *arena)
{
    struct gc_image **order = arena_array(arena, gc->image_count, sizeof(struct gc_image *));
    for (size_t i = 0; i < gc->image_count; i++)
        order[i] = &gc->images[i];
    qsort(order, gc->image_count, sizeof(struct gc_image *), compare_use);
    return order;
}

static void drop(struct gc *gc, struct gc_image *image, size_t *users)
{
    image->goes = true;
    for (size_t k = 0; k < image->layer_count; k++) {
        struct gc_layer *layer = &gc->layers[image->layers[k]];
        if (--users[image->layers[k]] > 0)
            continue;
        layer->goes = true;
        gc->total_bytes -= layer->bytes;
    }
}

/* An image may have no bytes of its own. */
static bool is_too_much(const struct gc *gc, const struct gc_rule *rule)
{
    return rule->keep_bytes == 0 || gc->total_bytes > rule->keep_bytes;
}

void gc_apply(struct gc *gc, const struct gc_rule *rule, struct arena *arena)
{
    struct gc_image **order = by_use(gc, arena);
    size_t *users = count_users(gc, arena);
    for (size_t i = 0; i < gc->image_count && is_too_much(gc, rule); i++) {
        struct gc_image *image = order[i];
        if (!image->goes && !image->is_held && gc->now_ms - image->used_ms >= rule->age_ms)
            drop(gc, image, users);
    }
}
