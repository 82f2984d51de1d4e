#include "client/job_key.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <fnmatch.h>

#define KEY_MAX_PARTS 5

struct parts {
    struct slice of[KEY_MAX_PARTS + 1];
    size_t count; /* KEY_MAX_PARTS + 1 when there are more */
};

static struct parts split(const char *text)
{
    struct parts parts = { 0 };
    struct slice rest = slice_of(text);
    while (rest.ptr && parts.count <= KEY_MAX_PARTS)
        parts.of[parts.count++] = slice_split(&rest, '/');
    return parts;
}

/* What the reference calls an identifier. */
static bool is_identifier(struct slice part)
{
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("_-.", c))))
            return false;
    }
    return part.len > 0;
}

static bool check_identifier(const char *what, struct slice part, struct error *err)
{
    if (is_identifier(part))
        return true;
    return error_set(
        err, ERROR_INVALID_ARGUMENT,
        "%s of a job key must be letters, digits, \"_\", \"-\" or \".\", expected " JOB_KEY_FORM,
        what);
}

static bool take_key(const struct parts *parts, struct arena *arena, struct job_key *ret_key,
                     struct error *err)
{
    if (parts->of[0].len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the cluster of a job key is empty, expected " JOB_KEY_FORM);
    if (!check_identifier("the role", parts->of[1], err) ||
        !check_identifier("the environment", parts->of[2], err) ||
        !check_identifier("the name", parts->of[3], err))
        return false;
    *ret_key = (struct job_key){
        .cluster = arena_memdup0(arena, parts->of[0].ptr, parts->of[0].len),
        .role = arena_memdup0(arena, parts->of[1].ptr, parts->of[1].len),
        .environment = arena_memdup0(arena, parts->of[2].ptr, parts->of[2].len),
        .name = arena_memdup0(arena, parts->of[3].ptr, parts->of[3].len),
    };
    return true;
}

bool job_key_parse(const char *text, struct arena *arena, struct job_key *ret_key,
                   struct error *err)
{
    struct parts parts = split(text);
    if (parts.count != 4)
        return error_set(err, ERROR_INVALID_ARGUMENT, "\"%.80s\" is not a job key, expected %s",
                         text, JOB_KEY_FORM);
    return take_key(&parts, arena, ret_key, err);
}

bool instance_spec_parse(const char *text, struct arena *arena, struct job_key *ret_key,
                         struct instance_list *ret_instances, struct error *err)
{
    struct parts parts = split(text);
    struct instance_list instances = { 0 };
    if (parts.count != 4 && parts.count != 5)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "\"%.80s\" does not name instances of a job, expected %s[/INSTANCES]",
                         text, JOB_KEY_FORM);
    if (parts.count == 5 && parts.of[4].len > 0 &&
        !instances_parse(parts.of[4], arena, &instances, err))
        return false;
    if (!take_key(&parts, arena, ret_key, err))
        return false;
    *ret_instances = instances;
    return true;
}

bool task_instance_parse(const char *text, struct arena *arena, struct job_key *ret_key,
                         int32_t *ret_instance, struct error *err)
{
    struct parts parts = split(text);
    uint64_t instance;
    if (parts.count != 5 || !slice_to_u64(parts.of[4], INSTANCE_ID_MAX, &instance))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "\"%.80s\" does not name one instance, expected %s/INSTANCE", text,
                         JOB_KEY_FORM);
    if (!take_key(&parts, arena, ret_key, err))
        return false;
    *ret_instance = (int32_t)instance;
    return true;
}

/* -- instances ------------------------------------------------------------------------------------ */

/* "7" or "3-9", with spaces around the numbers. */
static bool range_parse(struct slice item, uint64_t *ret_first, uint64_t *ret_last,
                        struct error *err)
{
    struct slice rest = item;
    struct slice first = slice_trim(slice_split(&rest, '-'));
    struct slice last = rest.ptr ? slice_trim(rest) : first;
    if (!slice_to_u64(first, INSTANCE_ID_MAX, ret_first) ||
        !slice_to_u64(last, INSTANCE_ID_MAX, ret_last))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "instances must be numbers and ranges such as \"0,2-5\", up to %d",
                         INSTANCE_ID_MAX);
    if (*ret_last < *ret_first)
        return error_set(err, ERROR_INVALID_ARGUMENT, "Invalid instance range: %.*s",
                         SLICE_ARG(item));
    return true;
}

static int by_number(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

static void sort_and_unite(struct instance_list *list)
{
    size_t kept = 0;
    if (list->count == 0)
        return;
    qsort(list->ids, list->count, sizeof list->ids[0], by_number);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->ids[i] != list->ids[kept - 1])
            list->ids[kept++] = list->ids[i];
    list->count = kept;
}

bool instances_parse(struct slice text, struct arena *arena, struct instance_list *ret_instances,
                     struct error *err)
{
    struct instance_list list = { .ids = arena_array(arena, INSTANCES_MAX, sizeof(int32_t)) };
    while (text.ptr) {
        uint64_t first, last;
        if (!range_parse(slice_split(&text, ','), &first, &last, err))
            return false;
        if (last - first >= INSTANCES_MAX - list.count)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "at most %d instances can be named at once", INSTANCES_MAX);
        for (uint64_t id = first; id <= last; id++)
            list.ids[list.count++] = (int32_t)id;
    }
    sort_and_unite(&list);
    *ret_instances = list;
    return true;
}

const char *instances_text(const struct instance_list *instances, struct arena *arena)
{
    cleanup_text struct text out = TEXT_INIT;
    text_add_char(&out, '[');
    for (size_t i = 0; i < instances->count;) {
        size_t last = i;
        while (last + 1 < instances->count && instances->ids[last + 1] == instances->ids[last] + 1)
            last++;
        text_printf(&out, "%s%d", i > 0 ? ", " : "", instances->ids[i]);
        if (last > i)
            text_printf(&out, "-%d", instances->ids[last]);
        i = last + 1;
    }
    text_add_char(&out, ']');
    return arena_strdup(arena, text_string(&out));
}

/* -- patterns ------------------------------------------------------------------------------------- */

bool job_part_has_wildcard(const char *part)
{
    return strpbrk(part, "*?[") != NULL;
}

bool job_pattern_parse(const char *text, struct arena *arena, struct job_key *ret_pattern,
                       struct error *err)
{
    struct parts parts = split(text);
    const char *values[4] = { "*", "*", "*", "*" };
    if (parts.count > 4)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "\"%.80s\" has more than four parts, expected CLUSTER[/ROLE[/ENV[/NAME]]]",
                         text);
    for (size_t i = 0; i < parts.count; i++)
        if (parts.of[i].len > 0)
            values[i] = arena_memdup0(arena, parts.of[i].ptr, parts.of[i].len);
    if (parts.of[0].len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the cluster is empty, expected CLUSTER[/ROLE[/ENV[/NAME]]]");
    *ret_pattern = (struct job_key){ values[0], values[1], values[2], values[3] };
    return true;
}

bool job_selector_parse(const char *text, struct arena *arena, struct job_key *ret_selector,
                        struct error *err)
{
    struct parts parts = split(text);
    const char *values[4];
    if (parts.count != 4)
        return error_set(
            err, ERROR_INVALID_ARGUMENT,
            "\"%.80s\" does not select a job, expected %s with parts that may be empty", text,
            JOB_KEY_FORM);
    for (size_t i = 0; i < 4; i++)
        values[i] = arena_memdup0(arena, parts.of[i].ptr, parts.of[i].len);
    *ret_selector = (struct job_key){ values[0], values[1], values[2], values[3] };
    return true;
}

bool job_pattern_matches(const struct job_key *pattern, const char *role, const char *environment,
                         const char *name)
{
    return fnmatch(pattern->role, role, 0) == 0 &&
           fnmatch(pattern->environment, environment, 0) == 0 &&
           fnmatch(pattern->name, name, 0) == 0;
}
