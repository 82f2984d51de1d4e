#include "launcher/image_path.h"

#include <assert.h>

static const struct slice marker_prefix = { ".wh.", 4 };
static const struct slice reserved_prefix = { ".wh..wh.", 8 };

static bool check_component(struct slice part, struct error *err)
{
    if (part.len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the name has an empty component");
    if (slice_is(part, ".") || slice_is(part, ".."))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the name has a component \"%.*s\"",
                         SLICE_ARG(part));
    if (part.len > IMAGE_MAX_COMPONENT_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "a component of the name is over %d bytes",
                         IMAGE_MAX_COMPONENT_BYTES);
    return true;
}

static bool check_components(struct slice rest, struct error *err)
{
    for (int depth = 1; rest.ptr; depth++) {
        if (depth > IMAGE_MAX_PATH_DEPTH)
            return error_set(err, ERROR_OUT_OF_RANGE, "the name is over %d directories deep",
                             IMAGE_MAX_PATH_DEPTH);
        if (!check_component(slice_split(&rest, '/'), err))
            return false;
    }
    return true;
}

/* Archives of a directory are often written as "./", "./a", "./a/"; umoci calls their root "/". */
static struct slice without_decoration(struct slice raw)
{
    if (slice_starts_with(raw, SLICE("./")))
        raw = (struct slice){ raw.ptr + 2, raw.len - 2 };
    if (raw.len > 1 && raw.ptr[raw.len - 1] == '/')
        raw.len--;
    return slice_is(raw, ".") || slice_is(raw, "/") ? SLICE("") : raw;
}

static size_t find_name(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] != '/')
        len--;
    return len;
}

bool image_path_parse(struct slice raw, struct image_path *ret_path, struct error *err)
{
    if (raw.len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the name is empty");
    if (raw.ptr[0] == '/' && raw.len > 1)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the name is absolute");
    if (memchr(raw.ptr, 0, raw.len))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the name has a NUL");
    struct slice path = without_decoration(raw);
    if (path.len > IMAGE_MAX_PATH_BYTES)
        return error_set(err, ERROR_OUT_OF_RANGE, "the name is over %d bytes",
                         IMAGE_MAX_PATH_BYTES);
    if (path.len > 0 && !check_components(path, err))
        return false;

    memcpy(ret_path->text, path.ptr, path.len);
    ret_path->text[path.len] = 0;
    ret_path->len = path.len;
    ret_path->name = find_name(ret_path->text, path.len);
    return true;
}

struct slice image_path_parent(const struct image_path *path)
{
    return (struct slice){ path->text, path->name > 0 ? path->name - 1 : 0 };
}

static void set_len(struct image_path *path, size_t len)
{
    path->text[len] = 0;
    path->len = len;
    path->name = find_name(path->text, len);
}

static bool has_reserved_component(const struct image_path *path)
{
    for (struct slice rest = { path->text, path->len }; rest.ptr;)
        if (slice_starts_with(slice_split(&rest, '/'), reserved_prefix))
            return true;
    return false;
}

/* The names that would hide "", "." and "..". */
static bool check_hidden_name(struct slice hidden, struct error *err)
{
    if (hidden.len == 0 || slice_is(hidden, ".") || slice_is(hidden, ".."))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the whiteout hides no possible name");
    return true;
}

bool image_path_take_marker(struct image_path *path, bool is_regular, enum image_marker *ret_marker,
                            struct error *err)
{
    struct slice name = { path->text + path->name, path->len - path->name };
    struct image_path parent = *path;
    set_len(&parent, image_path_parent(path).len);

    if (is_regular && slice_is(name, ".wh..wh..opq") && !has_reserved_component(&parent)) {
        *path = parent;
        *ret_marker = IMAGE_MARKER_OPAQUE;
        return true;
    }
    *ret_marker = has_reserved_component(path) ? IMAGE_MARKER_IGNORED : IMAGE_MARKER_NONE;
    if (*ret_marker == IMAGE_MARKER_IGNORED || !is_regular ||
        !slice_starts_with(name, marker_prefix))
        return true;

    struct slice hidden = { name.ptr + marker_prefix.len, name.len - marker_prefix.len };
    if (!check_hidden_name(hidden, err))
        return false;
    memmove(path->text + path->name, hidden.ptr, hidden.len);
    path->len = path->name + hidden.len;
    path->text[path->len] = 0;
    *ret_marker = IMAGE_MARKER_WHITEOUT;
    return true;
}

bool image_path_strip(struct image_path *path, const char *prefix)
{
    struct slice rest = { path->text, path->len };
    if (!slice_is(slice_split(&rest, '/'), prefix))
        return false;
    size_t len = rest.ptr ? rest.len : 0;
    if (len > 0)
        memmove(path->text, rest.ptr, len);
    set_len(path, len);
    return true;
}

const char *image_show(const char *name, char shown[IMAGE_SHOWN_BYTES])
{
    static const char cut[] = "...";
    size_t len = strlen(name), at = 0;
    if (len > IMAGE_SHOWN_BYTES - 1) {
        memcpy(shown, cut, at = sizeof cut - 1);
        name += len - (IMAGE_SHOWN_BYTES - 1 - at);
    }
    for (; *name; name++)
        shown[at++] = *name >= ' ' && *name <= '~' && *name != '"' ? *name : '?';
    assert(at < IMAGE_SHOWN_BYTES);
    shown[at] = 0;
    return shown;
}
