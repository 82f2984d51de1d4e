#include "config/class.h"
#include "config/encoding.h"
#include "config/format.h"
#include "config/integer.h"
#include "config/number_text.h"
#include "config/template.h"
#include "config/unicode.h"

#include <ctype.h>

/* str and bytes. */

#define METHOD(name)                                                                               \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

/* `str.upper('x')`: the text is the first argument; a method of a value has it as `self`. */
static struct value own_text(struct value self)
{
    return self.kind == K_INSTANCE ? self.instance->payload : self;
}

static bool expect_text(struct vm *vm, struct value v, const char *what, struct string **ret)
{
    v = value_as(v, K_STR);
    if (v.kind != K_STR && v.kind != K_BYTES)
        return raise_error(vm, &class_TypeError, "%s must be str, not %s", what,
                           value_type_name(v));
    *ret = v.s;
    return true;
}

static struct value like(struct vm *vm, struct value text, const char *bytes, size_t len)
{
    return text.kind == K_BYTES
               ? (struct value){ .kind = K_BYTES, .s = string_new_bytes(vm->arena, bytes, len) }
               : V_STR(string_new(vm->arena, bytes, len));
}

/* --- case --- */

typedef uint32_t map_fn(uint32_t code);

static bool map_text(struct vm *vm, const struct string *s, map_fn *map, struct value *ret)
{
    struct buffer buffer = buffer_new(vm);
    for (size_t at = 0, length; at < s->len; at += length) {
        char bytes[4];
        uint32_t code = map(utf8_decode(s->data + at, &length));
        buffer_add(&buffer, bytes, utf8_encode(code, bytes));
    }
    return buffer_value(vm, &buffer, ret);
}

static uint32_t swap_case(uint32_t code)
{
    uint32_t upper = unicode_upper(code);
    return upper != code ? upper : unicode_lower(code);
}

METHOD(text_upper)
{
    (void)args;
    return map_text(vm, own_text(self).s, unicode_upper, ret);
}

METHOD(text_lower)
{
    (void)args;
    return map_text(vm, own_text(self).s, unicode_lower, ret);
}

METHOD(text_swapcase)
{
    (void)args;
    return map_text(vm, own_text(self).s, swap_case, ret);
}

/* Upper case at the start of the text, or of every word. */
static bool capitalize(struct vm *vm, const struct string *s, bool is_title, struct value *ret)
{
    struct buffer buffer = buffer_new(vm);
    bool starts = true;
    for (size_t at = 0, length; at < s->len; at += length) {
        char bytes[4];
        uint32_t code = utf8_decode(s->data + at, &length);
        buffer_add(&buffer, bytes,
                   utf8_encode(starts ? unicode_upper(code) : unicode_lower(code), bytes));
        starts = is_title && !unicode_is_alpha(code);
    }
    return buffer_value(vm, &buffer, ret);
}

METHOD(text_capitalize)
{
    (void)args;
    return capitalize(vm, own_text(self).s, false, ret);
}

METHOD(text_title)
{
    (void)args;
    return capitalize(vm, own_text(self).s, true, ret);
}

/* --- questions --- */

typedef bool test_fn(uint32_t code);

static bool is_digit(uint32_t code)
{
    return code >= '0' && code <= '9';
}

static bool is_alnum(uint32_t code)
{
    return is_digit(code) || unicode_is_alpha(code);
}

static bool is_word(uint32_t code)
{
    return is_alnum(code) || code == '_';
}

static bool all_are(const struct string *s, test_fn *test)
{
    for (size_t at = 0, length; at < s->len; at += length)
        if (!test(utf8_decode(s->data + at, &length)))
            return false;
    return s->len > 0;
}

METHOD(text_isdigit)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(all_are(own_text(self).s, is_digit));
    return true;
}

METHOD(text_isalpha)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(all_are(own_text(self).s, unicode_is_alpha));
    return true;
}

METHOD(text_isalnum)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(all_are(own_text(self).s, is_alnum));
    return true;
}

METHOD(text_isspace)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(all_are(own_text(self).s, unicode_is_space));
    return true;
}

METHOD(text_isprintable)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(own_text(self).s->len == 0 || all_are(own_text(self).s, unicode_is_printable));
    return true;
}

METHOD(text_isascii)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(own_text(self).s->chars == own_text(self).s->len);
    return true;
}

METHOD(text_isidentifier)
{
    (void)vm;
    (void)args;
    const struct string *s = own_text(self).s;
    *ret = V_BOOL(all_are(s, is_word) && !is_digit((unsigned char)s->data[0]));
    return true;
}

static bool has_case(const struct string *s, map_fn *other)
{
    bool has_cased = false;
    for (size_t at = 0, length; at < s->len; at += length) {
        uint32_t code = utf8_decode(s->data + at, &length);
        if (other(code) != code)
            return false;
        has_cased |= unicode_upper(code) != code || unicode_lower(code) != code;
    }
    return has_cased;
}

METHOD(text_isupper)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(has_case(own_text(self).s, unicode_upper));
    return true;
}

METHOD(text_islower)
{
    (void)vm;
    (void)args;
    *ret = V_BOOL(has_case(own_text(self).s, unicode_lower));
    return true;
}

METHOD(text_istitle)
{
    struct value title;
    if (!text_title(vm, self, args, &title))
        return false;
    *ret = V_BOOL(string_equal(title.s, own_text(self).s) && own_text(self).s->len);
    return true;
}

/* --- stripping --- */

enum { STRIP_LEFT = 1, STRIP_RIGHT = 2 };

static bool is_stripped(uint32_t code, const struct string *set)
{
    if (!set)
        return unicode_is_space(code);
    for (size_t at = 0, length; at < set->len; at += length)
        if (utf8_decode(set->data + at, &length) == code)
            return true;
    return false;
}

static size_t previous(const struct string *s, size_t at)
{
    do
        at--;
    while (at > 0 && ((unsigned char)s->data[at] & 0xc0) == 0x80);
    return at;
}

static bool expect_set(struct vm *vm, struct value v, struct string **ret)
{
    v = value_as(v, K_STR);
    if (v.kind != K_STR && v.kind != K_BYTES)
        return raise_error(vm, &class_TypeError, "strip arg must be None or str");
    *ret = v.s;
    return true;
}

static bool strip(struct vm *vm, struct value text, const struct args *args, int sides,
                  struct value *ret)
{
    const struct string *s = text.s;
    struct string *set = NULL;
    size_t start = 0, end = s->len, length;
    if (args->items[0].kind > K_NONE && !expect_set(vm, args->items[0], &set))
        return false;
    while ((sides & STRIP_LEFT) && start < end &&
           is_stripped(utf8_decode(s->data + start, &length), set))
        start += length;
    while ((sides & STRIP_RIGHT) && end > start &&
           is_stripped(utf8_decode(s->data + previous(s, end), &length), set))
        end = previous(s, end);
    *ret = like(vm, text, s->data + start, end - start);
    return true;
}

METHOD(text_strip)
{
    return strip(vm, own_text(self), args, STRIP_LEFT | STRIP_RIGHT, ret);
}

METHOD(text_lstrip)
{
    return strip(vm, own_text(self), args, STRIP_LEFT, ret);
}

METHOD(text_rstrip)
{
    return strip(vm, own_text(self), args, STRIP_RIGHT, ret);
}

METHOD(text_removeprefix)
{
    struct value text = own_text(self);
    struct string *prefix;
    if (!expect_text(vm, args->items[0], "removeprefix() argument", &prefix))
        return false;
    bool has = slice_starts_with(string_slice(text.s), string_slice(prefix));
    *ret = like(vm, text, text.s->data + (has ? prefix->len : 0),
                text.s->len - (has ? prefix->len : 0));
    return true;
}

METHOD(text_removesuffix)
{
    struct value text = own_text(self);
    struct string *suffix;
    if (!expect_text(vm, args->items[0], "removesuffix() argument", &suffix))
        return false;
    bool has = slice_ends_with(string_slice(text.s), string_slice(suffix));
    *ret = like(vm, text, text.s->data, text.s->len - (has ? suffix->len : 0));
    return true;
}

/* --- splitting --- */

static bool split_limit(struct vm *vm, struct value v, int64_t *ret)
{
    *ret = -1;
    return v.kind <= K_NONE || value_to_i64(vm, v, ret);
}

static void push_text(struct vm *vm, struct list *list, struct value text, size_t start, size_t end)
{
    list_push(vm->arena, list, like(vm, text, text.s->data + start, end - start));
}

static void split_words(struct vm *vm, struct value text, int64_t most, struct list *list)
{
    const struct string *s = text.s;
    size_t at = 0, length;
    for (;;) {
        while (at < s->len && unicode_is_space(utf8_decode(s->data + at, &length)))
            at += length;
        if (at == s->len)
            return;
        size_t start = at;
        if (most == 0) {
            push_text(vm, list, text, start, s->len);
            return;
        }
        while (at < s->len && !unicode_is_space(utf8_decode(s->data + at, &length)))
            at += length;
        push_text(vm, list, text, start, at);
        most -= most > 0;
    }
}

static void split_words_from_end(struct vm *vm, struct value text, int64_t most, struct list *list)
{
    const struct string *s = text.s;
    size_t end = s->len, length;
    for (;;) {
        while (end > 0 && unicode_is_space(utf8_decode(s->data + previous(s, end), &length)))
            end = previous(s, end);
        if (end == 0)
            return;
        size_t start = end;
        while (start > 0 &&
               (most == 0 || !unicode_is_space(utf8_decode(s->data + previous(s, start), &length))))
            start = previous(s, start);
        push_text(vm, list, text, start, end);
        if (most == 0)
            return;
        end = start;
        most -= most > 0;
    }
}

static size_t find_bytes(const struct string *s, size_t from, size_t to, const struct string *part)
{
    if (from > to || to - from < part->len)
        return SIZE_MAX;
    const char *found = memmem(s->data + from, to - from, part->data, part->len);
    return found ? (size_t)(found - s->data) : SIZE_MAX;
}

static size_t find_bytes_last(const struct string *s, size_t from, size_t to,
                              const struct string *part)
{
    if (from > to || to - from < part->len)
        return SIZE_MAX;
    for (size_t at = to - part->len + 1; at-- > from;)
        if (memcmp(s->data + at, part->data, part->len) == 0)
            return at;
    return SIZE_MAX;
}

static void reverse(struct list *list)
{
    for (size_t i = 0; i < list->count / 2; i++) {
        struct value v = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = v;
    }
}

static void split_at(struct vm *vm, struct value text, const struct string *separator, int64_t most,
                     struct list *list)
{
    size_t start = 0;
    for (size_t at;
         most != 0 && (at = find_bytes(text.s, start, text.s->len, separator)) != SIZE_MAX;
         most -= most > 0) {
        push_text(vm, list, text, start, at);
        start = at + separator->len;
    }
    push_text(vm, list, text, start, text.s->len);
}

static void split_at_from_end(struct vm *vm, struct value text, const struct string *separator,
                              int64_t most, struct list *list)
{
    size_t end = text.s->len;
    for (size_t at; most != 0 && (at = find_bytes_last(text.s, 0, end, separator)) != SIZE_MAX;
         most -= most > 0) {
        push_text(vm, list, text, at + separator->len, end);
        end = at;
    }
    push_text(vm, list, text, 0, end);
}

static bool split_text(struct vm *vm, struct value text, const struct args *args, bool from_end,
                       struct value *ret)
{
    struct string *separator;
    int64_t most;
    if (!split_limit(vm, args->items[1], &most))
        return false;
    *ret = list_new(vm->arena, K_LIST, 4);
    if (args->items[0].kind <= K_NONE) {
        (from_end ? split_words_from_end : split_words)(vm, text, most, ret->list);
    } else {
        if (!expect_text(vm, args->items[0], "separator", &separator))
            return false;
        if (separator->len == 0)
            return raise_error(vm, &class_ValueError, "empty separator");
        (from_end ? split_at_from_end : split_at)(vm, text, separator, most, ret->list);
    }
    if (from_end)
        reverse(ret->list);
    return true;
}

METHOD(text_split)
{
    return split_text(vm, own_text(self), args, false, ret);
}

METHOD(text_rsplit)
{
    return split_text(vm, own_text(self), args, true, ret);
}

METHOD(text_splitlines)
{
    struct value text = own_text(self);
    bool keeps = false;
    if (!value_is_unset(args->items[0]) && !value_truth(vm, args->items[0], &keeps))
        return false;
    *ret = list_new(vm->arena, K_LIST, 4);
    for (size_t start = 0; start < text.s->len;) {
        size_t at = start;
        while (at < text.s->len && !strchr("\n\r\v\f\x1c\x1d\x1e", text.s->data[at]))
            at++;
        size_t behind = at + (at < text.s->len);
        if (at + 1 < text.s->len && text.s->data[at] == '\r' && text.s->data[at + 1] == '\n')
            behind++;
        push_text(vm, ret->list, text, start, keeps ? behind : at);
        start = behind;
    }
    return true;
}

static bool partition(struct vm *vm, struct value text, const struct args *args, bool from_end,
                      struct value *ret)
{
    struct string *separator;
    if (!expect_text(vm, args->items[0], "separator", &separator))
        return false;
    if (separator->len == 0)
        return raise_error(vm, &class_ValueError, "empty separator");
    size_t at = (from_end ? find_bytes_last : find_bytes)(text.s, 0, text.s->len, separator);
    *ret = list_new(vm->arena, K_TUPLE, 3);
    if (at == SIZE_MAX) {
        struct value none = like(vm, text, "", 0);
        list_push(vm->arena, ret->list, from_end ? none : text);
        list_push(vm->arena, ret->list, none);
        list_push(vm->arena, ret->list, from_end ? text : none);
        return true;
    }
    push_text(vm, ret->list, text, 0, at);
    push_text(vm, ret->list, text, at, at + separator->len);
    push_text(vm, ret->list, text, at + separator->len, text.s->len);
    return true;
}

METHOD(text_partition)
{
    return partition(vm, own_text(self), args, false, ret);
}

METHOD(text_rpartition)
{
    return partition(vm, own_text(self), args, true, ret);
}

METHOD(text_join)
{
    struct value text = own_text(self), items;
    struct buffer buffer = buffer_new(vm);
    if (!value_to_list(vm, args->items[0], K_LIST, &items))
        return exception_is(vm, &class_TypeError)
                   ? raise_error(vm, &class_TypeError, "can only join an iterable")
                   : false;
    for (size_t i = 0; i < items.list->count; i++) {
        struct value item = value_as(items.list->items[i], text.kind);
        if (item.kind != text.kind)
            return raise_error(vm, &class_TypeError,
                               "sequence item %zu: expected str instance, %s found", i,
                               value_type_name(item));
        if (i)
            buffer_string(&buffer, text.s);
        buffer_string(&buffer, item.s);
    }
    if (text.kind == K_STR)
        return buffer_value(vm, &buffer, ret);
    *ret = like(vm, text, buffer.bytes ? buffer.bytes : "", buffer.len);
    return true;
}

/* --- searching --- */

static int64_t clamp_index(int64_t index, int64_t count)
{
    if (index < 0)
        index += count;
    return index < 0 ? 0 : index > count ? count : index;
}

/* The range that optional `start` and `end` give, in bytes; false if it is empty backwards. */
static bool search_range(struct vm *vm, const struct string *s, struct value start,
                         struct value end, size_t *ret_from, size_t *ret_to)
{
    int64_t first = 0, last = s->chars;
    if (start.kind > K_NONE && !value_to_i64(vm, start, &first))
        return false;
    if (end.kind > K_NONE && !value_to_i64(vm, end, &last))
        return false;
    bool is_beyond = first > (int64_t)s->chars;
    first = clamp_index(first, s->chars);
    last = clamp_index(last, s->chars);
    *ret_from = is_beyond ? s->len + 1 : string_offset(s, (size_t)first);
    *ret_to = string_offset(s, (size_t)last);
    return true;
}

static bool find_text(struct vm *vm, struct value text, const struct args *args, bool from_end,
                      int64_t *ret)
{
    struct string *part;
    size_t from, to;
    if (!expect_text(vm, args->items[0], "argument", &part) ||
        !search_range(vm, text.s, args->items[1], args->items[2], &from, &to))
        return false;
    size_t at = (from_end ? find_bytes_last : find_bytes)(text.s, from, to, part);
    *ret = at == SIZE_MAX         ? -1
           : text.kind == K_BYTES ? (int64_t)at
                                  : (int64_t)utf8_count(text.s->data, at);
    return true;
}

METHOD(text_find)
{
    ret->kind = K_INT;
    return find_text(vm, own_text(self), args, false, &ret->i);
}

METHOD(text_rfind)
{
    ret->kind = K_INT;
    return find_text(vm, own_text(self), args, true, &ret->i);
}

METHOD(text_index)
{
    ret->kind = K_INT;
    if (!find_text(vm, own_text(self), args, false, &ret->i))
        return false;
    return ret->i >= 0 || raise_error(vm, &class_ValueError, "substring not found");
}

METHOD(text_rindex)
{
    ret->kind = K_INT;
    if (!find_text(vm, own_text(self), args, true, &ret->i))
        return false;
    return ret->i >= 0 || raise_error(vm, &class_ValueError, "substring not found");
}

#define BYTES_FOR_A_FIND 32

METHOD(text_count)
{
    const struct string *s = own_text(self).s;
    struct string *part;
    size_t from, to;
    int64_t count = 0;
    if (!expect_text(vm, args->items[0], "argument", &part) ||
        !search_range(vm, s, args->items[1], args->items[2], &from, &to))
        return false;
    if (part->len == 0)
        count = from > to ? 0 : (int64_t)utf8_count(s->data + from, to - from) + 1;
    for (size_t at; part->len && (at = find_bytes(s, from, to, part)) != SIZE_MAX;
         from = at + part->len)
        count++;
    *ret = V_INT(count);
    return vm_work(vm, (size_t)count * BYTES_FOR_A_FIND);
}

static bool has_affix(struct vm *vm, const struct string *s, struct value affix, size_t from,
                      size_t to, bool is_end, bool *ret)
{
    struct string *part;
    if (affix.kind == K_TUPLE) {
        *ret = false;
        for (size_t i = 0; !*ret && i < affix.list->count; i++)
            if (!has_affix(vm, s, affix.list->items[i], from, to, is_end, ret))
                return false;
        return true;
    }
    if (affix.kind != K_STR && affix.kind != K_BYTES)
        return raise_error(vm, &class_TypeError,
                           "%s first arg must be str or a tuple of str, not %s",
                           is_end ? "endswith" : "startswith", value_type_name(affix));
    part = affix.s;
    *ret = from <= to && part->len <= to - from &&
           memcmp(s->data + (is_end ? to - part->len : from), part->data, part->len) == 0;
    return true;
}

static bool affix_method(struct vm *vm, struct value self, const struct args *args, bool is_end,
                         struct value *ret)
{
    const struct string *s = own_text(self).s;
    size_t from, to;
    ret->kind = K_BOOL;
    return search_range(vm, s, args->items[1], args->items[2], &from, &to) &&
           has_affix(vm, s, args->items[0], from, to, is_end, &ret->b);
}

METHOD(text_startswith)
{
    return affix_method(vm, self, args, false, ret);
}

METHOD(text_endswith)
{
    return affix_method(vm, self, args, true, ret);
}

/* --- replacing and padding --- */

METHOD(text_replace)
{
    struct value text = own_text(self);
    struct string *old, *new;
    int64_t most = -1;
    if (!expect_text(vm, args->items[0], "replace() argument 1", &old) ||
        !expect_text(vm, args->items[1], "replace() argument 2", &new) ||
        (args->items[2].kind > K_NONE && !value_to_i64(vm, args->items[2], &most)))
        return false;
    struct buffer buffer = buffer_new(vm);
    size_t start = 0;
    for (size_t at; most != 0 && (at = find_bytes(text.s, start, text.s->len, old)) != SIZE_MAX;
         most -= most > 0) {
        size_t behind = at + old->len, length;
        if (old->len == 0) { /* between all characters */
            buffer_string(&buffer, new);
            if (at == text.s->len)
                break;
            utf8_decode(text.s->data + at, &length);
            buffer_add(&buffer, text.s->data + at, length);
            start = at + length;
            continue;
        }
        buffer_add(&buffer, text.s->data + start, at - start);
        buffer_string(&buffer, new);
        start = behind;
        if (!vm_step(vm))
            return false;
    }
    buffer_add(&buffer, text.s->data + start, text.s->len - start);
    if (text.kind == K_STR)
        return buffer_value(vm, &buffer, ret);
    *ret = like(vm, text, buffer.bytes ? buffer.bytes : "", buffer.len);
    return true;
}

static bool pad_text(struct vm *vm, struct value text, const struct args *args, char align,
                     struct value *ret)
{
    struct string *fill = string_from(vm->arena, " ");
    int64_t width;
    if (!value_to_i64(vm, args->items[0], &width) ||
        (!value_is_unset(args->items[1]) &&
         !expect_text(vm, args->items[1], "fill character", &fill)))
        return false;
    if (fill->chars != 1)
        return raise_error(vm, &class_TypeError,
                           "The fill character must be exactly one character long");
    size_t missing = width > (int64_t)text.s->chars ? (size_t)(width - (int64_t)text.s->chars) : 0;
    size_t before = align == '>'   ? missing
                    : align == '^' ? missing / 2 + (missing & (size_t)width & 1)
                                   : 0;
    struct buffer buffer = buffer_new(vm);
    buffer_repeat(&buffer, fill->data, before);
    buffer_string(&buffer, text.s);
    buffer_repeat(&buffer, fill->data, missing - before);
    return buffer_value(vm, &buffer, ret);
}

METHOD(text_center)
{
    return pad_text(vm, own_text(self), args, '^', ret);
}

METHOD(text_ljust)
{
    return pad_text(vm, own_text(self), args, '<', ret);
}

METHOD(text_rjust)
{
    return pad_text(vm, own_text(self), args, '>', ret);
}

METHOD(text_zfill)
{
    const struct string *s = own_text(self).s;
    int64_t width;
    if (!value_to_i64(vm, args->items[0], &width))
        return false;
    size_t missing = width > (int64_t)s->chars ? (size_t)(width - (int64_t)s->chars) : 0;
    size_t sign = s->len && (s->data[0] == '-' || s->data[0] == '+');
    struct buffer buffer = buffer_new(vm);
    buffer_add(&buffer, s->data, sign);
    buffer_repeat(&buffer, "0", missing);
    buffer_add(&buffer, s->data + sign, s->len - sign);
    return buffer_value(vm, &buffer, ret);
}

METHOD(text_expandtabs)
{
    const struct string *s = own_text(self).s;
    int64_t size = 8;
    size_t column = 0;
    if (!value_is_unset(args->items[0]) && !value_to_i64(vm, args->items[0], &size))
        return false;
    struct buffer buffer = buffer_new(vm);
    for (size_t at = 0, length; at < s->len; at += length) {
        utf8_decode(s->data + at, &length);
        if (s->data[at] == '\t') {
            size_t spaces = size > 0 ? (size_t)size - column % (size_t)size : 0;
            buffer_repeat(&buffer, " ", spaces);
            column += spaces;
            continue;
        }
        buffer_add(&buffer, s->data + at, length);
        column = s->data[at] == '\n' || s->data[at] == '\r' ? 0 : column + 1;
    }
    return buffer_value(vm, &buffer, ret);
}

METHOD(text_translate)
{
    const struct string *s = own_text(self).s;
    struct buffer buffer = buffer_new(vm);
    for (size_t at = 0, length; at < s->len; at += length) {
        struct value code = V_INT((int64_t)utf8_decode(s->data + at, &length)), to;
        char bytes[4];
        if (!value_get_item(vm, args->items[0], code, &to)) {
            if (!exception_is(vm, &class_LookupError))
                return false;
            exception_take(vm);
            buffer_add(&buffer, s->data + at, length);
        } else if (to.kind == K_STR) {
            buffer_string(&buffer, to.s);
        } else if (to.kind == K_INT && to.i >= 0 && to.i <= 0x10ffff) {
            buffer_add(&buffer, bytes, utf8_encode((uint32_t)to.i, bytes));
        } else if (to.kind != K_NONE) {
            return raise_error(vm, &class_TypeError,
                               "character mapping must return integer, None or str");
        }
    }
    return buffer_value(vm, &buffer, ret);
}

static bool add_translation(struct vm *vm, struct dict *dict, struct value key, struct value to)
{
    size_t length;
    if (key.kind == K_STR && key.s->chars == 1)
        key = V_INT((int64_t)utf8_decode(key.s->data, &length));
    return dict_set(vm, dict, key, to);
}

METHOD(text_maketrans)
{
    (void)self;
    struct value dict = dict_value(vm->arena, K_DICT), from, to;
    size_t cursor = 0;
    *ret = dict;
    if (value_is_unset(args->items[1])) {
        if (args->items[0].kind != K_DICT)
            return raise_error(vm, &class_TypeError,
                               "if you give only one argument to maketrans it must be a dict");
        for (struct dict_entry *entry; (entry = dict_next(args->items[0].dict, &cursor));)
            if (!add_translation(vm, dict.dict, entry->key, entry->value))
                return false;
        return true;
    }
    if (!value_to_list(vm, args->items[0], K_LIST, &from) ||
        !value_to_list(vm, args->items[1], K_LIST, &to))
        return false;
    if (from.list->count != to.list->count)
        return raise_error(vm, &class_ValueError,
                           "the first two maketrans arguments must have equal length");
    for (size_t i = 0; i < from.list->count; i++)
        if (!add_translation(vm, dict.dict, from.list->items[i], to.list->items[i]))
            return false;
    if (value_is_unset(args->items[2]))
        return true;
    if (!value_to_list(vm, args->items[2], K_LIST, &from))
        return false;
    for (size_t i = 0; i < from.list->count; i++)
        if (!add_translation(vm, dict.dict, from.list->items[i], V_NONE))
            return false;
    return true;
}

METHOD(text_format)
{
    return format_braces(vm, own_text(self).s, args, ret);
}

METHOD(text_format_map)
{
    struct value dict = value_as(args->items[0], K_DICT);
    if (dict.kind != K_DICT && dict.kind != K_FROZENDICT)
        return raise_error(vm, &class_TypeError, "format_map() takes a mapping");
    struct keyword *keywords = arena_array(vm->arena, dict.dict->count, sizeof *keywords);
    size_t count = 0, cursor = 0;
    for (struct dict_entry *entry; (entry = dict_next(dict.dict, &cursor));)
        if (entry->key.kind == K_STR)
            keywords[count++] = (struct keyword){ entry->key.s, entry->value };
    const struct args all = { .keywords = keywords, .keyword_count = count };
    return format_braces(vm, own_text(self).s, &all, ret);
}

/* --- bytes --- */

METHOD(method_encode)
{
    return text_encode(vm, own_text(self).s, args->items[0], args->items[1], ret);
}

METHOD(method_decode)
{
    return text_decode(vm, self.s, args->items[0], args->items[1], ret);
}

METHOD(bytes_hex)
{
    (void)args;
    struct buffer buffer = buffer_new(vm);
    for (size_t i = 0; i < self.s->len; i++)
        buffer_printf(&buffer, "%02x", (unsigned char)self.s->data[i]);
    return buffer_value(vm, &buffer, ret);
}

static const struct native STR_METHODS[] = {
    { "capitalize", text_capitalize, "" },
    { "center", text_center, "width | fillchar" },
    { "count", text_count, "sub | start end" },
    { "encode", method_encode, "| encoding errors" },
    { "endswith", text_endswith, "suffix | start end" },
    { "expandtabs", text_expandtabs, "| tabsize" },
    { "find", text_find, "sub | start end" },
    { "format", text_format, NULL },
    { "format_map", text_format_map, "mapping" },
    { "index", text_index, "sub | start end" },
    { "isalnum", text_isalnum, "" },
    { "isalpha", text_isalpha, "" },
    { "isascii", text_isascii, "" },
    { "isdecimal", text_isdigit, "" },
    { "isdigit", text_isdigit, "" },
    { "isidentifier", text_isidentifier, "" },
    { "islower", text_islower, "" },
    { "isnumeric", text_isdigit, "" },
    { "isprintable", text_isprintable, "" },
    { "isspace", text_isspace, "" },
    { "istitle", text_istitle, "" },
    { "isupper", text_isupper, "" },
    { "join", text_join, "iterable" },
    { "ljust", text_ljust, "width | fillchar" },
    { "lower", text_lower, "" },
    { "lstrip", text_lstrip, "| chars" },
    { "partition", text_partition, "sep" },
    { "removeprefix", text_removeprefix, "prefix" },
    { "removesuffix", text_removesuffix, "suffix" },
    { "replace", text_replace, "old new | count" },
    { "rfind", text_rfind, "sub | start end" },
    { "rindex", text_rindex, "sub | start end" },
    { "rjust", text_rjust, "width | fillchar" },
    { "rpartition", text_rpartition, "sep" },
    { "rsplit", text_rsplit, "| sep maxsplit" },
    { "rstrip", text_rstrip, "| chars" },
    { "split", text_split, "| sep maxsplit" },
    { "splitlines", text_splitlines, "| keepends" },
    { "startswith", text_startswith, "prefix | start end" },
    { "strip", text_strip, "| chars" },
    { "swapcase", text_swapcase, "" },
    { "title", text_title, "" },
    { "translate", text_translate, "table" },
    { "upper", text_upper, "" },
    { "zfill", text_zfill, "width" },
    { NULL, NULL, NULL },
};

static const struct native STR_STATICS[] = {
    { "maketrans", text_maketrans, "x | y z" },
    { NULL, NULL, NULL },
};

/* The others, which look at characters, are in library/builtins.py. */
static const struct native BYTES_METHODS[] = {
    { "count", text_count, "sub | start end" },
    { "decode", method_decode, "| encoding errors" },
    { "endswith", text_endswith, "suffix | start end" },
    { "find", text_find, "sub | start end" },
    { "hex", bytes_hex, "" },
    { "join", text_join, "iterable" },
    { "startswith", text_startswith, "prefix | start end" },
    { NULL, NULL, NULL },
};

/* str(bytes, encoding, errors), bytes(text, encoding, errors) */
static bool is_coded(const struct args *args, enum kind kind, struct value ret[2])
{
    static const char *const names[] = { "encoding", "errors" };
    ret[0] = args->count > 1 ? args->items[1] : V_UNBOUND;
    ret[1] = args->count > 2 ? args->items[2] : V_UNBOUND;
    for (size_t i = 0; i < args->keyword_count; i++)
        for (size_t j = 0; j < 2; j++)
            if (string_is(args->keywords[i].name, names[j]))
                ret[j] = args->keywords[i].value;
    return args->count > 0 && args->items[0].kind == kind &&
           (ret[0].kind != K_UNBOUND || ret[1].kind != K_UNBOUND);
}

static bool construct_str(struct vm *vm, const struct class *class, const struct args *args,
                          struct value *ret)
{
    (void)class;
    struct string *text = string_from(vm->arena, "");
    struct value coding[2];
    if (is_coded(args, K_BYTES, coding))
        return text_decode(vm, args->items[0].s, coding[0], coding[1], ret);
    if (args->count > 0 && !value_str(vm, args->items[0], &text))
        return false;
    *ret = V_STR(text);
    return true;
}

static bool construct_bytes(struct vm *vm, const struct class *class, const struct args *args,
                            struct value *ret)
{
    (void)class;
    struct value items, coding[2];
    struct buffer buffer = buffer_new(vm);
    if (is_coded(args, K_STR, coding))
        return text_encode(vm, args->items[0].s, coding[0], coding[1], ret);
    if (args->count && args->items[0].kind == K_STR)
        return raise_error(vm, &class_TypeError, "string argument without an encoding");
    if (args->count && args->items[0].kind == K_BYTES) {
        buffer_string(&buffer, args->items[0].s);
    } else if (args->count && value_is_integer(args->items[0])) {
        size_t count;
        if (integer_sign(args->items[0]) < 0)
            return raise_error(vm, &class_ValueError, "negative count");
        if (!value_to_size(vm, args->items[0], &count))
            return false;
        if (count > LIMIT_STRING_BYTES)
            return raise_limit(vm, "a text has more than %d bytes", LIMIT_STRING_BYTES);
        for (size_t i = 0; i < count; i++)
            buffer_char(&buffer, '\0');
    } else if (args->count) {
        if (!value_to_list(vm, args->items[0], K_LIST, &items))
            return false;
        for (size_t i = 0; i < items.list->count; i++) {
            int64_t byte;
            if (!value_to_i64(vm, items.list->items[i], &byte))
                return false;
            if (byte < 0 || byte > 255)
                return raise_error(vm, &class_ValueError, "bytes must be in range(0, 256)");
            buffer_char(&buffer, (char)byte);
        }
    }
    *ret = (struct value){ .kind = K_BYTES,
                           .s = string_new_bytes(vm->arena, buffer.bytes ? buffer.bytes : "",
                                                 buffer.len) };
    return true;
}

const struct class class_str = { .name = "str",
                                 .base = &class_object,
                                 .layout = K_STR,
                                 .methods = STR_METHODS,
                                 .statics = STR_STATICS,
                                 .construct = construct_str };
const struct class class_bytes = { .name = "bytes",
                                   .base = &class_object,
                                   .layout = K_BYTES,
                                   .methods = BYTES_METHODS,
                                   .construct = construct_bytes };
