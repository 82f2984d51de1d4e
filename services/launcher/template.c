#include "launcher/template.h"

#include "base/cleanup.h"
#include "base/text.h"

/* One text between braces: `{{name}}`, or `{{&name}}` or `{{&name&}}` when it is escaped. */
struct braces {
    size_t start, end; /* of the whole, braces included */
    struct slice name;
    bool is_escaped;
};

struct filling {
    template_lookup_fn *lookup;
    void *user;
    struct text missing;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_index_char(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '/';
}

/* The length of an identifier at the start of `s`, or of an index with its brackets; 0 for neither. */
static size_t part_length(struct slice s)
{
    size_t len = 0;
    if (s.len == 0)
        return 0;
    if (s.ptr[0] != '[') {
        while (len < s.len && (is_letter(s.ptr[len]) || (len > 0 && is_digit(s.ptr[len]))))
            len++;
        return len;
    }
    for (len = 1; len < s.len && is_index_char(s.ptr[len]);)
        len++;
    return len > 1 && len < s.len && s.ptr[len] == ']' ? len + 1 : 0;
}

static bool is_reference(struct slice s)
{
    bool is_first = true;
    while (s.len > 0) {
        bool has_dot = s.ptr[0] == '.';
        struct slice part = { s.ptr + has_dot, s.len - has_dot };
        size_t len = part_length(part);
        if (len == 0 || (has_dot && part.ptr[0] == '[') ||
            (!has_dot && !is_first && part.ptr[0] != '['))
            return false;
        s = (struct slice){ part.ptr + len, part.len - len };
        is_first = false;
    }
    return !is_first;
}

/* The next text between double braces that holds no braces itself. */
static bool find_braces(struct slice text, size_t from, struct braces *ret_braces)
{
    for (size_t i = from; i + 4 < text.len; i++) {
        if (text.ptr[i] != '{' || text.ptr[i + 1] != '{')
            continue;
        size_t start = i + 2, end = start;
        while (end < text.len && text.ptr[end] != '{' && text.ptr[end] != '}')
            end++;
        if (end == start || end + 1 >= text.len || text.ptr[end] != '}' || text.ptr[end + 1] != '}')
            continue;
        struct slice name = { text.ptr + start, end - start };
        bool is_escaped = name.ptr[0] == '&' && name.len > 1;
        if (is_escaped)
            name = (struct slice){ name.ptr + 1, name.len - 1 };
        if (is_escaped && name.len > 1 && name.ptr[name.len - 1] == '&')
            name.len--;
        *ret_braces = (struct braces){ i, end + 2, name, is_escaped };
        return true;
    }
    return false;
}

static struct slice plain_form(struct slice name)
{
    return name.ptr[0] == '.' ? (struct slice){ name.ptr + 1, name.len - 1 } : name;
}

static bool check_size(const struct text *out, struct error *err)
{
    if (out->len <= TEMPLATE_MAX_BYTES)
        return true;
    return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the filled-in text is longer than %u bytes",
                     TEMPLATE_MAX_BYTES);
}

/* One pass: replaces what has a value, notes what has none. */
static bool fill_once(struct filling *filling, struct slice text, struct text *out,
                      bool *ret_has_changed, struct error *err)
{
    struct braces braces;
    size_t at = 0;

    text_clear(&filling->missing);
    while (find_braces(text, at, &braces)) {
        text_add_bytes(out, text.ptr + at, braces.start - at);
        at = braces.end;
        if (!is_reference(braces.name))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "a text between double braces is not a template reference");
        const char *value =
            braces.is_escaped ? NULL : filling->lookup(filling->user, plain_form(braces.name));
        if (value) {
            text_add(out, value);
            *ret_has_changed = true;
        } else {
            text_add_bytes(out, text.ptr + braces.start, braces.end - braces.start);
        }
        if (!value && !braces.is_escaped) {
            text_add(&filling->missing, filling->missing.len > 0 ? " " : "");
            text_add_slice(&filling->missing, braces.name);
        }
        if (!check_size(out, err))
            return false;
    }
    text_add_bytes(out, text.ptr + at, text.len - at);
    return check_size(out, err);
}

static const char *unescape(struct slice text, struct arena *arena)
{
    cleanup_text struct text out = TEXT_INIT;
    struct braces braces;
    size_t at = 0;
    while (find_braces(text, at, &braces)) {
        text_add_bytes(&out, text.ptr + at, braces.start - at);
        text_add(&out, "{{");
        text_add_slice(&out, braces.name);
        text_add(&out, "}}");
        at = braces.end;
    }
    text_add_bytes(&out, text.ptr + at, text.len - at);
    return arena_memdup0(arena, text_string(&out), out.len);
}

static bool fill(struct filling *filling, struct slice text, struct arena *arena,
                 const char **ret_text, struct error *err)
{
    cleanup_text struct text now = TEXT_INIT, next = TEXT_INIT;
    text_add_slice(&now, text);
    for (int pass = 0; pass < TEMPLATE_MAX_PASSES; pass++) {
        bool has_changed = false;
        text_clear(&next);
        if (!fill_once(filling, text_slice(&now), &next, &has_changed, err))
            return false;
        if (!has_changed && filling->missing.len > 0)
            return error_set(err, ERROR_INVALID_ARGUMENT, "Failed to interpolate task, missing: %s",
                             text_string(&filling->missing));
        if (!has_changed) {
            *ret_text = unescape(text_slice(&now), arena);
            return true;
        }
        struct text swap = now;
        now = next;
        next = swap;
    }
    return error_set(err, ERROR_INVALID_ARGUMENT, "template references refer to each other");
}

bool template_fill(struct slice text, template_lookup_fn *lookup, void *user, struct arena *arena,
                   const char **ret_text, struct error *err)
{
    struct filling filling = { .lookup = lookup, .user = user };
    bool ok = fill(&filling, text, arena, ret_text, err);
    text_done(&filling.missing);
    return ok;
}
