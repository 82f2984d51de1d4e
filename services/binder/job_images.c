#include "binder/job_images.h"

#include "binder/strings.h"
#include "binder/template.h"
#include "registry/reference.h"

#include <assert.h>

struct collect {
    const struct image_context *context;
    struct arena *arena;
    struct job_images *images;
    enum job_pinning pinning;
    size_t template_count;
    bool has_failed;
    struct error *err;
};

static struct image *find(const struct job_images *images, struct slice reference)
{
    for (size_t i = 0; i < images->count; i++)
        if (slice_is(reference, images->items[i].reference))
            return &images->items[i];
    return NULL;
}

static bool add(struct collect *collect, const struct image *image)
{
    struct job_images *images = collect->images;
    if (images->count == JOB_MAX_IMAGES)
        return error_set(collect->err, ERROR_INVALID_ARGUMENT,
                         "the job has over %u different image references", JOB_MAX_IMAGES);
    images->items[images->count++] = *image;
    return true;
}

static bool collect_template(struct collect *collect, const struct image_template *template)
{
    struct image image;
    if (++collect->template_count > JOB_MAX_TEMPLATES)
        return error_set(collect->err, ERROR_INVALID_ARGUMENT,
                         "the job has over %u image references", JOB_MAX_TEMPLATES);
    if (find(collect->images, template->whole))
        return true;
    return image_from_template(collect->context, template->whole, template->name, template->tag,
                               collect->arena, &image, collect->err) &&
           add(collect, &image);
}

static void collect_templates(void *ctx, char **string)
{
    struct collect *collect = ctx;
    struct image_template template;
    size_t at = 0;
    while (!collect->has_failed && template_next(slice_of(*string), &at, &template))
        collect->has_failed = !collect_template(collect, &template);
}

/* -- the container's own image -------------------------------------------------------------------- */

static Eos__Job__V1__Container *container_of(const Eos__Job__V1__JobConfiguration *job)
{
    return job->task_config ? job->task_config->container : NULL;
}

static Eos__Job__V1__DockerContainer *engine_container(const Eos__Job__V1__JobConfiguration *job)
{
    Eos__Job__V1__Container *container = container_of(job);
    return container && container->container_case == EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER
               ? container->docker
               : NULL;
}

static Eos__Job__V1__DockerImage *native_image(const Eos__Job__V1__JobConfiguration *job)
{
    Eos__Job__V1__Container *container = container_of(job);
    if (!container || container->container_case != EOS__JOB__V1__CONTAINER__CONTAINER_MESOS)
        return NULL;
    Eos__Job__V1__Image *image = container->mesos->image;
    return image && image->image_case == EOS__JOB__V1__IMAGE__IMAGE_DOCKER ? image->docker : NULL;
}

static bool has_template(const char *text)
{
    struct image_template template;
    size_t at = 0;
    return template_next(slice_of(text), &at, &template);
}

/* How the image of a container is written as one reference; NULL when it holds a template, which has
 * been collected already. */
static char *native_reference(const Eos__Job__V1__DockerImage *image, struct arena *arena)
{
    if (has_template(image->name) || has_template(image->tag))
        return NULL;
    if (strchr(image->name, '@') || !image->tag[0])
        return arena_strdup(arena, image->name);
    return arena_printf(arena, "%s%s%s", image->name, strchr(image->tag, ':') ? "@" : ":",
                        image->tag);
}

static char *engine_reference(const Eos__Job__V1__DockerContainer *container, struct arena *arena)
{
    return has_template(container->image) ? NULL : arena_strdup(arena, container->image);
}

/* Where no image has to be signed, the one of a container that is not to be pinned is nobody's concern
 * here, whatever it looks like; where some have to be, one that is not understood is none that may pass. */
static bool is_looked_at(const struct collect *collect, const char *reference)
{
    const struct policy *policy = collect->context->policy;
    bool is_pinned = collect->pinning == JOB_PIN_TAGS && !strchr(reference, '@');
    return is_pinned || (policy && policy->count > 0);
}

static bool add_container_image(struct collect *collect, const struct image *image)
{
    bool is_tag = !strchr(image->version, ':');
    if (!image->rule && !(is_tag && collect->pinning == JOB_PIN_TAGS))
        return true;
    return add(collect, image);
}

static bool collect_engine(struct collect *collect, const Eos__Job__V1__DockerContainer *container)
{
    struct image image;
    const char *reference = engine_reference(container, collect->arena);
    return !reference || !is_looked_at(collect, reference) ||
           (image_from_engine_reference(collect->context, slice_of(reference), collect->arena,
                                        &image, collect->err) &&
            add_container_image(collect, &image));
}

static const char *without_version(const char *name, struct arena *arena)
{
    struct image_reference reference;
    struct error ignored;
    if (!reference_parse(slice_of(name), arena, &reference, &ignored))
        return arena_strdup(arena, name);
    return arena_printf(arena, "%s%s%s", reference.host, reference.host[0] ? "/" : "",
                        reference.repository);
}

/* The job keeps the name as it is. */
static bool collect_native(struct collect *collect, const Eos__Job__V1__DockerImage *native)
{
    struct image image;
    const char *reference = native_reference(native, collect->arena);
    if (!reference || !is_looked_at(collect, reference))
        return true;
    if (!image_from_reference(collect->context, slice_of(reference), collect->arena, &image,
                              collect->err))
        return false;
    image.resolved_name = without_version(native->name, collect->arena);
    return add_container_image(collect, &image);
}

static bool collect_container(struct collect *collect, const Eos__Job__V1__JobConfiguration *job)
{
    const Eos__Job__V1__DockerContainer *engine = engine_container(job);
    const Eos__Job__V1__DockerImage *native = native_image(job);
    return (!engine || collect_engine(collect, engine)) &&
           (!native || collect_native(collect, native));
}

bool job_images_collect(const struct image_context *context, Eos__Job__V1__JobConfiguration *job,
                        enum job_pinning pinning, struct arena *arena,
                        struct job_images *ret_images, struct error *err)
{
    struct job_images images = { .items =
                                     arena_array(arena, JOB_MAX_IMAGES, sizeof(struct image)) };
    struct collect collect = {
        .context = context, .arena = arena, .images = &images, .pinning = pinning, .err = err
    };

    message_visit_strings(&job->base, collect_templates, &collect);
    if (collect.has_failed || !collect_container(&collect, job))
        return false;
    *ret_images = images;
    return true;
}

/* -- putting the digests in ----------------------------------------------------------------------- */

struct apply {
    const struct job_images *images;
    struct arena *arena;
};

static void replace_templates(void *ctx, char **string)
{
    const struct apply *apply = ctx;
    struct slice text = slice_of(*string);
    struct image_template template;
    struct text out = TEXT_INIT;
    size_t at = 0, done = 0;

    while (template_next(text, &at, &template)) {
        const struct image *image = find(apply->images, template.whole);
        assert(image);
        text_add_bytes(&out, text.ptr + done, (size_t)(template.whole.ptr - text.ptr) - done);
        text_add(&out, image_resolved(image, apply->arena));
        done = at;
    }
    if (done > 0) {
        text_add_bytes(&out, text.ptr + done, text.len - done);
        *string = arena_memdup0(apply->arena, out.ptr, out.len);
    }
    text_done(&out);
}

static void pin_engine_image(const struct apply *apply, Eos__Job__V1__DockerContainer *container)
{
    const char *reference = engine_reference(container, apply->arena);
    const struct image *image = reference ? find(apply->images, slice_of(reference)) : NULL;
    if (image)
        container->image = image_resolved(image, apply->arena);
}

static void pin_native_image(const struct apply *apply, Eos__Job__V1__DockerImage *native)
{
    const char *reference = native_reference(native, apply->arena);
    const struct image *image = reference ? find(apply->images, slice_of(reference)) : NULL;
    if (!image)
        return;
    native->name = arena_strdup(apply->arena, image->resolved_name);
    native->tag = arena_strdup(apply->arena, image->finding.digest);
}

/* A template fills one field of two: "host/name@sha256:…" becomes "host/name" and "sha256:…". */
static void split_native_image(const struct apply *apply, Eos__Job__V1__DockerImage *native)
{
    const char *at = strchr(native->name, '@');
    if (!at || at[1] == 0)
        return;
    native->tag = arena_strdup(apply->arena, at + 1);
    native->name = arena_memdup0(apply->arena, native->name, (size_t)(at - native->name));
}

void job_images_apply(const struct job_images *images, Eos__Job__V1__JobConfiguration *job,
                      struct arena *arena)
{
    struct apply apply = { images, arena };
    Eos__Job__V1__DockerContainer *engine = engine_container(job);
    Eos__Job__V1__DockerImage *native = native_image(job);

    if (engine)
        pin_engine_image(&apply, engine);
    if (native)
        pin_native_image(&apply, native);
    message_visit_strings(&job->base, replace_templates, &apply);
    if (native)
        split_native_image(&apply, native);
}

Eos__Job__V1__ImageBinding *image_binding(const struct image *image, struct arena *arena)
{
    Eos__Job__V1__ImageBinding *binding = arena_alloc(arena, sizeof *binding);
    const struct finding *finding = &image->finding;
    bool is_digest = strchr(image->version, ':') != NULL;

    eos__job__v1__image_binding__init(binding);
    binding->reference = (char *)image->reference;
    binding->registry = (char *)image->base_url;
    binding->repository = (char *)image->repository;
    binding->tag = (char *)(is_digest ? "" : image->version);
    binding->digest = (char *)finding->digest;
    binding->resolved = image_resolved(image, arena);
    binding->media_type = (char *)finding->media_type;
    binding->platform = (char *)finding->platforms;
    binding->size_bytes = finding->size_bytes;
    binding->resolved_at_ms = finding->found_at_ms;
    binding->authentication = (char *)finding->authentication;
    binding->signed_by = (char *)finding->signed_by;
    binding->signing_key_id = (char *)finding->signing_key_id;
    return binding;
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

Eos__Job__V1__JobConfiguration *job_copy(const Eos__Job__V1__JobConfiguration *job,
                                         struct arena *arena)
{
    ProtobufCAllocator allocator = { allocate, release, arena };
    size_t size = eos__job__v1__job_configuration__get_packed_size(job);
    uint8_t *bytes = arena_alloc(arena, size);
    eos__job__v1__job_configuration__pack(job, bytes);
    Eos__Job__V1__JobConfiguration *copy =
        eos__job__v1__job_configuration__unpack(&allocator, size, bytes);
    assert(copy);
    return copy;
}
