#include "launcher/task_data.h"

#include <inttypes.h>
#include <math.h>

static bool fill(const struct task_data *data, const json_t *value, const char *name,
                 const char **ret_text, struct error *err)
{
    struct slice text = { json_string_value(value), json_string_length(value) };
    if (template_fill(text, data->lookup, data->user, data->arena, ret_text, err))
        return true;
    return error_prefix(err, "field %s", name);
}

bool task_data_text(const struct task_data *data, const json_t *object, const char *name,
                    const char *fallback, const char **ret_text, struct error *err)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_string(value))
        return fill(data, value, name, ret_text, err);
    if ((value && !json_is_null(value)) || !fallback)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field %s: expected a text", name);
    *ret_text = fallback;
    return true;
}

/* Aurora's whole numbers may come as 5.0. */
static bool to_integer(const struct task_data *data, const json_t *value, const char *name,
                       int64_t *ret_value, struct error *err)
{
    const char *text;
    if (json_is_integer(value)) {
        *ret_value = json_integer_value(value);
        return true;
    }
    double real = json_is_real(value) ? json_real_value(value) : NAN;
    if (real == trunc(real) && fabs(real) < 1e15) {
        *ret_value = (int64_t)real;
        return true;
    }
    if (json_is_string(value) && !fill(data, value, name, &text, err))
        return false;
    if (json_is_string(value) && slice_to_i64(slice_of(text), ret_value))
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT, "field %s: expected a whole number", name);
}

bool task_data_integer(const struct task_data *data, const json_t *object, const char *name,
                       int64_t fallback, int64_t min, int64_t max, int64_t *ret_value,
                       struct error *err)
{
    const json_t *value = json_object_get(object, name);
    int64_t number = fallback;

    if (value && !json_is_null(value) && !to_integer(data, value, name, &number, err))
        return false;
    if (number < min || number > max)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "field %s: expected a number from %" PRId64 " to %" PRId64, name, min,
                         max);
    *ret_value = number;
    return true;
}

bool task_data_switch(const struct task_data *data, const json_t *object, const char *name,
                      bool fallback, bool *ret_value, struct error *err)
{
    static const char *const words[2][4] = { { "false", "False", "0", "" },
                                             { "true", "True", "1", "1" } };
    const json_t *value = json_object_get(object, name);
    const char *text;

    if (!value || json_is_null(value) || json_is_boolean(value)) {
        *ret_value = json_is_boolean(value) ? json_is_true(value) : fallback;
        return true;
    }
    if (json_is_string(value) && !fill(data, value, name, &text, err))
        return false;
    for (size_t i = 0; json_is_string(value) && i < 8; i++) {
        if (strcmp(text, words[i / 4][i % 4]) != 0)
            continue;
        *ret_value = i / 4 == 1;
        return true;
    }
    return error_set(err, ERROR_INVALID_ARGUMENT, "field %s: expected true or false", name);
}

bool task_data_list(const json_t *object, const char *name, size_t most, const json_t **ret_list,
                    struct error *err)
{
    const json_t *list = json_object_get(object, name);
    if (json_is_null(list))
        list = NULL;
    if (list && !json_is_array(list))
        return error_set(err, ERROR_INVALID_ARGUMENT, "field %s: expected a list", name);
    if (json_array_size(list) > most)
        return error_set(err, ERROR_INVALID_ARGUMENT, "field %s: more than %zu elements", name,
                         most);
    *ret_list = list;
    return true;
}
