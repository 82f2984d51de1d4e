#include "binder/template.h"

static const char opening[] = "{{";
static const char address[] = "docker.image[";
static const char middle[] = "][";
static const char closing[] = "]}}";

/* What an index may consist of, by the template language. */
static bool is_index_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-./", c));
}

static bool take(struct slice *rest, const char *expected)
{
    size_t len = strlen(expected);
    if (!slice_starts_with(*rest, (struct slice){ expected, len }))
        return false;
    rest->ptr += len;
    rest->len -= len;
    return true;
}

static bool take_index(struct slice *rest, struct slice *ret_index)
{
    struct slice index = { rest->ptr, 0 };
    while (index.len < rest->len && is_index_byte(rest->ptr[index.len]))
        index.len++;
    rest->ptr += index.len;
    rest->len -= index.len;
    *ret_index = index;
    return index.len > 0;
}

/* A leading dot means nothing. */
static bool read_template(struct slice rest, struct image_template *template)
{
    template->whole.ptr = rest.ptr;
    if (!take(&rest, opening))
        return false;
    (void)take(&rest, ".");
    if (!take(&rest, address) || !take_index(&rest, &template->name) || !take(&rest, middle) ||
        !take_index(&rest, &template->tag) || !take(&rest, closing))
        return false;
    template->whole.len = (size_t)(rest.ptr - template->whole.ptr);
    return true;
}

bool template_next(struct slice text, size_t *at, struct image_template *ret_template)
{
    while (*at < text.len) {
        struct slice rest = { text.ptr + *at, text.len - *at };
        struct image_template template;
        const char *brace = memmem(rest.ptr, rest.len, opening, sizeof opening - 1);
        if (!brace)
            return false;
        *at = (size_t)(brace - text.ptr);
        if (read_template((struct slice){ brace, text.len - *at }, &template)) {
            *at += template.whole.len;
            *ret_template = template;
            return true;
        }
        (*at)++;
    }
    return false;
}

bool template_is(struct slice text, struct image_template *ret_template)
{
    size_t at = 0;
    struct image_template template;
    if (!template_next(text, &at, &template) || template.whole.len != text.len)
        return false;
    *ret_template = template;
    return true;
}
