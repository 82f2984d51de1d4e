#include "launcher/image_html.h"

#include "base/text.h"

static const char spaces[] = " \t\r\n\f";

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_space(char c)
{
    return c && strchr(spaces, c);
}

static void skip(struct slice *s, size_t count)
{
    s->ptr += count;
    s->len -= count;
}

static bool begins_with(struct slice s, const char *lower)
{
    size_t i = 0;
    for (; lower[i]; i++)
        if (i == s.len || to_lower(s.ptr[i]) != lower[i])
            return false;
    return true;
}

/* Everything when it is not there. */
static void skip_behind(struct slice *s, const char *lower)
{
    while (s->len > 0 && !begins_with(*s, lower))
        skip(s, 1);
    skip(s, s->len > 0 ? strlen(lower) : 0);
}

static void skip_spaces(struct slice *s)
{
    while (s->len > 0 && is_space(*s->ptr))
        skip(s, 1);
}

/* Up to a space or one of `stops`. */
static struct slice take_word(struct slice *s, const char *stops)
{
    struct slice word = { s->ptr, 0 };
    while (s->len > 0 && !is_space(*s->ptr) && (!*s->ptr || !strchr(stops, *s->ptr))) {
        skip(s, 1);
        word.len++;
    }
    return word;
}

static struct slice take_value(struct slice *s)
{
    if (s->len == 0 || (*s->ptr != '"' && *s->ptr != '\''))
        return take_word(s, ">");
    char quote = *s->ptr;
    skip(s, 1);
    struct slice value = { s->ptr, 0 };
    while (value.len < s->len && value.ptr[value.len] != quote)
        value.len++;
    skip(s, value.len < s->len ? value.len + 1 : s->len);
    return value;
}

static const struct {
    const char *name;
    char value;
} references[] = {
    { "amp;", '&' },  { "lt;", '<' },   { "gt;", '>' },    { "quot;", '"' }, { "apos;", '\'' },
    { "#38;", '&' },  { "#60;", '<' },  { "#62;", '>' },   { "#34;", '"' },  { "#39;", '\'' },
    { "#x26;", '&' }, { "#x2f;", '/' }, { "#x27;", '\'' }, { "#47;", '/' },
};

/* What nobody would write into a URL stays as it is. */
static char take_reference(struct slice *rest)
{
    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++)
        if (begins_with(*rest, references[i].name)) {
            skip(rest, strlen(references[i].name));
            return references[i].value;
        }
    return '&';
}

static const char *decode(struct slice value, struct arena *arena)
{
    char *out = arena_alloc(arena, value.len + 1);
    size_t len = 0;
    while (value.len > 0) {
        char c = *value.ptr;
        skip(&value, 1);
        if (c)
            out[len++] = c == '&' ? take_reference(&value) : c;
    }
    return out;
}

static bool is_named(struct slice name, const char *lower)
{
    return name.len == strlen(lower) && begins_with(name, lower);
}

/* The first attribute of a name counts. */
static void read_attribute(struct slice *rest, struct arena *arena, struct image_html_meta *meta)
{
    struct slice name = take_word(rest, "=>/"), value = SLICE("");
    skip_spaces(rest);
    if (rest->len > 0 && *rest->ptr == '=') {
        skip(rest, 1);
        skip_spaces(rest);
        value = take_value(rest);
    }
    if (is_named(name, "name") && !meta->name)
        meta->name = decode(value, arena);
    if (is_named(name, "content") && !meta->content)
        meta->content = decode(value, arena);
}

/* Behind "<meta"; leaves `*rest` behind the tag's ">". */
static void read_attributes(struct slice *rest, struct arena *arena,
                            struct image_html_meta *ret_meta)
{
    struct image_html_meta meta = { 0 };
    for (;;) {
        skip_spaces(rest);
        if (rest->len == 0 || *rest->ptr == '>')
            break;
        if (*rest->ptr == '/' || *rest->ptr == '=')
            skip(rest, 1);
        else
            read_attribute(rest, arena, &meta);
    }
    skip(rest, rest->len > 0 ? 1 : 0);
    *ret_meta =
        (struct image_html_meta){ meta.name ? meta.name : "", meta.content ? meta.content : "" };
}

/* Elements whose content is no markup. */
static const struct {
    const char *name, *end;
} raw_elements[] = {
    { "script", "</script" },
    { "style", "</style" },
    { "title", "</title" },
    { "noscript", "</noscript" },
};

static void skip_raw(struct slice tag, struct slice *rest)
{
    for (size_t i = 0; i < sizeof raw_elements / sizeof raw_elements[0]; i++)
        if (is_named(tag, raw_elements[i].name))
            skip_behind(rest, raw_elements[i].end);
}

bool image_html_next_meta(struct slice *rest, struct arena *arena, struct image_html_meta *ret_meta)
{
    for (;;) {
        skip_behind(rest, "<");
        if (rest->len == 0 || begins_with(*rest, "/head"))
            return false;
        if (begins_with(*rest, "!--")) {
            skip_behind(rest, "-->");
            continue;
        }
        struct slice tag = take_word(rest, ">/");
        if (is_named(tag, "body"))
            return false;
        read_attributes(rest, arena, ret_meta);
        if (is_named(tag, "meta"))
            return true;
        skip_raw(tag, rest);
    }
}
