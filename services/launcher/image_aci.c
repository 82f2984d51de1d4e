#include "launcher/image_aci.h"

#include "launcher/image_json.h"
#include "launcher/image_limits.h"
#include "launcher/image_path.h"

static bool check_identity(const json_t *manifest, const char *name, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    const char *kind = "", *version = "", *own_name = "";
    if (!image_json_string(manifest, "acKind", &kind, err) ||
        !image_json_string(manifest, "acVersion", &version, err) ||
        !image_json_string(manifest, "name", &own_name, err))
        return false;
    if (strcmp(kind, "ImageManifest") != 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "its acKind is not \"ImageManifest\"");
    if (!*version)
        return error_set(err, ERROR_INVALID_ARGUMENT, "it has no acVersion");
    if (strcmp(own_name, name) != 0)
        return error_set(err, ERROR_FAILED_PRECONDITION, "the image calls itself \"%s\"",
                         image_show(own_name, shown));
    return true;
}

/* What the label has to be, or NULL when any value will do. */
static const char *required_value(const char *label)
{
    if (strcmp(label, "os") == 0)
        return "linux";
    return strcmp(label, "arch") == 0 ? image_appc_architecture : NULL;
}

static bool check_label(const json_t *label, const char **ret_name, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    const char *value = "";
    if (!json_is_object(label))
        return error_set(err, ERROR_INVALID_ARGUMENT, "a label is not an object");
    if (!image_json_string(label, "name", ret_name, err) ||
        !image_json_string(label, "value", &value, err))
        return false;
    if (!**ret_name || strcmp(*ret_name, "name") == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a label has no permitted name");
    const char *required = required_value(*ret_name);
    if (required && strcmp(value, required) != 0)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the image has %s \"%s\", and this host has \"%s\"", *ret_name,
                         image_show(value, shown), required);
    return true;
}

static bool check_labels(const json_t *manifest, struct error *err)
{
    const json_t *labels = NULL;
    const char *names[IMAGE_MAX_LABELS];
    if (!image_json_array(manifest, "labels", &labels, err))
        return false;
    size_t count = json_array_size(labels);
    if (count > IMAGE_MAX_LABELS)
        return error_set(err, ERROR_OUT_OF_RANGE, "it has %zu labels, more than %d", count,
                         IMAGE_MAX_LABELS);
    for (size_t i = 0; i < count; i++) {
        if (!check_label(json_array_get(labels, i), &names[i], err))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0)
                return error_set(err, ERROR_INVALID_ARGUMENT, "a label is given twice");
    }
    return true;
}

static bool check_absent(const json_t *manifest, const char *name, const char *sentence,
                         struct error *err)
{
    const json_t *list = NULL;
    if (!image_json_array(manifest, name, &list, err))
        return false;
    if (json_array_size(list) > 0)
        return error_set(err, ERROR_UNIMPLEMENTED, "%s", sentence);
    return true;
}

static bool read_variable(const json_t *item, struct arena *arena, const char **ret_variable,
                          struct error *err)
{
    const char *name = "", *value = "";
    if (!json_is_object(item))
        return error_set(err, ERROR_INVALID_ARGUMENT, "a variable of the image is no object");
    if (!image_json_string(item, "name", &name, err) ||
        !image_json_string(item, "value", &value, err))
        return false;
    if (strchr(name, '='))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the name of a variable has a '='");
    *ret_variable = arena_printf(arena, "%s=%s", name, value);
    return image_settings_check_variable(*ret_variable, err);
}

static bool read_environment(const json_t *app, struct arena *arena, struct image_settings *result,
                             struct error *err)
{
    const json_t *list = NULL;
    if (!image_json_array(app, "environment", &list, err))
        return false;
    size_t count = json_array_size(list);
    if (count > IMAGE_MAX_ENVIRONMENT)
        return error_set(err, ERROR_OUT_OF_RANGE, "the image sets %zu variables, more than %d",
                         count, IMAGE_MAX_ENVIRONMENT);
    const char **environment = arena_array(arena, count, sizeof *environment);
    for (size_t i = 0; i < count; i++)
        if (!read_variable(json_array_get(list, i), arena, &environment[i], err))
            return false;
    result->environment = environment;
    result->environment_count = count;
    return true;
}

static bool read_app(const json_t *manifest, struct arena *arena, struct image_settings *result,
                     struct error *err)
{
    const json_t *app = NULL;
    const char *directory = "";
    if (!image_json_object(manifest, "app", &app, err) ||
        !image_json_string(app, "workingDirectory", &directory, err) ||
        !read_environment(app, arena, result, err))
        return false;
    if (*directory && (*directory != '/' || strlen(directory) > IMAGE_MAX_PATH_BYTES))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the workingDirectory is no absolute path of at most %d bytes",
                         IMAGE_MAX_PATH_BYTES);
    result->working_directory = *directory ? image_clean_directory(directory, arena) : "";
    return true;
}

bool image_aci_parse(struct slice json, const char *name, struct arena *arena,
                     struct image_settings *ret_settings, struct error *err)
{
    cleanup_json json_t *manifest = NULL;
    struct image_settings result = { 0 };
    if (!image_json_parse(json, IMAGE_MAX_ACI_MANIFEST_BYTES, &manifest, err) ||
        !check_identity(manifest, name, err) || !check_labels(manifest, err) ||
        !check_absent(manifest, "dependencies", "images with dependencies are not supported",
                      err) ||
        !check_absent(manifest, "pathWhitelist", "a pathWhitelist is not supported", err) ||
        !read_app(manifest, arena, &result, err))
        return error_prefix(err, "the image's manifest");
    *ret_settings = result;
    return true;
}
