#include "client/import/layout.h"

#include "registry/digest.h"
#include "registry/reference.h"
#include "json/message_json.h"

#define REF_NAME        "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name"
#define LIST_BYTES      120 /* of names in a message */

static void release(json_t **value)
{
    json_decref(*value);
}
#define cleanup_json CLEANUP(release)

static bool parse(struct slice json, const char *what, json_t **ret_value, struct error *err)
{
    if (json.len > LAYOUT_MAX_DOCUMENT_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "%s is over %u bytes", what,
                         LAYOUT_MAX_DOCUMENT_BYTES);
    return json_parse(json, ret_value, err) || error_prefix(err, "%s", what);
}

/* A JSON string, or "". */
static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* -- names ---------------------------------------------------------------------------------------- */

/* As people write it: "docker.io/library/hello:1" is "hello:1". */
static struct slice familiar(struct slice name)
{
    static const char *const prefixes[] = { "docker.io/library/", "docker.io/",
                                            "index.docker.io/library/", "index.docker.io/" };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (slice_starts_with(name, slice_of(prefixes[i])))
            return (struct slice){ name.ptr + strlen(prefixes[i]), name.len - strlen(prefixes[i]) };
    return name;
}

static bool is_whole(const char *name)
{
    return strchr(name, '/') || strchr(name, ':');
}

/* -- index.json ----------------------------------------------------------------------------------- */

static void read_platform(const json_t *entry, struct arena *arena, struct layout_image *image)
{
    const json_t *platform = json_object_get(entry, "platform");
    image->has_platform = json_is_object(platform);
    image->platform = (struct platform){ arena_strdup(arena, text_of(platform, "os")),
                                         arena_strdup(arena, text_of(platform, "architecture")),
                                         arena_strdup(arena, text_of(platform, "variant")) };
}

/* The whole name, when an engine has left it, says more than the tag. */
static void read_names(const json_t *entry, struct arena *arena, struct layout_image *image)
{
    const json_t *annotations = json_object_get(entry, "annotations");
    const char *name = text_of(annotations, CONTAINERD_NAME);
    if (!*name)
        name = text_of(annotations, REF_NAME);
    const char **names = arena_array(arena, 1, sizeof *names);
    struct slice short_name = familiar(slice_of(name));
    names[0] = arena_memdup0(arena, short_name.ptr, short_name.len);
    image->names = names;
    image->name_count = short_name.len > 0;
}

static bool read_entry(const json_t *entry, struct arena *arena, struct layout_image *image,
                       struct error *err)
{
    const char *digest = text_of(entry, "digest");
    if (!digest_check(slice_of(digest), err))
        return false;
    *image = (struct layout_image){ .digest = arena_strdup(arena, digest) };
    read_platform(entry, arena, image);
    read_names(entry, arena, image);
    return true;
}

static bool check_count(const json_t *list, const char *what, struct error *err)
{
    if (!json_is_array(list) || json_array_size(list) == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "%s names no image", what);
    if (json_array_size(list) > LAYOUT_MAX_IMAGES)
        return error_set(err, ERROR_OUT_OF_RANGE, "%s names more than %u images", what,
                         LAYOUT_MAX_IMAGES);
    return true;
}

/* What describes another entry is no image. */
static bool is_attestation(const json_t *entry)
{
    const json_t *annotations = json_object_get(entry, "annotations");
    return *text_of(annotations, "vnd.docker.reference.type") != '\0';
}

bool layout_parse_index(struct slice json, struct arena *arena, struct layout *ret_layout,
                        struct error *err)
{
    cleanup_json json_t *index = NULL;
    if (!parse(json, "index.json", &index, err))
        return false;
    const json_t *list = json_object_get(index, "manifests");
    if (!check_count(list, "index.json", err))
        return false;
    struct layout layout = { arena_array(arena, json_array_size(list), sizeof *layout.images), 0 };
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        if (is_attestation(entry))
            continue;
        if (!read_entry(entry, arena, &layout.images[layout.count++], err))
            return error_prefix(err, "index.json: entry %zu", i + 1);
    }
    *ret_layout = layout;
    return true;
}

/* -- manifest.json -------------------------------------------------------------------------------- */

static bool read_list(const json_t *list, size_t max, struct arena *arena,
                      const char *const **ret_items, size_t *ret_count, struct error *err)
{
    size_t count = json_array_size(list);
    if (count > max)
        return error_set(err, ERROR_OUT_OF_RANGE, "a list is longer than %zu", max);
    const char **items = arena_array(arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text)
            return error_set(err, ERROR_INVALID_ARGUMENT, "a string is expected");
        items[i] = arena_strdup(arena, text);
    }
    *ret_items = items;
    *ret_count = count;
    return true;
}

static bool read_image(const json_t *entry, struct arena *arena, struct layout_image *image,
                       struct error *err)
{
    *image = (struct layout_image){ 0 };
    image->config_path = arena_strdup(arena, text_of(entry, "Config"));
    if (!image->config_path[0])
        return error_set(err, ERROR_INVALID_ARGUMENT, "it names no Config");
    if (!read_list(json_object_get(entry, "RepoTags"), LAYOUT_MAX_NAMES, arena, &image->names,
                   &image->name_count, err) ||
        !read_list(json_object_get(entry, "Layers"), LAYOUT_MAX_LAYERS, arena, &image->layer_paths,
                   &image->layer_count, err))
        return false;
    for (size_t i = 0; i < image->name_count; i++)
        ((const char **)image->names)[i] = familiar(slice_of(image->names[i])).ptr;
    return true;
}

bool layout_parse_docker(struct slice json, struct arena *arena, struct layout *ret_layout,
                         struct error *err)
{
    cleanup_json json_t *list = NULL;
    if (!parse(json, "manifest.json", &list, err) || !check_count(list, "manifest.json", err))
        return false;
    struct layout layout = { arena_array(arena, json_array_size(list), sizeof *layout.images), 0 };
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!read_image(json_array_get(list, i), arena, &layout.images[layout.count++], err))
            return error_prefix(err, "manifest.json: entry %zu", i + 1);
    *ret_layout = layout;
    return true;
}

/* -- config and manifest -------------------------------------------------------------------------- */

bool layout_parse_config(struct slice json, struct arena *arena, const char *const **ret_diff_ids,
                         size_t *ret_count, struct error *err)
{
    cleanup_json json_t *config = NULL;
    if (!parse(json, "the config", &config, err))
        return false;
    const json_t *list = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
    if (!read_list(list, LAYOUT_MAX_LAYERS, arena, ret_diff_ids, ret_count, err))
        return error_prefix(err, "the config's diff_ids");
    for (size_t i = 0; i < *ret_count; i++)
        if (!digest_check(slice_of((*ret_diff_ids)[i]), err))
            return error_prefix(err, "the config's diff_ids");
    return true;
}

#define DOCKER "application/vnd.docker."

static void add_descriptor(struct text *out, const char *type, const struct layout_blob *blob)
{
    text_printf(out, "{\"mediaType\":\"%s\",\"size\":%lld,\"digest\":\"%s\"}", type,
                (long long)blob->size, blob->digest);
}

void layout_add_manifest(const struct layout_blob *config, const struct layout_blob *layers,
                         size_t count, struct text *out)
{
    text_add(out, "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER
                  "distribution.manifest.v2+json\",\"config\":");
    add_descriptor(out, DOCKER "container.image.v1+json", config);
    text_add(out, ",\"layers\":[");
    for (size_t i = 0; i < count; i++) {
        text_add(out, i > 0 ? "," : "");
        add_descriptor(out, DOCKER "image.rootfs.diff.tar", &layers[i]);
    }
    text_add(out, "]}");
}

/* -- choosing ------------------------------------------------------------------------------------- */

static bool complain(const struct layout *layout, const char *what, struct error *err)
{
    cleanup_text struct text list = TEXT_INIT;
    for (size_t i = 0; i < layout->count && list.len < LIST_BYTES; i++)
        for (size_t k = 0; k < layout->images[i].name_count && list.len < LIST_BYTES; k++)
            text_printf(&list, "%s\"%.60s\"", list.len > 0 ? ", " : "", layout->images[i].names[k]);
    for (size_t i = 0; i < list.len; i++)
        if ((unsigned char)list.ptr[i] < ' ' || list.ptr[i] == 0x7f)
            list.ptr[i] = '?';
    return error_set(err, ERROR_INVALID_ARGUMENT, "%s; it has %s", what,
                     list.len > 0 ? text_string(&list) : "images without names");
}

static bool choose_all(const struct layout *layout, struct arena *arena,
                       struct layout_choice **ret_choices, size_t *ret_count, struct error *err)
{
    size_t total = 0, count = 0;
    for (size_t i = 0; i < layout->count; i++)
        total += layout->images[i].name_count;
    struct layout_choice *choices = arena_array(arena, total, sizeof *choices);
    for (size_t i = 0; i < layout->count; i++)
        for (size_t k = 0; k < layout->images[i].name_count; k++)
            if (is_whole(layout->images[i].names[k]))
                choices[count++] =
                    (struct layout_choice){ &layout->images[i], layout->images[i].names[k] };
    *ret_choices = choices;
    *ret_count = count;
    return count > 0 || complain(layout, "no image there has a whole name: give NAME:TAG", err);
}

static bool is_called(const struct layout_image *image, const char *wanted)
{
    const char *colon = strrchr(wanted, ':');
    struct slice name = familiar(slice_of(wanted));
    for (size_t i = 0; i < image->name_count; i++)
        if (slice_is(name, image->names[i]) ||
            (colon && !strchr(colon, '/') && strcmp(colon + 1, image->names[i]) == 0))
            return true;
    return false;
}

/* Of several, the one for this machine. */
static const struct layout_image *fitting(const struct layout *layout, const char *wanted,
                                          const struct platform *host, size_t *ret_candidates)
{
    const struct layout_image *best = NULL;
    unsigned best_fit = 0;
    *ret_candidates = 0;
    for (size_t i = 0; i < layout->count; i++) {
        const struct layout_image *image = &layout->images[i];
        if (wanted && !is_called(image, wanted))
            continue;
        unsigned fit = image->has_platform ? platform_fit(&image->platform, host) : 1;
        ++*ret_candidates;
        if (!best || fit > best_fit) {
            best = image;
            best_fit = fit;
        }
    }
    return best;
}

static bool all_have_platforms(const struct layout *layout)
{
    for (size_t i = 0; i < layout->count; i++)
        if (!layout->images[i].has_platform)
            return false;
    return true;
}

bool layout_choose(const struct layout *layout, const char *wanted, const struct platform *host,
                   struct arena *arena, struct layout_choice **ret_choices, size_t *ret_count,
                   struct error *err)
{
    size_t candidates;
    if (!wanted)
        return choose_all(layout, arena, ret_choices, ret_count, err);
    const struct layout_image *image = fitting(layout, wanted, host, &candidates);
    bool is_clear = layout->count == 1 || all_have_platforms(layout);
    if (!image && is_clear)
        image = fitting(layout, NULL, host, &candidates);
    if (!image)
        return complain(layout, "there is no image of that name", err);
    struct layout_choice *choice = arena_alloc(arena, sizeof *choice);
    *choice = (struct layout_choice){ image, wanted };
    *ret_choices = choice;
    *ret_count = 1;
    return true;
}
