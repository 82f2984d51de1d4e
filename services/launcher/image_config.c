#include "launcher/image_config.h"

#include "base/text.h"
#include "launcher/image_digest.h"
#include "launcher/image_json.h"
#include "launcher/image_limits.h"
#include "launcher/image_path.h"

#if defined(__x86_64__)
const char *const image_docker_architecture = "amd64";
const char *const image_appc_architecture = "amd64";
#elif defined(__aarch64__)
const char *const image_docker_architecture = "arm64";
const char *const image_appc_architecture = "aarch64";
#else
#error "tell the names of this processor in image manifests"
#endif

static bool check_platform(const json_t *config, struct error *err)
{
    char shown_os[IMAGE_SHOWN_BYTES], shown_architecture[IMAGE_SHOWN_BYTES];
    const char *os = "", *architecture = "";
    if (!image_json_string(config, "os", &os, err) ||
        !image_json_string(config, "architecture", &architecture, err))
        return false;
    if ((!*os || strcmp(os, "linux") == 0) &&
        (!*architecture || strcmp(architecture, image_docker_architecture) == 0))
        return true;
    return error_set(err, ERROR_FAILED_PRECONDITION,
                     "the image is for %s/%s, and this host is linux/%s", image_show(os, shown_os),
                     image_show(architecture, shown_architecture), image_docker_architecture);
}

static bool read_diff_id(const json_t *value, struct arena *arena, const char **ret_diff_id,
                         struct error *err)
{
    const char *text = json_string_value(value);
    if (!text || !image_digest_is(IMAGE_SHA256, slice_of(text)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "it is not \"sha256:\" and 64 hexadecimal digits");
    *ret_diff_id = arena_strdup(arena, text);
    return true;
}

static bool read_diff_ids(const json_t *config, size_t layer_count, struct arena *arena,
                          struct image_config *result, struct error *err)
{
    const json_t *rootfs = NULL, *ids = NULL;
    if (!image_json_object(config, "rootfs", &rootfs, err) ||
        !image_json_array(rootfs, "diff_ids", &ids, err))
        return false;
    if (json_array_size(ids) != layer_count)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the config tells of %zu layers and the manifest of %zu",
                         json_array_size(ids), layer_count);

    const char **diff_ids = arena_array(arena, layer_count, sizeof *diff_ids);
    for (size_t i = 0; i < layer_count; i++)
        if (!read_diff_id(json_array_get(ids, i), arena, &diff_ids[i], err))
            return error_prefix(err, "entry %zu of diff_ids in the config", i + 1);
    result->diff_ids = diff_ids;
    result->diff_id_count = layer_count;
    return true;
}

bool image_settings_check_variable(const char *variable, struct error *err)
{
    if (*variable == '=')
        return error_set(err, ERROR_INVALID_ARGUMENT, "a variable of the image has no name");
    if (strlen(variable) >= IMAGE_MAX_ENVIRONMENT_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "a variable of the image is over %u bytes",
                         IMAGE_MAX_ENVIRONMENT_BYTES - 1);
    return true;
}

static bool read_environment(const json_t *runtime, struct arena *arena,
                             struct image_settings *result, struct error *err)
{
    const json_t *list = NULL;
    if (!image_json_array(runtime, "Env", &list, err))
        return false;
    size_t count = json_array_size(list);
    if (count > IMAGE_MAX_ENVIRONMENT)
        return error_set(err, ERROR_OUT_OF_RANGE, "the image sets %zu variables, more than %d",
                         count, IMAGE_MAX_ENVIRONMENT);

    const char **environment = arena_array(arena, count, sizeof *environment);
    for (size_t i = 0; i < count; i++) {
        const char *variable = json_string_value(json_array_get(list, i));
        if (!variable)
            return error_set(err, ERROR_INVALID_ARGUMENT, "a variable of the image is no string");
        if (!strchr(variable, '='))
            continue; /* as Mesos does */
        if (!image_settings_check_variable(variable, err))
            return false;
        environment[result->environment_count++] = arena_strdup(arena, variable);
    }
    result->environment = environment;
    return true;
}

const char *image_clean_directory(const char *path, struct arena *arena)
{
    struct text clean = TEXT_INIT;
    for (struct slice rest = slice_of(path); rest.ptr;) {
        struct slice part = slice_split(&rest, '/');
        if (part.len == 0 || slice_is(part, "."))
            continue;
        if (slice_is(part, "..")) {
            while (clean.len > 0 && clean.ptr[--clean.len] != '/')
                ;
            continue;
        }
        text_add_char(&clean, '/');
        text_add_slice(&clean, part);
    }
    const char *result =
        arena_memdup0(arena, clean.len > 0 ? clean.ptr : "/", clean.len > 0 ? clean.len : 1);
    text_done(&clean);
    return result;
}

static bool read_settings(const json_t *config, struct arena *arena, struct image_settings *result,
                          struct error *err)
{
    const json_t *runtime = NULL;
    const char *directory = "";
    if (!image_json_object(config, "config", &runtime, err) ||
        !image_json_string(runtime, "WorkingDir", &directory, err) ||
        !read_environment(runtime, arena, result, err))
        return false;
    if (strlen(directory) > IMAGE_MAX_PATH_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "the working directory is over %d bytes",
                         IMAGE_MAX_PATH_BYTES);
    result->working_directory = *directory ? image_clean_directory(directory, arena) : "";
    return true;
}

bool image_config_parse(struct slice json, size_t layer_count, struct arena *arena,
                        struct image_config *ret_config, struct error *err)
{
    cleanup_json json_t *config = NULL;
    struct image_config result = { 0 };
    if (!image_json_parse(json, IMAGE_MAX_CONFIG_BYTES, &config, err))
        return error_prefix(err, "the config cannot be read");
    if (!check_platform(config, err) || !read_diff_ids(config, layer_count, arena, &result, err) ||
        !read_settings(config, arena, &result.settings, err))
        return false;
    *ret_config = result;
    return true;
}
