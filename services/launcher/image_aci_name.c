#include "launcher/image_aci_name.h"

#include "base/text.h"
#include "launcher/image_config.h"
#include "launcher/image_limits.h"

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool image_aci_check_identifier(const char *text, const char *what, struct error *err)
{
    size_t len = strlen(text);
    bool may_separate = false;
    for (size_t i = 0; i < len; i++) {
        bool is_separator = strchr("-._~/", text[i]) && may_separate && i + 1 < len;
        if (!is_separator && !is_lower_or_digit(text[i]))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "%s: byte %zu is not part of lower-case letters and digits with one "
                             "of \"-._~/\" between them",
                             what, i + 1);
        may_separate = !is_separator;
    }
    if (len == 0 || len > IMAGE_MAX_ACI_NAME_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "%s is not of 1 to %d bytes", what,
                         IMAGE_MAX_ACI_NAME_BYTES);
    return true;
}

static bool check_label(const struct image_label *label, struct error *err)
{
    if (strcmp(label->name, "name") == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a label may not be called \"name\"");
    if (strlen(label->value) > IMAGE_MAX_LABEL_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "a label's value is over %d bytes",
                         IMAGE_MAX_LABEL_BYTES);
    return image_aci_check_identifier(label->name, "a label's name", err);
}

bool image_aci_check_labels(const struct image_label *labels, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_label(&labels[i], err))
            return false;
        if (image_label_find(labels, i, slice_of(labels[i].name)))
            return error_set(err, ERROR_INVALID_ARGUMENT, "the label \"%s\" is given twice",
                             labels[i].name);
    }
    return true;
}

static bool split_label(struct slice text, struct arena *arena, struct image_label *ret_label,
                        struct error *err)
{
    struct slice name = slice_split(&text, '=');
    if (!text.ptr)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a label is not written as \"name=value\"");
    ret_label->name = arena_memdup0(arena, name.ptr, name.len);
    ret_label->value = arena_memdup0(arena, text.ptr, text.len);
    return true;
}

static bool split_labels(struct slice version, struct slice rest, struct arena *arena,
                         struct image_aci_name *result, struct error *err)
{
    struct image_label *labels = arena_array(arena, IMAGE_MAX_LABELS, sizeof *labels);
    size_t count = 0;
    if (version.ptr)
        labels[count++] =
            (struct image_label){ "version", arena_memdup0(arena, version.ptr, version.len) };
    while (rest.ptr) {
        if (count == IMAGE_MAX_LABELS)
            return error_set(err, ERROR_OUT_OF_RANGE, "there are more than %d labels",
                             IMAGE_MAX_LABELS);
        if (!split_label(slice_split(&rest, ','), arena, &labels[count++], err))
            return false;
    }
    result->labels = labels;
    result->label_count = count;
    return image_aci_check_labels(labels, count, err);
}

bool image_aci_name_parse(struct slice text, struct arena *arena, struct image_aci_name *ret_name,
                          struct error *err)
{
    struct slice rest = text, version = slice_split(&rest, ','), name = slice_split(&version, ':');
    struct image_aci_name result = { .name =
                                         arena_memdup0(arena, name.len ? name.ptr : "", name.len) };
    if (!image_aci_check_identifier(result.name, "image name", err))
        return false;
    if (!split_labels(version, rest, arena, &result, err))
        return error_prefix(err, "image name");
    *ret_name = result;
    return true;
}

const char *image_label_find(const struct image_label *labels, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(name, labels[i].name))
            return labels[i].value;
    return NULL;
}

const char *image_aci_value(const struct image_aci_name *name, struct slice label)
{
    const struct image_label usual[] = {
        { "version", "latest" },
        { "os", "linux" },
        { "arch", image_appc_architecture },
    };
    const char *given = image_label_find(name->labels, name->label_count, label);
    return given ? given : image_label_find(usual, sizeof usual / sizeof usual[0], label);
}

static int compare_labels(const void *a, const void *b)
{
    const struct image_label *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* Values are shown in JSON's form, so that no value looks like another label. */
const char *image_aci_name_format(const struct image_aci_name *name, struct arena *arena)
{
    cleanup_text struct text out = TEXT_INIT;
    struct image_label *sorted = arena_array(arena, name->label_count, sizeof *sorted);
    text_add(&out, name->name);
    if (name->label_count > 0) {
        memcpy(sorted, name->labels, name->label_count * sizeof *sorted);
        qsort(sorted, name->label_count, sizeof *sorted, compare_labels);
    }
    for (size_t i = 0; i < name->label_count; i++) {
        text_printf(&out, ",%s=", sorted[i].name);
        text_add_json_string(&out, slice_of(sorted[i].value));
    }
    return arena_strdup(arena, text_string(&out));
}

struct image_aci_name image_aci_name_copy(const struct image_aci_name *name, struct arena *arena)
{
    struct image_label *labels = arena_array(arena, name->label_count, sizeof *labels);
    for (size_t i = 0; i < name->label_count; i++)
        labels[i] = (struct image_label){ arena_strdup(arena, name->labels[i].name),
                                          arena_strdup(arena, name->labels[i].value) };
    return (struct image_aci_name){ arena_strdup(arena, name->name), labels, name->label_count };
}
