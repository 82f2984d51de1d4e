#include "launcher/image_discovery.h"

#include "base/text.h"
#include "launcher/image_html.h"
#include "launcher/image_limits.h"

#define EXTENSION "aci"

/* -- simple discovery ----------------------------------------------------------------------------- */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

/* For a URL.  The name's own slashes stay; a label's would make another path. */
static void add_encoded(struct text *out, const char *value, const char *kept)
{
    for (const char *c = value; *c; c++)
        if (is_unreserved(*c) || strchr(kept, *c))
            text_add_char(out, *c);
        else
            text_printf(out, "%%%02X", (unsigned char)*c);
}

static void add_url_file(struct text *out, const struct image_aci_name *name)
{
    add_encoded(out, name->name, "/");
    static const char *const labels[] = { "version", "os", "arch" };
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        text_add_char(out, '-');
        add_encoded(out, image_aci_value(name, slice_of(labels[i])), "");
    }
    text_add(out, "." EXTENSION);
}

static bool check_path_label(const char *label, const char *value, struct error *err)
{
    if (strchr(value, '/'))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the label \"%s\" has a '/'", label);
    return true;
}

static bool find_path(const struct image_aci_name *name, const char *directory, struct arena *arena,
                      struct image_aci_place *ret_place, struct error *err)
{
    const char *version = image_aci_value(name, SLICE("version")),
               *os = image_aci_value(name, SLICE("os")),
               *arch = image_aci_value(name, SLICE("arch"));
    if (!check_path_label("version", version, err) || !check_path_label("os", os, err) ||
        !check_path_label("arch", arch, err))
        return false;
    const char *slash = directory[strlen(directory) - 1] == '/' ? "" : "/";
    *ret_place = (struct image_aci_place){ .path = arena_printf(arena, "%s%s%s-%s-%s-%s." EXTENSION,
                                                                directory, slash, name->name,
                                                                version, os, arch) };
    return true;
}

static bool is_web_url(struct slice url)
{
    return slice_starts_with(url, SLICE("http://")) || slice_starts_with(url, SLICE("https://"));
}

bool image_discovery_simple(const struct image_aci_name *name, const char *prefix,
                            struct arena *arena, struct image_aci_place *ret_place,
                            struct error *err)
{
    struct slice p = slice_of(prefix);
    if (is_web_url(p)) {
        cleanup_text struct text url = TEXT_INIT;
        text_add(&url, prefix);
        add_url_file(&url, name);
        *ret_place = (struct image_aci_place){ .url = arena_strdup(arena, text_string(&url)) };
        return true;
    }
    if (slice_starts_with(p, SLICE("file://")))
        prefix += sizeof "file://" - 1;
    if (*prefix != '/')
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "--appc-simple-discovery-uri-prefix is neither an absolute directory nor "
                         "a file:, http: or https: URL");
    return find_path(name, prefix, arena, ret_place, err);
}

/* -- meta discovery ------------------------------------------------------------------------------- */

bool image_discovery_parent(struct slice *at)
{
    size_t len = at->len;
    while (len > 0 && at->ptr[len - 1] != '/')
        len--;
    if (len < 2)
        return false;
    at->len = len - 1;
    return true;
}

/* A template with every "{…}" replaced; false when one is unknown or there is no "{ext}", without which
 * the image and its signature would be the same. */
static bool render(struct slice template, const struct image_aci_name *name, struct text *out,
                   unsigned *ret_labels)
{
    bool has_extension = false;
    while (template.ptr) {
        text_add_slice(out, slice_split(&template, '{'));
        if (!template.ptr)
            break;
        struct slice variable = slice_split(&template, '}');
        const char *value = slice_is(variable, "ext")    ? EXTENSION
                            : slice_is(variable, "name") ? name->name
                                                         : image_aci_value(name, variable);
        if (!template.ptr || !value)
            return false;
        add_encoded(out, value, slice_is(variable, "name") ? "/" : "");
        has_extension |= slice_is(variable, "ext");
        ++*ret_labels;
    }
    return has_extension;
}

struct endpoint_list {
    const char *urls[IMAGE_MAX_DISCOVERY_TAGS];
    size_t count;
    unsigned labels; /* that each of them uses */
};

static void add_endpoint(struct endpoint_list *list, const char *url, unsigned labels)
{
    if (list->count > 0 && labels < list->labels)
        return;
    if (labels > list->labels)
        list->count = 0;
    list->labels = labels;
    list->urls[list->count++] = url;
}

/* "PREFIX TEMPLATE", with any white space between. */
static void read_tag(struct slice content, const struct image_aci_name *name, struct arena *arena,
                     struct endpoint_list *list)
{
    cleanup_text struct text url = TEXT_INIT;
    unsigned labels = 0;
    struct slice rest = slice_trim(content);
    size_t len = 0;
    while (len < rest.len && !strchr(" \t\r\n", rest.ptr[len]))
        len++;
    struct slice prefix = { rest.ptr, len },
                 template = slice_trim((struct slice){ rest.ptr + len, rest.len - len });
    if (prefix.len == 0 || !slice_starts_with(slice_of(name->name), prefix) ||
        !render(template, name, &url, &labels) || !is_web_url(text_slice(&url)))
        return;
    add_endpoint(list, arena_strdup(arena, text_string(&url)), labels);
}

static void put_https_first(const struct endpoint_list *list, const char **urls)
{
    size_t at = 0;
    for (int is_plain = 0; is_plain < 2; is_plain++)
        for (size_t i = 0; i < list->count; i++)
            if (slice_starts_with(slice_of(list->urls[i]), SLICE("http:")) == is_plain)
                urls[at++] = list->urls[i];
}

void image_discovery_read(struct slice html, const struct image_aci_name *name, struct arena *arena,
                          struct image_discovery *ret_discovery)
{
    struct endpoint_list list = { .count = 0 };
    struct image_html_meta meta;
    size_t tags = 0;
    struct slice rest = html;
    while (tags < IMAGE_MAX_DISCOVERY_TAGS && image_html_next_meta(&rest, arena, &meta))
        if (slice_is(slice_of(meta.name), "ac-discovery")) {
            tags++;
            read_tag(slice_of(meta.content), name, arena, &list);
        }
    const char **urls = arena_array(arena, list.count, sizeof *urls);
    put_https_first(&list, urls);
    *ret_discovery = (struct image_discovery){ tags > 0, urls, list.count };
}
