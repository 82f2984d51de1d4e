#include "launcher/image_aci.h"

#include "base/text.h"
#include "launcher/image_digest.h"
#include "launcher/image_json.h"
#include "launcher/image_limits.h"
#include "launcher/image_path.h"
#include "plan/limits.h"

/* One part of the document, read into the result. */
struct reader {
    struct arena *arena;
    struct image_aci *aci;
};

/* "0.8.11" and what may follow it. */
static bool is_version(const char *text)
{
    int numbers = 0;
    for (const char *c = text; numbers < 3; c++) {
        if (*c < '0' || *c > '9')
            return false;
        while (*c >= '0' && *c <= '9')
            c++;
        if (++numbers == 3)
            return !*c || *c == '-' || *c == '+';
        if (*c != '.')
            return false;
    }
    return false;
}

static bool read_identity(const struct reader *reader, const json_t *manifest, struct error *err)
{
    const char *kind = "", *version = "", *name = "";
    if (!image_json_string(manifest, "acKind", &kind, err) ||
        !image_json_string(manifest, "acVersion", &version, err) ||
        !image_json_string(manifest, "name", &name, err))
        return false;
    if (strcmp(kind, "ImageManifest") != 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "its acKind is not \"ImageManifest\"");
    if (!is_version(version))
        return error_set(err, ERROR_INVALID_ARGUMENT, "its acVersion is not like \"0.8.11\"");
    reader->aci->name = arena_strdup(reader->arena, name);
    return image_aci_check_identifier(name, "its name", err);
}

static bool read_label(const struct reader *reader, const json_t *item,
                       struct image_label *ret_label, struct error *err)
{
    const char *name = "", *value = "";
    if (!json_is_object(item))
        return error_set(err, ERROR_INVALID_ARGUMENT, "a label is not an object");
    if (!image_json_string(item, "name", &name, err) ||
        !image_json_string(item, "value", &value, err))
        return false;
    *ret_label = (struct image_label){ arena_strdup(reader->arena, name),
                                       arena_strdup(reader->arena, value) };
    return true;
}

static bool read_labels(const struct reader *reader, const json_t *object,
                        const struct image_label **ret_labels, size_t *ret_count, struct error *err)
{
    const json_t *list = NULL;
    if (!image_json_array(object, "labels", &list, err))
        return false;
    size_t count = json_array_size(list);
    if (count > IMAGE_MAX_LABELS)
        return error_set(err, ERROR_OUT_OF_RANGE, "it has %zu labels, more than %d", count,
                         IMAGE_MAX_LABELS);
    struct image_label *labels = arena_array(reader->arena, count, sizeof *labels);
    for (size_t i = 0; i < count; i++)
        if (!read_label(reader, json_array_get(list, i), &labels[i], err))
            return false;
    *ret_labels = labels;
    *ret_count = count;
    return image_aci_check_labels(labels, count, err);
}

static bool read_own_labels(const struct reader *reader, const json_t *manifest, struct error *err)
{
    return read_labels(reader, manifest, &reader->aci->labels, &reader->aci->label_count, err);
}

static bool read_size(const json_t *item, int64_t *ret_size, struct error *err)
{
    const json_t *size = json_object_get(item, "size");
    if (size && !json_is_null(size) && (!json_is_integer(size) || json_integer_value(size) < 0))
        return error_set(err, ERROR_INVALID_ARGUMENT, "its size is no number of bytes");
    *ret_size = json_integer_value(size);
    return true;
}

static bool read_dependency(const struct reader *reader, const json_t *item,
                            struct image_aci_dependency *ret_dependency, struct error *err)
{
    const char *name = "", *id = "";
    if (!json_is_object(item))
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is not an object");
    if (!image_json_string(item, "imageName", &name, err) ||
        !image_json_string(item, "imageID", &id, err) ||
        !image_aci_check_identifier(name, "its imageName", err))
        return false;
    if (*id && !image_digest_is(IMAGE_SHA512, slice_of(id)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "its imageID is not \"sha512-\" and 128 hexadecimal digits");
    ret_dependency->name.name = arena_strdup(reader->arena, name);
    ret_dependency->id = arena_strdup(reader->arena, id);
    return read_size(item, &ret_dependency->size_bytes, err) &&
           read_labels(reader, item, &ret_dependency->name.labels,
                       &ret_dependency->name.label_count, err);
}

static bool read_dependencies(const struct reader *reader, const json_t *manifest,
                              struct error *err)
{
    const json_t *list = NULL;
    if (!image_json_array(manifest, "dependencies", &list, err))
        return false;
    size_t count = json_array_size(list);
    if (count >= PLAN_MAX_LAYERS)
        return error_set(err, ERROR_OUT_OF_RANGE, "it has %zu dependencies, more than %u", count,
                         PLAN_MAX_LAYERS - 1);
    struct image_aci_dependency *dependencies =
        arena_array(reader->arena, count, sizeof *dependencies);
    for (size_t i = 0; i < count; i++)
        if (!read_dependency(reader, json_array_get(list, i), &dependencies[i], err))
            return error_prefix(err, "dependency %zu", i + 1);
    reader->aci->dependencies = dependencies;
    reader->aci->dependency_count = count;
    return true;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As a name in the archive would be written. */
static bool read_whitelisted(const struct reader *reader, const json_t *item, const char **ret_path,
                             struct error *err)
{
    struct image_path path;
    const char *text = json_string_value(item);
    if (!text || *text != '/')
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is no absolute path");
    *ret_path = image_clean_directory(text, reader->arena) + 1;
    return !**ret_path || image_path_parse(slice_of(*ret_path), &path, err);
}

static bool read_whitelist(const struct reader *reader, const json_t *manifest, struct error *err)
{
    const json_t *list = NULL;
    if (!image_json_array(manifest, "pathWhitelist", &list, err))
        return false;
    size_t count = json_array_size(list);
    const char **paths = arena_array(reader->arena, count, sizeof *paths);
    for (size_t i = 0; i < count; i++)
        if (!read_whitelisted(reader, json_array_get(list, i), &paths[i], err))
            return error_prefix(err, "entry %zu of pathWhitelist", i + 1);
    if (count > 0)
        qsort(paths, count, sizeof *paths, compare_paths);
    reader->aci->whitelist = paths;
    reader->aci->whitelist_count = count;
    return true;
}

static bool check_variable_name(const char *name, struct error *err)
{
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              strchr("_.-", *c)))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "the name of a variable has other bytes than letters, digits, \"_\", "
                             "\".\" and \"-\"");
    return true;
}

static bool read_variable(const json_t *item, struct arena *arena, const char **ret_variable,
                          struct error *err)
{
    const char *name = "", *value = "";
    if (!json_is_object(item))
        return error_set(err, ERROR_INVALID_ARGUMENT, "a variable of the image is no object");
    if (!image_json_string(item, "name", &name, err) ||
        !image_json_string(item, "value", &value, err) || !check_variable_name(name, err))
        return false;
    *ret_variable = arena_printf(arena, "%s=%s", name, value);
    return image_settings_check_variable(*ret_variable, err);
}

static bool read_environment(const struct reader *reader, const json_t *app, struct error *err)
{
    const json_t *list = NULL;
    if (!image_json_array(app, "environment", &list, err))
        return false;
    size_t count = json_array_size(list);
    if (count > IMAGE_MAX_ENVIRONMENT)
        return error_set(err, ERROR_OUT_OF_RANGE, "the image sets %zu variables, more than %d",
                         count, IMAGE_MAX_ENVIRONMENT);
    const char **environment = arena_array(reader->arena, count, sizeof *environment);
    for (size_t i = 0; i < count; i++)
        if (!read_variable(json_array_get(list, i), reader->arena, &environment[i], err))
            return false;
    reader->aci->settings.environment = environment;
    reader->aci->settings.environment_count = count;
    return true;
}

static bool read_directory(const struct reader *reader, const json_t *app, struct error *err)
{
    const char *directory = "";
    if (!image_json_string(app, "workingDirectory", &directory, err))
        return false;
    if (*directory && (*directory != '/' || strlen(directory) > IMAGE_MAX_PATH_BYTES))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the workingDirectory is no absolute path of at most %d bytes",
                         IMAGE_MAX_PATH_BYTES);
    reader->aci->settings.working_directory =
        *directory ? image_clean_directory(directory, reader->arena) : "";
    return true;
}

/* A task has its own command lines and its role's user; so these are only held to be well-formed. */
static bool check_command(const json_t *app, struct error *err)
{
    const json_t *exec = NULL;
    const char *user = "", *group = "";
    if (!image_json_array(app, "exec", &exec, err) || !image_json_string(app, "user", &user, err) ||
        !image_json_string(app, "group", &group, err))
        return false;
    for (size_t i = 0; i < json_array_size(exec); i++)
        if (!json_is_string(json_array_get(exec, i)))
            return error_set(err, ERROR_INVALID_ARGUMENT, "entry %zu of exec is no string", i + 1);
    return true;
}

static bool read_app(const struct reader *reader, const json_t *manifest, struct error *err)
{
    const json_t *app = NULL;
    reader->aci->settings.working_directory = "";
    if (!image_json_object(manifest, "app", &app, err))
        return false;
    return !app || (check_command(app, err) && read_directory(reader, app, err) &&
                    read_environment(reader, app, err));
}

bool image_aci_parse(struct slice json, struct arena *arena, struct image_aci *ret_aci,
                     struct error *err)
{
    static bool (*const parts[])(const struct reader *, const json_t *, struct error *) = {
        read_identity, read_own_labels, read_dependencies, read_whitelist, read_app,
    };
    cleanup_json json_t *manifest = NULL;
    struct image_aci result = { 0 };
    const struct reader reader = { arena, &result };
    bool ok = image_json_parse(json, IMAGE_MAX_ACI_MANIFEST_BYTES, &manifest, err);
    for (size_t i = 0; ok && i < sizeof parts / sizeof parts[0]; i++)
        ok = parts[i](&reader, manifest, err);
    if (!ok)
        return error_prefix(err, "the image's manifest");
    *ret_aci = result;
    return true;
}

/* What an image says of its system must be so here; what it was asked for, too. */
static bool match_host(const struct image_aci *aci, const char *label, const char *here,
                       struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    const char *value = image_label_find(aci->labels, aci->label_count, slice_of(label));
    if (!value || strcmp(value, here) == 0)
        return true;
    return error_set(err, ERROR_FAILED_PRECONDITION,
                     "the image has %s \"%s\", and this host has \"%s\"", label,
                     image_show(value, shown), here);
}

static bool match_label(const struct image_aci *aci, const struct image_label *wanted,
                        struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES], shown_wanted[IMAGE_SHOWN_BYTES];
    const char *value = image_label_find(aci->labels, aci->label_count, slice_of(wanted->name));
    image_show(wanted->value, shown_wanted);
    if (!value)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the image has no label \"%s\", and \"%s\" was asked for", wanted->name,
                         shown_wanted);
    return strcmp(value, wanted->value) == 0 ||
           error_set(err, ERROR_FAILED_PRECONDITION,
                     "the image has %s \"%s\", and \"%s\" was asked for", wanted->name,
                     image_show(value, shown), shown_wanted);
}

bool image_aci_match(const struct image_aci *aci, const struct image_aci_name *wanted,
                     struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    if (strcmp(aci->name, wanted->name) != 0)
        return error_set(err, ERROR_FAILED_PRECONDITION, "the image calls itself \"%s\"",
                         image_show(aci->name, shown));
    if (!match_host(aci, "os", "linux", err) ||
        !match_host(aci, "arch", image_appc_architecture, err))
        return false;
    for (size_t i = 0; i < wanted->label_count; i++)
        if (!match_label(aci, &wanted->labels[i], err))
            return false;
    return true;
}

static int compare_path(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

/* The first path that is not before `key`. */
static size_t lower_bound(const struct image_aci *aci, const char *key)
{
    size_t low = 0, high = aci->whitelist_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(aci->whitelist[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_below(const struct image_aci *aci, const char *path)
{
    char prefix[IMAGE_MAX_PATH_BYTES + 2];
    int len = snprintf(prefix, sizeof prefix, "%s/", path);
    size_t at = lower_bound(aci, prefix);
    return at < aci->whitelist_count && strncmp(aci->whitelist[at], prefix, (size_t)len) == 0;
}

bool image_aci_permits(const struct image_aci *aci, const char *path)
{
    return aci->whitelist_count == 0 || !*path ||
           bsearch(path, aci->whitelist, aci->whitelist_count, sizeof *aci->whitelist,
                   compare_path) ||
           has_below(aci, path);
}
