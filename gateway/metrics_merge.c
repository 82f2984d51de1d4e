#include "gateway/metrics_merge.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"

struct family {
    struct text help, type; /* whole lines; of the first process that has them */
    struct text samples;
};

struct metrics_merge {
    struct map *families; /* by name, in the order of their first coming */
};

struct metrics_merge *metrics_merge_new(void)
{
    struct metrics_merge *merge = xcalloc(1, sizeof *merge);
    merge->families = map_new();
    return merge;
}

void metrics_merge_free(struct metrics_merge *merge)
{
    if (!merge)
        return;
    size_t cursor = 0;
    struct slice name;
    void *value;
    while (map_next(merge->families, &cursor, &name, &value)) {
        struct family *family = value;
        text_done(&family->help);
        text_done(&family->type);
        text_done(&family->samples);
        free(family);
    }
    map_free(merge->families);
    free(merge);
}

static struct family *family_of(struct metrics_merge *merge, struct slice name)
{
    struct family *family = map_get(merge->families, name);
    if (!family) {
        family = xcalloc(1, sizeof *family);
        map_put(merge->families, name, family);
    }
    return family;
}

static size_t name_len(struct slice line)
{
    size_t len = 0;
    while (len < line.len &&
           ((line.ptr[len] >= 'a' && line.ptr[len] <= 'z') ||
            (line.ptr[len] >= 'A' && line.ptr[len] <= 'Z') || line.ptr[len] == '_' ||
            line.ptr[len] == ':' || (len > 0 && line.ptr[len] >= '0' && line.ptr[len] <= '9')))
        len++;
    return len;
}

/* "# HELP name …" and "# TYPE name …"; gives the name, which the samples behind it belong to. */
static void add_comment(struct metrics_merge *merge, struct slice line, struct slice *family_name)
{
    struct slice rest = line;
    slice_split(&rest, ' ');
    struct slice kind = rest.ptr ? slice_split(&rest, ' ') : rest;
    if (!rest.ptr || (!slice_is(kind, "HELP") && !slice_is(kind, "TYPE")))
        return;
    *family_name = slice_split(&rest, ' ');
    if (family_name->len == 0 || name_len(*family_name) != family_name->len)
        return;
    struct family *family = family_of(merge, *family_name);
    struct text *target = slice_is(kind, "HELP") ? &family->help : &family->type;
    if (target->len > 0)
        return;
    text_add_slice(target, line);
    text_add_char(target, '\n');
}

/* A histogram's samples have the family's name with one of these behind it. */
static bool is_sample_of(struct slice name, struct slice family)
{
    if (family.len == 0 || !slice_starts_with(name, family))
        return false;
    struct slice suffix = { name.ptr + family.len, name.len - family.len };
    return suffix.len == 0 || slice_is(suffix, "_bucket") || slice_is(suffix, "_sum") ||
           slice_is(suffix, "_count");
}

/* "name value" or "name{labels} value": the new label comes first. */
static void add_sample(struct metrics_merge *merge, const char *service, struct slice line,
                       struct slice family_name)
{
    size_t len = name_len(line);
    if (len == 0 || len == line.len || (line.ptr[len] != '{' && line.ptr[len] != ' '))
        return;
    struct slice name = { line.ptr, len }, rest = { line.ptr + len, line.len - len };
    struct family *family = family_of(merge, is_sample_of(name, family_name) ? family_name : name);

    text_add_slice(&family->samples, name);
    text_printf(&family->samples, "{service=\"%s\"", service);
    if (rest.ptr[0] == '{') {
        bool has_labels = rest.len > 1 && rest.ptr[1] != '}';
        text_add(&family->samples, has_labels ? "," : "");
        rest.ptr++;
        rest.len--;
    } else {
        text_add_char(&family->samples, '}');
    }
    text_add_slice(&family->samples, rest);
    text_add_char(&family->samples, '\n');
}

void metrics_merge_add(struct metrics_merge *merge, const char *service, struct slice text)
{
    struct slice family_name = { 0 };
    while (text.ptr) {
        struct slice line = slice_trim(slice_split(&text, '\n'));
        if (line.len == 0)
            continue;
        if (line.ptr[0] == '#')
            add_comment(merge, line, &family_name);
        else
            add_sample(merge, service, line, family_name);
    }
}

void metrics_merge_format(const struct metrics_merge *merge, struct text *out)
{
    size_t cursor = 0;
    struct slice name;
    void *value;
    while (map_next(merge->families, &cursor, &name, &value)) {
        const struct family *family = value;
        if (family->samples.len == 0)
            continue;
        text_add_slice(out, text_slice(&family->help));
        text_add_slice(out, text_slice(&family->type));
        text_add_slice(out, text_slice(&family->samples));
    }
}
