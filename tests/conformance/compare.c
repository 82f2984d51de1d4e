#include "conformance/conformance.h"

#include <math.h>
#include <stdlib.h>

/* What has to be equal stands with the cases: classes always, messages by their kind, sets in any
 * order. */

#define SHOWN_BYTES 300

static const char *const SETS[] = { "constraints", "metadata", "resources",
                                    "updateOnlyTheseInstances", "values" };

static bool is_set(const char *name)
{
    for (size_t i = 0; name && i < sizeof SETS / sizeof *SETS; i++)
        if (strcmp(name, SETS[i]) == 0)
            return true;
    return false;
}

static void add_shown(struct text *why, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
    text_printf(why, "%.*s", SHOWN_BYTES, text ? text : "nothing");
    free(text);
}

static bool differ(struct text *why, const char *path, json_t *expected, json_t *got)
{
    text_printf(why, "%s: expected ", path);
    add_shown(why, expected);
    text_add(why, ", got ");
    add_shown(why, got);
    return false;
}

static int compare_dumped(const void *a, const void *b)
{
    json_t *const *x = a, *const *y = b;
    char *left = json_dumps(*x, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    char *right = json_dumps(*y, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    int order = strcmp(left, right);
    free(left);
    free(right);
    return order;
}

static json_t *sorted(json_t *array)
{
    size_t count = json_array_size(array), i;
    json_t **items = calloc(count + 1, sizeof *items), *result = json_array(), *item;
    json_array_foreach(array, i, item) items[i] = item;
    qsort(items, count, sizeof *items, compare_dumped);
    for (i = 0; i < count; i++)
        json_array_append(result, items[i]);
    free(items);
    return result;
}

static bool compare_values(json_t *expected, json_t *got, const char *path, bool is_plain,
                           struct text *why);

static bool compare_arrays(json_t *expected, json_t *got, const char *path, bool is_plain,
                           struct text *why)
{
    struct text at = TEXT_INIT;
    bool is_same = true;
    size_t i;
    json_t *item;
    if (json_array_size(expected) != json_array_size(got))
        return differ(why, path, expected, got);
    json_array_foreach(expected, i, item)
    {
        text_clear(&at);
        text_printf(&at, "%s[%zu]", path, i);
        is_same = is_same && compare_values(item, json_array_get(got, i), at.ptr, is_plain, why);
    }
    text_done(&at);
    return is_same;
}

static bool compare_fields(json_t *expected, json_t *got, const char *path, const char *name,
                           bool is_plain, struct text *why)
{
    struct text at = TEXT_INIT;
    json_t *left = json_object_get(expected, name), *right = json_object_get(got, name);
    bool sorts = !is_plain && is_set(name) && json_is_array(left) && json_is_array(right);
    text_printf(&at, "%s.%s", path, name);
    left = sorts ? sorted(left) : json_incref(left);
    right = sorts ? sorted(right) : json_incref(right);
    bool is_same = compare_values(left, right, at.ptr, is_plain || strcmp(name, "data") == 0, why);
    json_decref(left);
    json_decref(right);
    text_done(&at);
    return is_same;
}

static bool compare_objects(json_t *expected, json_t *got, const char *path, bool is_plain,
                            struct text *why)
{
    const char *name;
    json_t *item;
    json_object_foreach(expected, name, item) if (!compare_fields(expected, got, path, name,
                                                                  is_plain, why)) return false;
    json_object_foreach(got, name,
                        item) if (!json_object_get(expected,
                                                   name)) return compare_fields(expected, got, path,
                                                                                name, is_plain,
                                                                                why);
    return true;
}

/* Inside of the executor's data (`is_plain`) names mean nothing. */
static bool compare_values(json_t *expected, json_t *got, const char *path, bool is_plain,
                           struct text *why)
{
    if (!expected || !got || json_typeof(expected) != json_typeof(got))
        return differ(why, path, expected, got);
    if (json_is_object(expected))
        return compare_objects(expected, got, path, is_plain, why);
    if (json_is_array(expected))
        return compare_arrays(expected, got, path, is_plain, why);
    return json_equal(expected, got) || differ(why, path, expected, got);
}

static bool compare_errors(json_t *expected, json_t *got, const char *path, struct text *why)
{
    const char *kind = json_string_value(json_object_get(expected, "message_kind"));
    if (!got)
        return differ(why, path, expected, got);
    if (!json_equal(json_object_get(expected, "class"), json_object_get(got, "class")))
        return differ(why, path, expected, got);
    if (json_object_get(expected, "exception") &&
        !compare_fields(expected, got, path, "exception", true, why))
        return false;
    return !kind || strcmp(kind, "reference") != 0 ||
           compare_fields(expected, got, path, "message", true, why);
}

static bool compare_job(json_t *expected, json_t *got, const char *path, struct text *why)
{
    json_t *error = json_object_get(expected, "error");
    json_t *update_error = json_object_get(json_object_get(expected, "update"), "error");
    json_t *got_update = json_object_get(got, "update");
    if (error)
        return compare_errors(error, json_object_get(got, "error"), path, why);
    if (!update_error)
        return compare_values(expected, got, path, false, why);
    if (!compare_errors(update_error, json_object_get(got_update, "error"), path, why))
        return false;
    json_t *left = json_copy(expected), *right = json_copy(got);
    json_object_del(left, "update");
    json_object_del(right, "update");
    bool is_same = compare_values(left, right, path, false, why);
    json_decref(left);
    json_decref(right);
    return is_same;
}

static bool compare_jobs(json_t *expected, json_t *got, struct text *why)
{
    size_t i;
    json_t *item;
    if (json_array_size(expected) != json_array_size(got))
        return differ(why, "jobs", expected, got);
    json_array_foreach(expected, i, item)
    {
        struct text path = TEXT_INIT;
        json_t *bound = bind_job(json_array_get(got, i));
        text_printf(&path, "jobs[%zu]", i);
        bool is_same = compare_job(item, bound, path.ptr, why);
        json_decref(bound);
        text_done(&path);
        if (!is_same)
            return false;
    }
    return true;
}

bool compare_results(json_t *expected, json_t *got, struct text *why)
{
    json_t *printed = json_object_get(expected, "printed"),
           *error = json_object_get(expected, "error");
    if ((printed || json_object_get(got, "printed")) &&
        !compare_fields(expected, got, "", "printed", true, why))
        return false;
    if (error)
        return compare_errors(error, json_object_get(got, "error"), "error", why);
    if (json_object_get(got, "error"))
        return differ(why, "error", NULL, json_object_get(got, "error"));
    return compare_jobs(json_object_get(expected, "jobs"), json_object_get(got, "jobs"), why);
}
