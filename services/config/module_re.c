#define PCRE2_CODE_UNIT_WIDTH 8

#include "config/class.h"
#include "config/integer.h"
#include "config/modules.h"
#include "config/regex_error.h"

#include <ctype.h>
#include <pcre2.h>

/* re, on PCRE2.  What PCRE2 allocates comes from the arena; a match that takes too many steps ends
 * with a message instead of running on. */

#define MAX_PATTERN_BYTES 20000
#define MAX_GROUPS        100
#define FIRST_MATCH_LIMIT 2000

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

struct pattern {
    struct string *source;
    pcre2_code *code;
    pcre2_match_context *context;
    pcre2_general_context *general;
    uint32_t group_count;
    int64_t flags; /* as Python counts them */
};

struct match {
    const struct pattern *pattern;
    struct string *text;
    PCRE2_SIZE *offsets; /* start and end of each group; PCRE2_UNSET */
};

static const struct class class_Pattern, class_Match;

static void *allocate(PCRE2_SIZE size, void *arena)
{
    return arena_alloc(arena, size);
}

static void keep(void *p, void *arena)
{
    (void)p;
    (void)arena;
}

static struct value wrap(struct vm *vm, const struct class *class, const void *p)
{
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    instance->class = class;
    instance->payload = (struct value){ .kind = K_NODE, .p = p };
    instance->cause = V_NONE;
    return (struct value){ .kind = K_INSTANCE, .instance = instance };
}

/* Python's flags have other numbers than PCRE2's. */
static const struct {
    const char *names[2];
    int64_t python;
    uint32_t pcre;
} FLAGS[] = {
    { { "IGNORECASE", "I" }, 2, PCRE2_CASELESS },
    { { "MULTILINE", "M" }, 8, PCRE2_MULTILINE },
    { { "DOTALL", "S" }, 16, PCRE2_DOTALL },
    { { "VERBOSE", "X" }, 64, PCRE2_EXTENDED },
    { { "UNICODE", "U" }, 32, 0 },
    { { "ASCII", "A" }, 256, 0 },
    { { "NOFLAG", "LOCALE" }, 0, 0 },
};

static uint32_t pcre_flags(int64_t flags)
{
    uint32_t result = PCRE2_UTF;
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        if (flags & FLAGS[i].python)
            result |= FLAGS[i].pcre;
    return flags & 256 ? result : result | PCRE2_UCP;
}

/* \Z is the very end in Python, (?P=name) and (?P<name>) PCRE2 knows. */
static struct string *translate(struct arena *arena, const struct string *source)
{
    char *out = arena_alloc(arena, source->len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; i < source->len; i++) {
        out[len++] = source->data[i];
        if (source->data[i] != '\\' || i + 1 == source->len)
            continue;
        i++;
        out[len++] = source->data[i] == 'Z' ? 'z' : source->data[i];
    }
    return string_new(arena, out, len);
}

static bool compile_pattern(struct vm *vm, struct string *source, int64_t flags,
                            const struct pattern **ret)
{
    int code;
    PCRE2_SIZE at;
    if (source->len > MAX_PATTERN_BYTES)
        return raise_limit(vm, "a regular expression is longer than %d bytes", MAX_PATTERN_BYTES);
    struct pattern *pattern = arena_alloc(vm->arena, sizeof *pattern);
    pattern->source = source;
    pattern->flags = flags & 256 ? flags : flags | 32;
    pattern->general = pcre2_general_context_create(allocate, keep, vm->arena);
    pcre2_compile_context *compiling = pcre2_compile_context_create(pattern->general);
    struct string *translated = translate(vm->arena, source);
    pattern->code =
        pcre2_compile((PCRE2_SPTR)translated->data, translated->len,
                      pcre_flags(flags) | PCRE2_NEVER_BACKSLASH_C, &code, &at, compiling);
    if (!pattern->code)
        return regex_refused(vm, translated, code, at);
    pattern->context = pcre2_match_context_create(pattern->general);
    pcre2_set_heap_limit(pattern->context, 20000);
    pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &pattern->group_count);
    if (pattern->group_count > MAX_GROUPS)
        return raise_error(vm, &class_ValueError, "a regular expression has more than %d groups",
                           MAX_GROUPS);
    *ret = pattern;
    return true;
}

static bool pattern_of(struct vm *vm, struct value v, struct value flags,
                       const struct pattern **ret)
{
    int64_t bits = 0;
    if (v.kind == K_INSTANCE && v.instance->class == &class_Pattern) {
        *ret = v.instance->payload.p;
        return true;
    }
    if (v.kind != K_STR)
        return raise_error(vm, &class_TypeError,
                           "first argument must be string or compiled pattern");
    if (flags.kind > K_NONE && !value_to_i64(vm, flags, &bits))
        return false;
    return compile_pattern(vm, v.s, bits, ret);
}

/* The library does not say what a match took, only that it took more than it was allowed: so it is allowed
 * little at first, and what it was allowed counts as steps when it was not enough. */
static bool match_in_steps(struct vm *vm, const struct pattern *pattern, struct string *text,
                           size_t from, uint32_t options, pcre2_match_data *data, int *ret)
{
    for (uint32_t most = FIRST_MATCH_LIMIT;; most *= 8) {
        most = most < LIMIT_REGEX_MATCHES ? most : LIMIT_REGEX_MATCHES;
        pcre2_set_match_limit(pattern->context, most);
        *ret = pcre2_match(pattern->code, (PCRE2_SPTR)text->data, text->len, from,
                           options | PCRE2_NO_UTF_CHECK, data, pattern->context);
        vm->steps += *ret == PCRE2_ERROR_MATCHLIMIT ? 3 * most : 50;
        size_t seen = *ret >= 0 ? pcre2_get_ovector_pointer(data)[1] : text->len;
        if (!vm_work(vm, seen > from ? seen - from : 0))
            return false;
        if (*ret != PCRE2_ERROR_MATCHLIMIT || most == LIMIT_REGEX_MATCHES)
            return true;
    }
}

/* `*ret` is NULL when there is no match. */
static bool run_match(struct vm *vm, const struct pattern *pattern, struct string *text,
                      size_t from, uint32_t options, const struct match **ret)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern->code, pattern->general);
    int result;
    *ret = NULL;
    if (!match_in_steps(vm, pattern, text, from, options, data, &result))
        return false;
    if (result == PCRE2_ERROR_NOMATCH)
        return true;
    if (result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_HEAPLIMIT ||
        result == PCRE2_ERROR_DEPTHLIMIT)
        return raise_limit(vm, "a regular expression takes more than %d steps to match",
                           LIMIT_REGEX_MATCHES);
    if (result < 0)
        return raise_error(vm, &class_RuntimeError, "the regular expression cannot be matched (%d)",
                           result);
    struct match *match = arena_alloc(vm->arena, sizeof *match);
    size_t count = (pattern->group_count + 1) * 2;
    *match = (struct match){ .pattern = pattern,
                             .text = text,
                             .offsets = arena_array(vm->arena, count, sizeof *match->offsets) };
    memcpy(match->offsets, pcre2_get_ovector_pointer(data), count * sizeof *match->offsets);
    *ret = match;
    return true;
}

static bool text_argument(struct vm *vm, struct value v, struct string **ret)
{
    if (v.kind != K_STR)
        return raise_error(vm, &class_TypeError, "expected string or bytes-like object, got '%s'",
                           value_type_name(v));
    *ret = v.s;
    return true;
}

static bool match_once(struct vm *vm, const struct pattern *pattern, struct value text,
                       struct value from, uint32_t options, struct value *ret)
{
    struct string *s;
    const struct match *match;
    int64_t start = 0;
    if (!text_argument(vm, text, &s) || (!value_is_unset(from) && !value_to_i64(vm, from, &start)))
        return false;
    start = start < 0 ? 0 : start > s->chars ? s->chars : start;
    if (!run_match(vm, pattern, s, string_offset(s, (size_t)start), options, &match))
        return false;
    *ret = match ? wrap(vm, &class_Match, match) : V_NONE;
    return true;
}

/* Calls `each` for every match; stops when it returns false. */
static bool all_matches(struct vm *vm, const struct pattern *pattern, struct string *text,
                        int64_t most, bool (*each)(struct vm *, const struct match *, void *),
                        void *context)
{
    uint32_t options = 0;
    for (size_t at = 0; at <= text->len && most != 0; most -= most > 0) {
        const struct match *match;
        if (!run_match(vm, pattern, text, at, options, &match))
            return false;
        if (!match)
            return true;
        if (!each(vm, match, context))
            return false;
        at = match->offsets[1];
        options = match->offsets[0] == at ? PCRE2_NOTEMPTY_ATSTART : 0;
    }
    return true;
}

/* --- groups --- */

static struct value group_text(struct vm *vm, const struct match *match, size_t group,
                               struct value fallback)
{
    size_t start = match->offsets[group * 2], end = match->offsets[group * 2 + 1];
    if (start == PCRE2_UNSET || end < start)
        return fallback;
    return V_STR(string_new(vm->arena, match->text->data + start, end - start));
}

static bool find_group(const struct match *match, struct value v, size_t *ret)
{
    int64_t index = -1;
    if (v.kind == K_STR)
        index = pcre2_substring_number_from_name(match->pattern->code, (PCRE2_SPTR)v.s->data);
    else if (!integer_to_i64(v, &index))
        return false;
    *ret = (size_t)index;
    return index >= 0 && index <= (int64_t)match->pattern->group_count;
}

static bool group_index(struct vm *vm, const struct match *match, struct value v, size_t *ret)
{
    v = value_contents(v);
    return ((v.kind == K_STR || value_is_integer(v)) && find_group(match, v, ret)) ||
           raise_error(vm, &class_IndexError, "no such group");
}

static const struct match *match_of(struct value self)
{
    return self.instance->payload.p;
}

FUNCTION(match_group)
{
    const struct match *match = match_of(self);
    struct value list = list_new(vm->arena, K_TUPLE, args->count);
    size_t index;
    if (args->count == 0) {
        *ret = group_text(vm, match, 0, V_NONE);
        return true;
    }
    for (size_t i = 0; i < args->count; i++) {
        if (!group_index(vm, match, args->items[i], &index))
            return false;
        list_push(vm->arena, list.list, group_text(vm, match, index, V_NONE));
    }
    *ret = args->count == 1 ? list.list->items[0] : list;
    return true;
}

FUNCTION(match_groups)
{
    const struct match *match = match_of(self);
    *ret = list_new(vm->arena, K_TUPLE, match->pattern->group_count);
    for (size_t i = 1; i <= match->pattern->group_count; i++)
        list_push(vm->arena, ret->list,
                  group_text(vm, match, i,
                             value_is_unset(args->items[0]) ? V_NONE : args->items[0]));
    return true;
}

FUNCTION(match_groupdict)
{
    (void)args;
    const struct match *match = match_of(self);
    uint32_t count, size;
    PCRE2_SPTR table;
    *ret = dict_value(vm->arena, K_DICT);
    pcre2_pattern_info(match->pattern->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(match->pattern->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(match->pattern->code, PCRE2_INFO_NAMETABLE, &table);
    for (size_t group = 1; group <= match->pattern->group_count; group++)
        for (uint32_t i = 0; i < count; i++) {
            PCRE2_SPTR entry = table + i * size;
            if ((size_t)(entry[0] << 8 | entry[1]) == group)
                dict_set_text(vm->arena, ret->dict, string_from(vm->arena, (const char *)entry + 2),
                              group_text(vm, match, group, V_NONE));
        }
    return true;
}

static bool match_offset(struct vm *vm, struct value self, const struct args *args, size_t which,
                         int64_t *ret)
{
    const struct match *match = match_of(self);
    size_t index = 0;
    if (!value_is_unset(args->items[0]) && !group_index(vm, match, args->items[0], &index))
        return false;
    size_t at = match->offsets[index * 2 + which];
    *ret = at == PCRE2_UNSET ? -1 : (int64_t)utf8_count(match->text->data, at);
    return true;
}

FUNCTION(match_start)
{
    ret->kind = K_INT;
    return match_offset(vm, self, args, 0, &ret->i);
}

FUNCTION(match_end)
{
    ret->kind = K_INT;
    return match_offset(vm, self, args, 1, &ret->i);
}

FUNCTION(match_span)
{
    struct value pair[] = { V_INT(0), V_INT(0) };
    if (!match_offset(vm, self, args, 0, &pair[0].i) ||
        !match_offset(vm, self, args, 1, &pair[1].i))
        return false;
    *ret = tuple_of(vm->arena, pair, 2);
    return true;
}

/* --- finding all --- */

static bool push_found(struct vm *vm, const struct match *match, void *context)
{
    struct list *list = context;
    uint32_t groups = match->pattern->group_count;
    struct value empty = value_text(vm->arena, ""), tuple;
    if (groups <= 1) {
        list_push(vm->arena, list, group_text(vm, match, groups, empty));
        return true;
    }
    tuple = list_new(vm->arena, K_TUPLE, groups);
    for (size_t i = 1; i <= groups; i++)
        list_push(vm->arena, tuple.list, group_text(vm, match, i, empty));
    list_push(vm->arena, list, tuple);
    return true;
}

static bool push_match(struct vm *vm, const struct match *match, void *context)
{
    list_push(vm->arena, context, wrap(vm, &class_Match, match));
    return true;
}

struct pieces {
    struct list *list;
    size_t at;
};

static bool push_piece(struct vm *vm, const struct match *match, void *context)
{
    struct pieces *pieces = context;
    size_t start = match->offsets[0];
    list_push(vm->arena, pieces->list,
              V_STR(string_new(vm->arena, match->text->data + pieces->at, start - pieces->at)));
    for (size_t i = 1; i <= match->pattern->group_count; i++)
        list_push(vm->arena, pieces->list, group_text(vm, match, i, V_NONE));
    pieces->at = match->offsets[1];
    return true;
}

static bool split_text(struct vm *vm, const struct pattern *pattern, struct value v,
                       struct value limit, struct value *ret)
{
    struct string *text;
    int64_t most = 0;
    *ret = list_new(vm->arena, K_LIST, 4);
    struct pieces pieces = { .list = ret->list };
    if (!text_argument(vm, v, &text) || (limit.kind > K_NONE && !value_to_i64(vm, limit, &most)) ||
        !all_matches(vm, pattern, text, most > 0 ? most : -1, push_piece, &pieces))
        return false;
    list_push(vm->arena, ret->list,
              V_STR(string_new(vm->arena, text->data + pieces.at, text->len - pieces.at)));
    return true;
}

/* --- replacing --- */

struct replacing {
    struct buffer buffer;
    struct value with;
    size_t at;
    int64_t count;
};

/* A group's number or name behind a backslash in the replacement. */
static bool add_group(struct vm *vm, const struct match *match, struct replacing *replacing,
                      struct slice *rest)
{
    struct value key;
    size_t index;
    char c = rest->ptr[0];
    size_t place = (size_t)(rest->ptr - replacing->with.s->data);
    if (c == 'g' && rest->len > 1 && rest->ptr[1] == '<') {
        const char *close = memchr(rest->ptr, '>', rest->len);
        uint64_t number;
        if (!close)
            return raise_error(vm, &class_error, "missing >, unterminated name at position %zu",
                               place + 2);
        struct slice name = { rest->ptr + 2, (size_t)(close - rest->ptr) - 2 };
        key = slice_to_u64(name, MAX_GROUPS, &number)
                  ? V_INT((int64_t)number)
                  : V_STR(string_new(vm->arena, name.ptr, name.len));
        *rest = (struct slice){ close + 1, rest->len - (size_t)(close - rest->ptr) - 1 };
    } else {
        key = V_INT(c - '0');
        *rest = (struct slice){ rest->ptr + 1, rest->len - 1 };
    }
    if (key.kind == K_INT && key.i > match->pattern->group_count)
        return raise_error(vm, &class_error, "invalid group reference %lld at position %zu",
                           (long long)key.i, place);
    if (!find_group(match, key, &index))
        return raise_error(vm, &class_IndexError, "unknown group name '%s'", key.s->data);
    struct value text = group_text(vm, match, index, V_NONE);
    if (text.kind == K_STR)
        buffer_string(&replacing->buffer, text.s);
    return true;
}

static bool add_template(struct vm *vm, const struct match *match, struct replacing *replacing)
{
    static const char letters[] = "abfnrtv\\", meaning[] = "\a\b\f\n\r\t\v\\";
    struct slice rest = string_slice(replacing->with.s);
    while (rest.len) {
        char c = rest.ptr[0];
        rest = (struct slice){ rest.ptr + 1, rest.len - 1 };
        if (c != '\\' || !rest.len) {
            buffer_char(&replacing->buffer, c);
            continue;
        }
        const char *known = rest.ptr[0] ? strchr(letters, rest.ptr[0]) : NULL;
        if (known) {
            buffer_char(&replacing->buffer, meaning[known - letters]);
            rest = (struct slice){ rest.ptr + 1, rest.len - 1 };
        } else if ((rest.ptr[0] >= '0' && rest.ptr[0] <= '9') || rest.ptr[0] == 'g') {
            if (!add_group(vm, match, replacing, &rest))
                return false;
        } else if (isalpha((unsigned char)rest.ptr[0])) {
            return raise_error(vm, &class_error, "bad escape \\%c at position %zu", rest.ptr[0],
                               (size_t)(rest.ptr - replacing->with.s->data) - 1);
        } else {
            buffer_char(&replacing->buffer, c);
        }
    }
    return true;
}

static bool check_buffer(struct vm *vm, const struct buffer *buffer, size_t before)
{
    if (buffer->is_over)
        return raise_limit(vm, "a text is longer than %d bytes", LIMIT_STRING_BYTES);
    return vm_work(vm, buffer->len - before);
}

static bool replace_one(struct vm *vm, const struct match *match, void *context)
{
    struct replacing *replacing = context;
    struct value made;
    size_t before = replacing->buffer.len;
    buffer_add(&replacing->buffer, match->text->data + replacing->at,
               match->offsets[0] - replacing->at);
    replacing->at = match->offsets[1];
    replacing->count++;
    if (replacing->with.kind == K_STR)
        return add_template(vm, match, replacing) && check_buffer(vm, &replacing->buffer, before);
    if (!value_call1(vm, replacing->with, wrap(vm, &class_Match, match), &made))
        return false;
    if (made.kind != K_STR)
        return raise_error(vm, &class_TypeError, "the replacement function must return a text");
    buffer_string(&replacing->buffer, made.s);
    return check_buffer(vm, &replacing->buffer, before);
}

static bool replace_all(struct vm *vm, const struct pattern *pattern, struct value with,
                        struct value v, struct value count, struct value *ret, int64_t *ret_count)
{
    struct string *text;
    int64_t most = 0;
    struct replacing replacing = { .buffer = buffer_new(vm), .with = with };
    if (!text_argument(vm, v, &text) || (count.kind > K_NONE && !value_to_i64(vm, count, &most)) ||
        !all_matches(vm, pattern, text, most > 0 ? most : -1, replace_one, &replacing))
        return false;
    buffer_add(&replacing.buffer, text->data + replacing.at, text->len - replacing.at);
    *ret_count = replacing.count;
    return buffer_value(vm, &replacing.buffer, ret);
}

FUNCTION(match_expand)
{
    struct replacing replacing = { .buffer = buffer_new(vm), .with = args->items[0] };
    struct string *text;
    return text_argument(vm, args->items[0], &text) &&
           add_template(vm, match_of(self), &replacing) && buffer_value(vm, &replacing.buffer, ret);
}

static const struct native MATCH_METHODS[] = {
    { "group", match_group, NULL },
    { "groups", match_groups, "| default" },
    { "groupdict", match_groupdict, "" },
    { "start", match_start, "| group" },
    { "end", match_end, "| group" },
    { "span", match_span, "| group" },
    { "expand", match_expand, "template" },
    { "__getitem__", match_group, NULL },
    { NULL, NULL, NULL },
};

static const struct class class_Match = {
    .name = "Match", .base = &class_object, .layout = K_INSTANCE, .methods = MATCH_METHODS
};

/* --- functions and methods: the same with the pattern in front or as `self` --- */

enum {
    OPTION_SEARCH = 0,
    OPTION_MATCH = PCRE2_ANCHORED,
    OPTION_FULL = PCRE2_ANCHORED | PCRE2_ENDANCHORED
};

#define MATCHER(name, options)                                                                     \
    FUNCTION(re_##name)                                                                            \
    {                                                                                              \
        (void)self;                                                                                \
        const struct pattern *pattern;                                                             \
        return pattern_of(vm, args->items[0], args->items[2], &pattern) &&                         \
               match_once(vm, pattern, args->items[1], V_UNBOUND, options, ret);                   \
    }                                                                                              \
    FUNCTION(pattern_##name)                                                                       \
    {                                                                                              \
        return match_once(vm, self.instance->payload.p, args->items[0], args->items[1], options,   \
                          ret);                                                                    \
    }
MATCHER(search, OPTION_SEARCH)
MATCHER(match, OPTION_MATCH)
MATCHER(fullmatch, OPTION_FULL)
#undef MATCHER

static bool find_all(struct vm *vm, const struct pattern *pattern, struct value v, bool as_matches,
                     struct value *ret)
{
    struct string *text;
    struct iterator *iterator;
    *ret = list_new(vm->arena, K_LIST, 4);
    if (!text_argument(vm, v, &text) ||
        !all_matches(vm, pattern, text, -1, as_matches ? push_match : push_found, ret->list))
        return false;
    if (!as_matches)
        return true;
    if (!value_iterate(vm, *ret, &iterator))
        return false;
    iterator->type_name = "callable_iterator";
    *ret = iterator_value(iterator);
    return true;
}

FUNCTION(re_findall)
{
    (void)self;
    const struct pattern *pattern;
    return pattern_of(vm, args->items[0], args->items[2], &pattern) &&
           find_all(vm, pattern, args->items[1], false, ret);
}

FUNCTION(pattern_findall)
{
    return find_all(vm, self.instance->payload.p, args->items[0], false, ret);
}

FUNCTION(re_finditer)
{
    (void)self;
    const struct pattern *pattern;
    return pattern_of(vm, args->items[0], args->items[2], &pattern) &&
           find_all(vm, pattern, args->items[1], true, ret);
}

FUNCTION(pattern_finditer)
{
    return find_all(vm, self.instance->payload.p, args->items[0], true, ret);
}

FUNCTION(re_split)
{
    (void)self;
    const struct pattern *pattern;
    return pattern_of(vm, args->items[0], args->items[3], &pattern) &&
           split_text(vm, pattern, args->items[1], args->items[2], ret);
}

FUNCTION(pattern_split)
{
    return split_text(vm, self.instance->payload.p, args->items[0], args->items[1], ret);
}

FUNCTION(re_sub)
{
    (void)self;
    const struct pattern *pattern;
    int64_t count;
    return pattern_of(vm, args->items[0], args->items[4], &pattern) &&
           replace_all(vm, pattern, args->items[1], args->items[2], args->items[3], ret, &count);
}

FUNCTION(pattern_sub)
{
    int64_t count;
    return replace_all(vm, self.instance->payload.p, args->items[0], args->items[1], args->items[2],
                       ret, &count);
}

static bool replace_counted(struct vm *vm, const struct pattern *pattern, const struct value *items,
                            struct value *ret)
{
    struct value pair[2];
    pair[1] = V_INT(0);
    if (!replace_all(vm, pattern, items[0], items[1], items[2], &pair[0], &pair[1].i))
        return false;
    *ret = tuple_of(vm->arena, pair, 2);
    return true;
}

FUNCTION(re_subn)
{
    (void)self;
    const struct pattern *pattern;
    return pattern_of(vm, args->items[0], args->items[4], &pattern) &&
           replace_counted(vm, pattern, args->items + 1, ret);
}

FUNCTION(pattern_subn)
{
    return replace_counted(vm, self.instance->payload.p, args->items, ret);
}

FUNCTION(re_compile)
{
    (void)self;
    const struct pattern *pattern;
    if (!pattern_of(vm, args->items[0], args->items[1], &pattern))
        return false;
    *ret = wrap(vm, &class_Pattern, pattern);
    return true;
}

FUNCTION(re_escape)
{
    (void)self;
    struct string *text;
    struct buffer buffer = buffer_new(vm);
    if (!text_argument(vm, args->items[0], &text))
        return false;
    for (size_t i = 0; i < text->len; i++) {
        if (strchr("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", text->data[i]) && text->data[i])
            buffer_char(&buffer, '\\');
        buffer_char(&buffer, text->data[i]);
    }
    return buffer_value(vm, &buffer, ret);
}

static const struct native PATTERN_METHODS[] = {
    { "findall", pattern_findall, "string" },
    { "finditer", pattern_finditer, "string" },
    { "fullmatch", pattern_fullmatch, "string | pos" },
    { "match", pattern_match, "string | pos" },
    { "search", pattern_search, "string | pos" },
    { "split", pattern_split, "string | maxsplit" },
    { "sub", pattern_sub, "repl string | count" },
    { "subn", pattern_subn, "repl string | count" },
    { NULL, NULL, NULL },
};

static const struct class class_Pattern = {
    .name = "Pattern", .base = &class_object, .layout = K_INSTANCE, .methods = PATTERN_METHODS
};

/* --- attributes --- */

static struct value group_names(struct vm *vm, const struct pattern *pattern)
{
    uint32_t count, size;
    PCRE2_SPTR table;
    struct value names = dict_value(vm->arena, K_DICT);
    pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(pattern->code, PCRE2_INFO_NAMETABLE, &table);
    for (size_t group = 1; group <= pattern->group_count; group++)
        for (uint32_t i = 0; i < count; i++)
            if ((size_t)(table[i * size] << 8 | table[i * size + 1]) == group)
                dict_set_text(vm->arena, names.dict,
                              string_from(vm->arena, (const char *)table + i * size + 2),
                              V_INT((int64_t)group));
    return names;
}

static struct value pattern_part(struct vm *vm, const struct pattern *pattern,
                                 const struct string *name)
{
    if (string_is(name, "pattern"))
        return V_STR(pattern->source);
    if (string_is(name, "flags"))
        return V_INT(pattern->flags);
    if (string_is(name, "groups"))
        return V_INT(pattern->group_count);
    return string_is(name, "groupindex") ? group_names(vm, pattern) : V_UNBOUND;
}

/* The group that closed last: of those that end furthest, the outermost. */
static size_t last_group(const struct match *match)
{
    size_t last = 0;
    for (size_t i = 1; i <= match->pattern->group_count; i++)
        if (match->offsets[i * 2] != PCRE2_UNSET &&
            (!last || match->offsets[i * 2 + 1] > match->offsets[last * 2 + 1]))
            last = i;
    return last;
}

static struct value last_name(struct vm *vm, const struct match *match)
{
    struct value names = group_names(vm, match->pattern);
    int64_t last = (int64_t)last_group(match);
    size_t cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(names.dict, &cursor));)
        if (entry->value.i == last)
            return entry->key;
    return V_NONE;
}

struct value regex_part(struct vm *vm, struct value v, const struct string *name)
{
    if (v.instance->class == &class_Pattern)
        return pattern_part(vm, v.instance->payload.p, name);
    if (v.instance->class != &class_Match)
        return V_UNBOUND;
    const struct match *match = match_of(v);
    if (string_is(name, "string"))
        return V_STR(match->text);
    if (string_is(name, "re"))
        return wrap(vm, &class_Pattern, match->pattern);
    if (string_is(name, "pos"))
        return V_INT(0);
    if (string_is(name, "endpos"))
        return V_INT(match->text->chars);
    if (string_is(name, "lastindex"))
        return last_group(match) ? V_INT((int64_t)last_group(match)) : V_NONE;
    return string_is(name, "lastgroup") ? last_name(vm, match) : V_UNBOUND;
}

static bool add_pattern_repr(struct vm *vm, struct buffer *buffer, const struct pattern *pattern)
{
    struct string *text;
    const char *separator = ", ";
    if (!value_repr(vm, V_STR(pattern->source), &text))
        return false;
    buffer_printf(buffer, "re.compile(%s", text->data);
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        if ((pattern->flags & FLAGS[i].python) && FLAGS[i].python != 32) {
            buffer_printf(buffer, "%sre.%s", separator, FLAGS[i].names[0]);
            separator = "|";
        }
    buffer_char(buffer, ')');
    return true;
}

bool regex_repr(struct vm *vm, struct value v, struct buffer *buffer, bool *ret_found)
{
    struct string *text;
    *ret_found = true;
    if (v.instance->class == &class_Pattern)
        return add_pattern_repr(vm, buffer, v.instance->payload.p);
    *ret_found = v.instance->class == &class_Match;
    if (!*ret_found)
        return true;
    const struct match *match = match_of(v);
    if (!value_repr(vm, group_text(vm, match, 0, V_NONE), &text))
        return false;
    buffer_printf(buffer, "<re.Match object; span=(%zu, %zu), match=%s>",
                  utf8_count(match->text->data, match->offsets[0]),
                  utf8_count(match->text->data, match->offsets[1]), text->data);
    return true;
}

FUNCTION(re_purge)
{
    (void)vm;
    (void)self;
    (void)args;
    *ret = V_NONE;
    return true;
}

const struct native re_natives[] = {
    { "compile", re_compile, "pattern | flags" },
    { "escape", re_escape, "pattern" },
    { "findall", re_findall, "pattern string | flags" },
    { "finditer", re_finditer, "pattern string | flags" },
    { "fullmatch", re_fullmatch, "pattern string | flags" },
    { "match", re_match, "pattern string | flags" },
    { "purge", re_purge, "" },
    { "search", re_search, "pattern string | flags" },
    { "split", re_split, "pattern string | maxsplit flags" },
    { "sub", re_sub, "pattern repl string | count flags" },
    { "subn", re_subn, "pattern repl string | count flags" },
    { NULL, NULL, NULL },
};

bool prepare_re(struct vm *vm, struct dict *attributes)
{
    for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
        for (size_t j = 0; j < 2; j++)
            dict_set_text(vm->arena, attributes, string_from(vm->arena, FLAGS[i].names[j]),
                          V_INT(FLAGS[i].python));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "error"),
                  (struct value){ .kind = K_CLASS, .class = &class_error });
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "Pattern"),
                  (struct value){ .kind = K_CLASS, .class = &class_Pattern });
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "Match"),
                  (struct value){ .kind = K_CLASS, .class = &class_Match });
    return true;
}
