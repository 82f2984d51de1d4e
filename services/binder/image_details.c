#include "binder/image_details.h"

#include "json/message_json.h"

#include <stddef.h>
#include <string.h>

typedef Eos__Binder__V1__ImageConfig image_config;

/* -- manifests ------------------------------------------------------------------------------------ */

static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._-", c))))
            return false;
    }
    return text.len > 0 && text.len <= 32;
}

bool platform_parse(struct slice text, struct arena *arena, struct platform *ret_platform,
                    struct error *err)
{
    struct slice parts[3] = { SLICE(""), SLICE(""), SLICE("") };
    size_t count = 0;
    while (text.ptr && count < 3) {
        parts[count] = slice_split(&text, '/');
        if (!is_name(parts[count++]))
            count = 4;
    }
    if (text.ptr || count < 2 || count > 3)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "expected a platform as \"linux/amd64\" or \"linux/arm/v7\"");
    *ret_platform = (struct platform){
        .os = arena_memdup0(arena, parts[0].ptr, parts[0].len),
        .architecture = arena_memdup0(arena, parts[1].ptr, parts[1].len),
        .variant = arena_memdup0(arena, parts[2].ptr, parts[2].len),
    };
    return true;
}

Eos__Binder__V1__ImageManifest *manifest_entry(const struct descriptor *descriptor,
                                               struct arena *arena)
{
    Eos__Binder__V1__ImageManifest *entry = arena_alloc(arena, sizeof *entry);
    eos__binder__v1__image_manifest__init(entry);
    if (descriptor->has_platform)
        entry->platform = platform_format(&descriptor->platform, arena);
    entry->digest = (char *)descriptor->digest;
    entry->media_type = (char *)descriptor->media_type;
    entry->size_bytes = descriptor->size;
    entry->is_attestation = descriptor->is_attestation;
    return entry;
}

void details_add_layers(const struct manifest *manifest, struct arena *arena,
                        Eos__Binder__V1__InspectResponse *response)
{
    size_t count = manifest->layer_count;
    response->config_digest = (char *)manifest->config.digest;
    response->size_bytes = manifest->config.size;
    response->layers = arena_array(arena, count, sizeof response->layers[0]);
    response->n_layers = count;
    for (size_t i = 0; i < count; i++) {
        Eos__Binder__V1__ImageLayer *layer = arena_alloc(arena, sizeof *layer);
        eos__binder__v1__image_layer__init(layer);
        layer->media_type = (char *)manifest->layers[i].media_type;
        layer->digest = (char *)manifest->layers[i].digest;
        layer->size_bytes = manifest->layers[i].size;
        response->size_bytes += layer->size_bytes;
        response->layers[i] = layer;
    }
}

/* -- the configuration ---------------------------------------------------------------------------- */

/* Where a value goes, and of which kind it is. */
enum kind { KIND_STRING, KIND_LIST, KIND_NAMES };

static const struct field {
    const char *name;
    bool is_outer; /* beside "config" and not in it */
    enum kind kind;
    size_t offset, count_offset;
} fields[] = {
#define STRING(name, outer, field)                                                                 \
    {                                                                                              \
        name, outer, KIND_STRING, offsetof(image_config, field), 0                                 \
    }
#define MANY(name, kind, field)                                                                    \
    {                                                                                              \
        name, false, kind, offsetof(image_config, field), offsetof(image_config, n_##field)        \
    }
    STRING("created", true, created),
    STRING("author", true, author),
    STRING("os", true, os),
    STRING("architecture", true, architecture),
    STRING("variant", true, variant),
    STRING("User", false, user),
    STRING("WorkingDir", false, working_dir),
    STRING("StopSignal", false, stop_signal),
    MANY("Entrypoint", KIND_LIST, entrypoint),
    MANY("Cmd", KIND_LIST, cmd),
    MANY("Env", KIND_LIST, env),
    MANY("ExposedPorts", KIND_NAMES, exposed_ports),
    MANY("Volumes", KIND_NAMES, volumes),
#undef STRING
#undef MANY
};

static bool wrong(const char *name, const char *expected, struct error *err)
{
    return error_set(err, ERROR_FAILED_PRECONDITION, "\"%s\" of the image's configuration is no %s",
                     name, expected);
}

static bool read_list(const json_t *value, const char *name, struct arena *arena, char **items,
                      struct error *err)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *item = json_string_value(json_array_get(value, i));
        if (!item)
            return wrong(name, "list of strings", err);
        items[i] = arena_strdup(arena, item);
    }
    return true;
}

static void read_names(const json_t *value, struct arena *arena, char **items)
{
    const char *name;
    json_t *ignored;
    size_t i = 0;
    json_object_foreach((json_t *)value, name, ignored) items[i++] = arena_strdup(arena, name);
}

static bool read_many(const json_t *value, const struct field *field, struct arena *arena,
                      image_config *config, struct error *err)
{
    bool is_list = field->kind == KIND_LIST;
    size_t count = is_list ? json_array_size(value) : json_object_size(value);
    char **items = arena_array(arena, count, sizeof *items);
    if ((is_list && !json_is_array(value)) || (!is_list && !json_is_object(value)))
        return wrong(field->name, is_list ? "list of strings" : "object", err);
    if (count > IMAGE_CONFIG_MAX_ITEMS)
        return wrong(field->name, "list of a sensible length", err);
    if (!is_list)
        read_names(value, arena, items);
    else if (!read_list(value, field->name, arena, items, err))
        return false;
    *(char ***)(void *)((char *)config + field->offset) = items;
    *(size_t *)(void *)((char *)config + field->count_offset) = count;
    return true;
}

static bool read_field(const json_t *value, const struct field *field, struct arena *arena,
                       image_config *config, struct error *err)
{
    if (!value || json_is_null(value))
        return true;
    if (field->kind != KIND_STRING)
        return read_many(value, field, arena, config, err);
    if (!json_is_string(value))
        return wrong(field->name, "string", err);
    *(char **)(void *)((char *)config + field->offset) =
        arena_strdup(arena, json_string_value(value));
    return true;
}

static int compare_labels(const void *a, const void *b)
{
    const Eos__Binder__V1__ImageLabel *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static bool read_labels(const json_t *labels, struct arena *arena, image_config *config,
                        struct error *err)
{
    const char *name;
    json_t *value;
    if (!labels || json_is_null(labels))
        return true;
    if (!json_is_object(labels) || json_object_size(labels) > IMAGE_CONFIG_MAX_ITEMS)
        return wrong("Labels", "object of a sensible size", err);
    config->labels = arena_array(arena, json_object_size(labels), sizeof config->labels[0]);
    json_object_foreach((json_t *)labels, name, value)
    {
        Eos__Binder__V1__ImageLabel *label = arena_alloc(arena, sizeof *label);
        if (!json_is_string(value))
            return wrong("Labels", "object of strings", err);
        eos__binder__v1__image_label__init(label);
        label->name = arena_strdup(arena, name);
        label->value = arena_strdup(arena, json_string_value(value));
        config->labels[config->n_labels++] = label;
    }
    qsort(config->labels, config->n_labels, sizeof config->labels[0], compare_labels);
    return true;
}

static bool read_config(const json_t *root, struct arena *arena, image_config *config,
                        struct error *err)
{
    const json_t *inner = json_object_get(root, "config");
    if (!json_is_object(root) || (inner && !json_is_object(inner) && !json_is_null(inner)))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the image's configuration is not that of an image");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!read_field(json_object_get(fields[i].is_outer ? root : inner, fields[i].name),
                        &fields[i], arena, config, err))
            return false;
    return read_labels(json_object_get(inner, "Labels"), arena, config, err);
}

const char *config_platform(const image_config *config, struct arena *arena)
{
    struct platform platform = { config->os, config->architecture, config->variant };
    return platform.os[0] && platform.architecture[0] ? platform_format(&platform, arena) : "";
}

bool details_parse_config(struct slice bytes, struct arena *arena, image_config **ret_config,
                          struct error *err)
{
    image_config *config = arena_alloc(arena, sizeof *config);
    json_t *root = NULL;
    struct error ignored;
    eos__binder__v1__image_config__init(config);
    if (!json_parse(bytes, &root, &ignored))
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the image's configuration is no JSON object");
    bool ok = read_config(root, arena, config, err);
    json_decref(root);
    if (ok)
        *ret_config = config;
    return ok;
}
