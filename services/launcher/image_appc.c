#include "launcher/image_appc.h"

#include "launcher/image_whitelist.h"
#include "plan/limits.h"

struct image_appc_found {
    struct image_appc_found *next;
    const char *key, *id;
};

struct image_appc_read {
    struct image_appc_read *next;
    const char *id;
    struct image_aci aci;
};

/* An image on the way down, with those that led to it. */
struct step {
    const struct step *above; /* NULL at the top */
    const struct image_aci_name *name;
    const char *id; /* "" until known */
    int64_t size_bytes;
    int depth;
    const struct image_whitelist *filters; /* NULL: everything remains */
};

struct layer {
    const char *id;
    const struct image_whitelist *filters; /* NULL: everything remains */
    const char *path;
};

struct walk {
    struct image_appc *appc;
    const struct image_directory *directory;
    struct layer *layers; /* lowest first */
    size_t layer_count, step_count;
};

static const char *key_of(const struct image_appc *appc, const struct step *step)
{
    return *step->id ? step->id
                     : arena_printf(appc->arena, "appc %s",
                                    image_aci_name_format(step->name, appc->arena));
}

/* -- what the store has --------------------------------------------------------------------------- */

static const char *find_id(const struct image_appc *appc, const char *key)
{
    for (const struct image_appc_found *found = appc->found; found; found = found->next)
        if (strcmp(found->key, key) == 0)
            return found->id;
    return "";
}

void image_appc_add(struct image_appc *appc, const struct image_need *need, const char *id)
{
    struct image_appc_found *found = arena_alloc(appc->arena, sizeof *found);
    *found = (struct image_appc_found){ appc->found, arena_strdup(appc->arena, need->key),
                                        arena_strdup(appc->arena, id) };
    appc->found = found;
}

static const struct image_aci *find_read(const struct image_appc *appc, const char *id)
{
    for (const struct image_appc_read *read = appc->read; read; read = read->next)
        if (strcmp(read->id, id) == 0)
            return &read->aci;
    return NULL;
}

/* NULL in `ret_aci` when the store does not have it. */
static bool read_manifest(const struct walk *walk, const char *id, const struct image_aci **ret_aci,
                          struct error *err)
{
    struct image_appc *appc = walk->appc;
    struct error not_there;
    cleanup_text struct text json = TEXT_INIT;
    *ret_aci = *id ? find_read(appc, id) : NULL;
    if (!*id || *ret_aci)
        return true;
    const char *file = arena_printf(appc->arena, "%s/manifest", id);
    if (!image_directory_read(walk->directory, IMAGE_FOLDER_APPC, file,
                              IMAGE_MAX_ACI_MANIFEST_BYTES, &json, &not_there))
        return true;
    struct image_appc_read *read = arena_alloc(appc->arena, sizeof *read);
    if (!image_aci_parse(text_slice(&json), appc->arena, &read->aci, err))
        return false;
    read->id = arena_strdup(appc->arena, id);
    read->next = appc->read;
    appc->read = read;
    *ret_aci = &read->aci;
    return true;
}

static void add_need(struct walk *walk, const struct step *step)
{
    struct image_appc *appc = walk->appc;
    const char *key = key_of(appc, step);
    for (size_t i = 0; i < appc->need_count; i++)
        if (strcmp(appc->needs[i].key, key) == 0)
            return;
    appc->needs[appc->need_count++] = (struct image_need){
        .kind = IMAGE_APPC,
        .key = key,
        .digest = step->id,
        .name = *step->name,
        .max_bytes = step->size_bytes,
        .is_dependency = step->above != NULL,
    };
}

/* -- going down ----------------------------------------------------------------------------------- */

static bool visit(struct walk *walk, const struct step *step, struct error *err);

static bool check_steps(struct walk *walk, const struct step *step, struct error *err)
{
    if (step->depth > IMAGE_MAX_ACI_DEPTH)
        return error_set(err, ERROR_OUT_OF_RANGE, "dependencies are over %d images deep",
                         IMAGE_MAX_ACI_DEPTH);
    if (++walk->step_count > PLAN_MAX_LAYERS)
        return error_set(err, ERROR_OUT_OF_RANGE, "the image consists of more than %u images",
                         PLAN_MAX_LAYERS);
    return true;
}

static bool check_cycle(const struct step *step, const char *id, struct error *err)
{
    for (const struct step *above = step->above; above; above = above->above)
        if (*id && strcmp(above->id, id) == 0)
            return error_set(err, ERROR_FAILED_PRECONDITION, "it depends on itself, through %s",
                             step->above->name->name);
    return true;
}

static bool visit_dependencies(struct walk *walk, const struct step *step,
                               const struct image_aci *aci, struct error *err)
{
    for (size_t i = 0; i < aci->dependency_count; i++) {
        const struct image_aci_dependency *dependency = &aci->dependencies[i];
        const struct step below = {
            .above = step,
            .name = &dependency->name,
            .id = dependency->id,
            .size_bytes = dependency->size_bytes,
            .depth = step->depth + 1,
            .filters = step->filters,
        };
        if (!visit(walk, &below, err))
            return false;
    }
    return true;
}

/* The filters outlive the walk's stack with the arena. */
static const struct image_whitelist *add_filter(struct walk *walk, const struct step *step,
                                                const struct image_aci *aci)
{
    if (aci->whitelist_count == 0)
        return step->filters;
    struct image_whitelist *filter = arena_alloc(walk->appc->arena, sizeof *filter);
    *filter = (struct image_whitelist){ aci, step->filters };
    return filter;
}

static bool check_found(struct walk *walk, const struct step *step,
                        const struct image_aci **ret_aci, struct error *err)
{
    return check_steps(walk, step, err) && check_cycle(step, step->id, err) &&
           read_manifest(walk, step->id, ret_aci, err) &&
           (!*ret_aci || image_aci_match(*ret_aci, step->name, err));
}

static bool visit_known(struct walk *walk, struct step *step, const struct image_aci *aci,
                        struct error *err)
{
    step->filters = add_filter(walk, step, aci);
    if (!visit_dependencies(walk, step, aci, err))
        return false;
    walk->layers[walk->layer_count++] = (struct layer){ step->id, step->filters, NULL };
    return true;
}

/* A message names the image that it is about, and not the way to it. */
static bool visit(struct walk *walk, const struct step *step, struct error *err)
{
    struct step found = *step;
    const struct image_aci *aci = NULL;
    if (!*found.id)
        found.id = find_id(walk->appc, key_of(walk->appc, step));
    if (!check_found(walk, &found, &aci, err))
        return step->above ? error_prefix(err, "dependency %s", step->name->name) : false;
    if (aci)
        return visit_known(walk, &found, aci, err);
    add_need(walk, step);
    return true;
}

/* -- the image ------------------------------------------------------------------------------------ */

static bool place_layer(struct walk *walk, struct layer *layer, struct error *err)
{
    if (layer->filters)
        return image_whitelist_layer(walk->directory, layer->id, layer->filters, walk->appc->arena,
                                     &layer->path, err);
    layer->path =
        arena_printf(walk->appc->arena, "%s/appc/%s/rootfs", walk->directory->path, layer->id);
    return true;
}

static bool is_again_above(const struct walk *walk, size_t layer)
{
    for (size_t i = layer + 1; i < walk->layer_count; i++)
        if (strcmp(walk->layers[i].path, walk->layers[layer].path) == 0)
            return true;
    return false;
}

/* overlayfs takes no directory twice; the lower one of two has nothing that the upper one does not. */
static bool stack(struct walk *walk, struct error *err)
{
    struct image *image = &walk->appc->image;
    const char **paths = arena_array(walk->appc->arena, walk->layer_count, sizeof *paths);
    for (size_t i = 0; i < walk->layer_count; i++)
        if (!place_layer(walk, &walk->layers[i], err))
            return false;
    image->layer_count = 0;
    for (size_t i = 0; i < walk->layer_count; i++)
        if (!is_again_above(walk, i))
            paths[image->layer_count++] = walk->layers[i].path;
    image->layers = paths;
    return true;
}

/* The last layer is the image itself: what its dependencies say of running them does not count. */
static void describe(struct walk *walk)
{
    struct image *image = &walk->appc->image;
    image->digest = walk->layers[walk->layer_count - 1].id;
    const struct image_settings *settings = &find_read(walk->appc, image->digest)->settings;
    image->environment = settings->environment;
    image->environment_count = settings->environment_count;
    image->working_directory = settings->working_directory;
}

bool image_appc_examine(struct image_appc *appc, const struct image_directory *directory,
                        struct error *err)
{
    struct walk walk = {
        .appc = appc,
        .directory = directory,
        .layers = arena_array(appc->arena, PLAN_MAX_LAYERS, sizeof *walk.layers),
    };
    const struct step top = { .name = &appc->name, .id = appc->id, .depth = 0 };
    appc->needs = arena_array(appc->arena, PLAN_MAX_LAYERS, sizeof *appc->needs);
    appc->need_count = 0;
    if (!visit(&walk, &top, err))
        return false;
    if (appc->need_count > 0)
        return true;
    if (!stack(&walk, err))
        return false;
    describe(&walk);
    return true;
}

static const char *tree_of(const char *path, struct arena *arena)
{
    const char *end = strrchr(path, '/'), *begin = end;
    while (begin[-1] != '/')
        begin--;
    return arena_memdup0(arena, begin, (size_t)(end - begin));
}

static void add_tree(const char **names, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i], name) == 0)
            return;
    names[(*count)++] = name;
}

/* Manifests are in the whole images, also of those of which only a part is a layer. */
size_t image_appc_trees(const struct image_appc *appc, const char ***ret_names)
{
    size_t read_count = 0, count = 0;
    for (const struct image_appc_read *read = appc->read; read; read = read->next)
        read_count++;
    const char **names =
        arena_array(appc->arena, appc->image.layer_count + read_count, sizeof *names);
    for (size_t i = 0; i < appc->image.layer_count; i++)
        add_tree(names, &count, tree_of(appc->image.layers[i], appc->arena));
    for (const struct image_appc_read *read = appc->read; read; read = read->next)
        add_tree(names, &count, read->id);
    *ret_names = names;
    return count;
}
