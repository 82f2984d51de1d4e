#include "launcher/image_json.h"

#include "json/message_json.h"

bool image_json_parse(struct slice text, size_t max_bytes, json_t **ret_object, struct error *err)
{
    json_t *value = NULL;
    if (text.len > max_bytes)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "it is over %zu bytes", max_bytes);
    if (!json_parse(text, &value, err))
        return false;
    if (!json_is_object(value)) {
        json_decref(value);
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is not a JSON object");
    }
    *ret_object = value;
    return true;
}

static bool find(const json_t *object, const char *name, json_type type, const char *expected,
                 const json_t **ret_value, struct error *err)
{
    const json_t *value = json_object_get(object, name);
    if (value && !json_is_null(value) && json_typeof(value) != type)
        return error_set(err, ERROR_INVALID_ARGUMENT, "member \"%s\" is not %s", name, expected);
    *ret_value = value && !json_is_null(value) ? value : NULL;
    return true;
}

bool image_json_string(const json_t *object, const char *name, const char **ret_value,
                       struct error *err)
{
    const json_t *value = NULL;
    if (!find(object, name, JSON_STRING, "a string", &value, err))
        return false;
    *ret_value = value ? json_string_value(value) : "";
    return true;
}

bool image_json_array(const json_t *object, const char *name, const json_t **ret_array,
                      struct error *err)
{
    return find(object, name, JSON_ARRAY, "an array", ret_array, err);
}

bool image_json_object(const json_t *object, const char *name, const json_t **ret_object,
                       struct error *err)
{
    return find(object, name, JSON_OBJECT, "an object", ret_object, err);
}
