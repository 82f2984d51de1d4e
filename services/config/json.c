#include "config/integer.h"
#include "config/modules.h"
#include "config/number_text.h"
#include "config/sort.h"

#include <ctype.h>
#include <math.h>

/* JSON as Python's module writes and reads it: whole numbers of any size, Infinity and NaN, and its
 * messages.  That is why it is not a library's. */

const struct json_style JSON_STYLE_DEFAULT = { .indent = -1,
                                               .item_separator = ", ",
                                               .key_separator = ": " };

/* --- writing --- */

struct writer {
    struct vm *vm;
    struct buffer buffer;
    const struct json_style *style;
    size_t depth;
};

static bool write_value(struct writer *writer, struct value v);

/* How many bytes at the start stand for themselves. */
static size_t plain_length(const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && bytes[at] >= 0x20 && bytes[at] < 0x7f && bytes[at] != '"' &&
           bytes[at] != '\\')
        at++;
    return at;
}

/* Writes one character that may need an escape; gives its length. */
static size_t write_special(struct writer *writer, const char *bytes)
{
    static const char special[] = "\"\\\n\r\t\f\b", letters[] = "\"\\nrtfb";
    struct buffer *buffer = &writer->buffer;
    size_t length;
    uint32_t code = utf8_decode(bytes, &length);
    const char *found = code && code < 0x80 ? strchr(special, (char)code) : NULL;
    if (found)
        buffer_printf(buffer, "\\%c", letters[found - special]);
    else if (code < 0x20 || (code == 0x7f && !writer->style->keeps_unicode))
        buffer_printf(buffer, "\\u%04x", code);
    else if (code < 0x80 || writer->style->keeps_unicode)
        buffer_add(buffer, bytes, length);
    else if (code < 0x10000)
        buffer_printf(buffer, "\\u%04x", code);
    else
        buffer_printf(buffer, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    return length;
}

static void write_text(struct writer *writer, const struct string *s)
{
    struct buffer *buffer = &writer->buffer;
    buffer_char(buffer, '"');
    for (size_t at = 0, length; at < s->len; at += length) {
        length = plain_length(s->data + at, s->len - at);
        if (length > 0)
            buffer_add(buffer, s->data + at, length);
        else
            length = write_special(writer, s->data + at);
    }
    buffer_char(buffer, '"');
}

static void new_line(struct writer *writer)
{
    if (writer->style->indent < 0)
        return;
    buffer_char(&writer->buffer, '\n');
    const char *unit = writer->style->indent_text ? writer->style->indent_text : " ";
    buffer_repeat(&writer->buffer, unit, (size_t)writer->style->indent * writer->depth);
}

static void next_item(struct writer *writer, bool is_first)
{
    if (!is_first)
        buffer_text(&writer->buffer, writer->style->item_separator);
    new_line(writer);
}

static bool write_list(struct writer *writer, const struct list *list)
{
    if (list->count == 0) {
        buffer_text(&writer->buffer, "[]");
        return true;
    }
    buffer_char(&writer->buffer, '[');
    writer->depth++;
    for (size_t i = 0; i < list->count; i++) {
        next_item(writer, i == 0);
        if (!write_value(writer, list->items[i]))
            return false;
    }
    writer->depth--;
    new_line(writer);
    buffer_char(&writer->buffer, ']');
    return true;
}

static bool write_key(struct writer *writer, struct value key)
{
    struct string *text;
    if (key.kind == K_STR) {
        write_text(writer, key.s);
        return true;
    }
    if (key.kind == K_NONE || key.kind == K_BOOL) {
        buffer_text(&writer->buffer, key.kind == K_NONE ? "\"null\""
                                     : key.b            ? "\"true\""
                                                        : "\"false\"");
        return true;
    }
    if (!value_is_number(key))
        return raise_error(writer->vm, &class_TypeError,
                           "keys must be str, int, float, bool or None, not %s",
                           value_type_name(key));
    if (!value_repr(writer->vm, key, &text))
        return false;
    write_text(writer, text);
    return true;
}

static bool sorted_keys(struct vm *vm, const struct dict *dict, struct value *ret)
{
    size_t cursor = 0;
    *ret = list_new(vm->arena, K_LIST, dict->count);
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor));)
        list_push(vm->arena, ret->list, entry->key);
    return sort_list(vm, ret->list, V_NONE, false);
}

static bool write_entry(struct writer *writer, struct value key, struct value v, bool is_first)
{
    next_item(writer, is_first);
    if (!write_key(writer, key))
        return false;
    buffer_text(&writer->buffer, writer->style->key_separator);
    return write_value(writer, v);
}

static bool is_skipped(const struct writer *writer, struct value key)
{
    return writer->style->skips_keys && key.kind != K_STR && key.kind != K_NONE &&
           !value_is_number(key);
}

static bool write_sorted(struct writer *writer, const struct dict *dict)
{
    struct value keys, v;
    if (!sorted_keys(writer->vm, dict, &keys))
        return false;
    bool is_first = true;
    for (size_t i = 0; i < keys.list->count; i++) {
        if (is_skipped(writer, keys.list->items[i]))
            continue;
        if (!dict_get(writer->vm, dict, keys.list->items[i], &v) ||
            !write_entry(writer, keys.list->items[i], v, is_first))
            return false;
        is_first = false;
    }
    return true;
}

static bool write_unsorted(struct writer *writer, const struct dict *dict)
{
    size_t cursor = 0;
    bool is_first = true;
    for (struct dict_entry *entry; (entry = dict_next(dict, &cursor));) {
        if (is_skipped(writer, entry->key))
            continue;
        if (!write_entry(writer, entry->key, entry->value, is_first))
            return false;
        is_first = false;
    }
    return true;
}

static bool write_dict(struct writer *writer, const struct dict *dict)
{
    if (dict->count == 0) {
        buffer_text(&writer->buffer, "{}");
        return true;
    }
    buffer_char(&writer->buffer, '{');
    writer->depth++;
    if (!(writer->style->sorts_keys ? write_sorted(writer, dict) : write_unsorted(writer, dict)))
        return false;
    writer->depth--;
    new_line(writer);
    buffer_char(&writer->buffer, '}');
    return true;
}

static bool write_float(struct writer *writer, double d)
{
    char text[FLOAT_TEXT_BYTES];
    if (writer->style->refuses_nan && !isfinite(d))
        return raise_error(writer->vm, &class_ValueError,
                           "Out of range float values are not JSON compliant");
    float_repr(d, text);
    buffer_text(&writer->buffer, isnan(d)   ? "NaN"
                                 : isinf(d) ? d < 0 ? "-Infinity" : "Infinity"
                                            : text);
    return true;
}

static bool write_other(struct writer *writer, struct value v)
{
    struct value inner = value_contents(v), made;
    if (inner.kind != v.kind)
        return write_value(writer, inner);
    if (writer->style->fallback.kind > K_NONE)
        return value_call1(writer->vm, writer->style->fallback, v, &made) &&
               write_value(writer, made);
    return raise_error(writer->vm, &class_TypeError, "Object of type %s is not JSON serializable",
                       value_type_name(v));
}

static bool write_integer(struct writer *writer, struct value v)
{
    struct string *digits;
    if (!value_digits(writer->vm, v, 10, &digits))
        return false;
    buffer_string(&writer->buffer, digits);
    return true;
}

static bool write_any(struct writer *writer, struct value v)
{
    switch (v.kind) {
    case K_NONE:
        buffer_text(&writer->buffer, "null");
        return true;
    case K_BOOL:
        buffer_text(&writer->buffer, v.b ? "true" : "false");
        return true;
    case K_INT:
    case K_BIG:
        return write_integer(writer, v);
    case K_FLOAT:
        return write_float(writer, v.f);
    case K_STR:
        write_text(writer, v.s);
        return true;
    case K_LIST:
    case K_TUPLE:
        return write_list(writer, v.list);
    case K_DICT:
    case K_FROZENDICT:
        return write_dict(writer, v.dict);
    default:
        return write_other(writer, v);
    }
}

static bool write_value(struct writer *writer, struct value v)
{
    if (!vm_step(writer->vm) || !vm_enter(writer->vm))
        return false;
    bool is_done = write_any(writer, v);
    vm_leave(writer->vm);
    return is_done;
}

bool json_write(struct vm *vm, struct value v, const struct json_style *style, struct string **ret)
{
    struct writer writer = { .vm = vm, .buffer = buffer_new(vm), .style = style };
    return write_value(&writer, v) && buffer_finish(vm, &writer.buffer, ret);
}

/* --- reading --- */

/* What json.loads() was told to make of the parts: each may be unset or None. */
struct hooks {
    struct value object, pairs, number_float, number_int;
};

struct reader {
    struct vm *vm;
    struct slice text;
    size_t at;
    const struct source *source; /* that the text is of; NULL: a text of the configuration */
    const struct hooks *hooks;   /* NULL: none */
};

static bool read_value(struct reader *reader, struct value *ret);

/* The attributes of a JSONDecodeError. */
static void describe(struct reader *reader, const char *what, const size_t *numbers)
{
    static const char *const names[] = { "pos", "lineno", "colno" };
    struct vm *vm = reader->vm;
    if (vm->exception.kind != K_INSTANCE || vm->is_stopped)
        return;
    struct dict *attributes = dict_new(vm->arena);
    struct string *doc = string_new(vm->arena, reader->text.ptr, reader->text.len);
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "msg"),
                  value_text(vm->arena, what));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "doc"), V_STR(doc));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        dict_set_text(vm->arena, attributes, string_from(vm->arena, names[i]),
                      V_INT((int64_t)numbers[i]));
    vm->exception.instance->attributes = attributes;
}

static bool malformed(struct reader *reader, const char *what, size_t at)
{
    size_t line = 1, start = 0;
    for (size_t i = 0; i < at && i < reader->text.len; i++)
        if (reader->text.ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    size_t column = utf8_count(reader->text.ptr + start, at - start) + 1;
    size_t position = utf8_count(reader->text.ptr, at);
    raise_text(reader->vm, &class_JSONDecodeError, "%s: line %zu column %zu (char %zu)", what, line,
               column, position);
    describe(reader, what, (const size_t[]){ position, line, column });
    if (reader->source) {
        reader->vm->at = (struct span){ reader->source, (uint32_t)at, (uint32_t)at };
        reader->vm->has_place = true;
    }
    return false;
}

static char now(const struct reader *reader)
{
    return reader->at < reader->text.len ? reader->text.ptr[reader->at] : '\0';
}

static void skip_white(struct reader *reader)
{
    while (reader->at < reader->text.len && strchr(" \t\n\r", reader->text.ptr[reader->at]) &&
           reader->text.ptr[reader->at])
        reader->at++;
}

static bool take_hex(struct reader *reader, uint32_t *ret)
{
    uint32_t code = 0;
    if (reader->text.len - reader->at < 5)
        return malformed(reader, "Invalid \\uXXXX escape", reader->at);
    for (size_t i = 1; i <= 4; i++) {
        char c = reader->text.ptr[reader->at + i];
        if (!isxdigit((unsigned char)c))
            return malformed(reader, "Invalid \\uXXXX escape", reader->at);
        code = code * 16 + (uint32_t)(isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    reader->at += 5;
    *ret = code;
    return true;
}

/* At the letter behind the backslash. */
static bool read_escape(struct reader *reader, struct buffer *buffer)
{
    static const char letters[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
    char c = now(reader), bytes[4];
    const char *found = c ? strchr(letters, c) : NULL;
    uint32_t code, low;
    if (found) {
        buffer_char(buffer, meaning[found - letters]);
        reader->at++;
        return true;
    }
    if (c != 'u')
        return malformed(reader, "Invalid \\escape", reader->at - 1);
    if (!take_hex(reader, &code))
        return false;
    bool has_low = code >= 0xd800 && code < 0xdc00 && now(reader) == '\\' &&
                   reader->at + 1 < reader->text.len && reader->text.ptr[reader->at + 1] == 'u';
    if (has_low) {
        reader->at++;
        if (!take_hex(reader, &low))
            return false;
        code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
                                             : 0xfffd;
    } else if (code >= 0xd800 && code < 0xe000) {
        code = 0xfffd;
    }
    buffer_add(buffer, bytes, utf8_encode(code, bytes));
    return true;
}

static bool read_text(struct reader *reader, struct value *ret)
{
    struct buffer buffer = buffer_new(reader->vm);
    size_t start = reader->at++;
    while (now(reader) != '"') {
        if (reader->at >= reader->text.len)
            return malformed(reader, "Unterminated string starting at", start);
        if ((unsigned char)now(reader) < 0x20)
            return malformed(reader, "Invalid control character at", reader->at);
        if (now(reader) == '\\') {
            reader->at++;
            if (!read_escape(reader, &buffer))
                return false;
        } else {
            buffer_char(&buffer, reader->text.ptr[reader->at++]);
        }
    }
    reader->at++;
    return buffer_value(reader->vm, &buffer, ret);
}

static bool read_number(struct reader *reader, struct value *ret)
{
    size_t start = reader->at;
    bool is_negative = now(reader) == '-', is_float = false;
    reader->at += is_negative;
    size_t digits = reader->at;
    if (now(reader) == '0')
        reader->at++;
    else
        while (isdigit((unsigned char)now(reader)))
            reader->at++;
    size_t whole_end = reader->at;
    if (now(reader) == '.' && reader->at + 1 < reader->text.len &&
        isdigit((unsigned char)reader->text.ptr[reader->at + 1])) {
        is_float = true;
        reader->at++;
        while (isdigit((unsigned char)now(reader)))
            reader->at++;
    }
    if (now(reader) == 'e' || now(reader) == 'E') {
        size_t at = reader->at + 1;
        at += at < reader->text.len && (reader->text.ptr[at] == '+' || reader->text.ptr[at] == '-');
        if (at < reader->text.len && isdigit((unsigned char)reader->text.ptr[at])) {
            is_float = true;
            reader->at = at;
            while (isdigit((unsigned char)now(reader)))
                reader->at++;
        }
    }
    if (whole_end == digits)
        return malformed(reader, "Expecting value", start);
    ret->kind = K_FLOAT;
    if (is_float)
        return float_parse((struct slice){ reader->text.ptr + start, reader->at - start },
                           &ret->f) ||
               malformed(reader, "Expecting value", start);
    size_t length = whole_end - digits;
    if (length > LIMIT_INTEGER_BITS || (length > 20 && !vm_work(reader->vm, length * length / 20)))
        return raise_limit(reader->vm, "a whole number has more than %d bits", LIMIT_INTEGER_BITS);
    if (!integer_parse(reader->vm->arena,
                       (struct slice){ reader->text.ptr + digits, whole_end - digits }, 10, ret))
        return raise_limit(reader->vm, "a whole number has more than %d bits", LIMIT_INTEGER_BITS);
    if (is_negative)
        *ret = integer_negate(reader->vm->arena, *ret);
    return true;
}

static bool read_list(struct reader *reader, struct value *ret)
{
    *ret = list_new(reader->vm->arena, K_LIST, 4);
    reader->at++;
    skip_white(reader);
    if (now(reader) == ']') {
        reader->at++;
        return true;
    }
    for (;;) {
        struct value item;
        if (!read_value(reader, &item))
            return false;
        list_push(reader->vm->arena, ret->list, item);
        skip_white(reader);
        char c = now(reader);
        if (c != ',' && c != ']')
            return malformed(reader, "Expecting ',' delimiter", reader->at);
        reader->at++;
        if (c == ']')
            return true;
    }
}

static bool read_entry(struct reader *reader, struct dict *dict, struct list *pairs)
{
    struct value key, item;
    skip_white(reader);
    if (now(reader) != '"')
        return malformed(reader, "Expecting property name enclosed in double quotes", reader->at);
    if (!read_text(reader, &key))
        return false;
    skip_white(reader);
    if (now(reader) != ':')
        return malformed(reader, "Expecting ':' delimiter", reader->at);
    reader->at++;
    if (!read_value(reader, &item))
        return false;
    dict_set_text(reader->vm->arena, dict, key.s, item);
    if (pairs) {
        const struct value pair[] = { key, item };
        list_push(reader->vm->arena, pairs, tuple_of(reader->vm->arena, pair, 2));
    }
    return true;
}

/* What the hooks make of an object that is complete. */
static bool finish_dict(struct reader *reader, struct value pairs, struct value *ret)
{
    struct value dict = *ret;
    reader->at++;
    if (!reader->hooks)
        return true;
    if (reader->hooks->pairs.kind > K_NONE)
        return value_call1(reader->vm, reader->hooks->pairs, pairs, ret);
    return reader->hooks->object.kind <= K_NONE ||
           value_call1(reader->vm, reader->hooks->object, dict, ret);
}

static bool read_dict(struct reader *reader, struct value *ret)
{
    struct value pairs = reader->hooks ? list_new(reader->vm->arena, K_LIST, 0) : V_NONE;
    *ret = dict_value(reader->vm->arena, K_DICT);
    reader->at++;
    skip_white(reader);
    if (now(reader) == '}')
        return finish_dict(reader, pairs, ret);
    for (;;) {
        if (!read_entry(reader, ret->dict, reader->hooks ? pairs.list : NULL))
            return false;
        skip_white(reader);
        char c = now(reader);
        if (c != ',' && c != '}')
            return malformed(reader, "Expecting ',' delimiter", reader->at);
        if (c == '}')
            return finish_dict(reader, pairs, ret);
        reader->at++;
    }
}

static bool read_hooked_number(struct reader *reader, struct value *ret)
{
    size_t start = reader->at;
    if (!read_number(reader, ret))
        return false;
    if (!reader->hooks)
        return true;
    struct value hook =
        ret->kind == K_FLOAT ? reader->hooks->number_float : reader->hooks->number_int;
    struct value text =
        V_STR(string_new(reader->vm->arena, reader->text.ptr + start, reader->at - start));
    return hook.kind <= K_NONE || value_call1(reader->vm, hook, text, ret);
}

static bool read_word(struct reader *reader, struct value *ret)
{
    static const struct {
        const char *word;
        struct value v;
    } words[] = {
        { "null", { .kind = K_NONE } },
        { "true", { .kind = K_BOOL, .b = true } },
        { "false", { .kind = K_BOOL, .b = false } },
        { "NaN", { .kind = K_FLOAT, .f = NAN } },
        { "Infinity", { .kind = K_FLOAT, .f = INFINITY } },
        { "-Infinity", { .kind = K_FLOAT, .f = -INFINITY } },
    };
    struct slice rest = { reader->text.ptr + reader->at, reader->text.len - reader->at };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_starts_with(rest, slice_of(words[i].word))) {
            reader->at += strlen(words[i].word);
            *ret = words[i].v;
            return true;
        }
    if (now(reader) == '-' || isdigit((unsigned char)now(reader)))
        return read_hooked_number(reader, ret);
    return malformed(reader, "Expecting value", reader->at);
}

static bool read_value(struct reader *reader, struct value *ret)
{
    if (!vm_step(reader->vm) || !vm_enter(reader->vm))
        return false;
    skip_white(reader);
    char c = now(reader);
    bool is_done = c == '"'   ? read_text(reader, ret)
                   : c == '[' ? read_list(reader, ret)
                   : c == '{' ? read_dict(reader, ret)
                              : read_word(reader, ret);
    vm_leave(reader->vm);
    return is_done;
}

static bool read_all(struct reader *reader, struct value *ret)
{
    if (!read_value(reader, ret))
        return false;
    skip_white(reader);
    return reader->at == reader->text.len || malformed(reader, "Extra data", reader->at);
}

bool json_read(struct vm *vm, struct slice text, struct value *ret)
{
    struct reader reader = { .vm = vm, .text = text };
    return read_all(&reader, ret);
}

bool json_read_source(struct vm *vm, const struct source *source, struct value *ret)
{
    struct reader reader = { .vm = vm, .text = source->text, .source = source };
    return read_all(&reader, ret);
}

/* --- the module --- */

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

static bool json_indent(struct vm *vm, struct value v, struct json_style *style)
{
    int64_t indent;
    if (v.kind <= K_NONE)
        return true;
    if (v.kind == K_STR) {
        style->indent = 1;
        style->indent_text = v.s->data;
        style->item_separator = ",";
        return true;
    }
    if (!value_to_i64(vm, v, &indent))
        return false;
    if (indent > LIMIT_WIDTH)
        return raise_limit(vm, "the indentation of JSON is larger than %d", LIMIT_WIDTH);
    style->indent = indent < 0 ? 0 : (int)indent;
    style->item_separator = ",";
    return true;
}

static bool json_separators(struct vm *vm, struct value v, struct json_style *style)
{
    if (v.kind <= K_NONE)
        return true;
    if ((v.kind != K_TUPLE && v.kind != K_LIST) || v.list->count != 2 ||
        v.list->items[0].kind != K_STR || v.list->items[1].kind != K_STR)
        return raise_error(vm, &class_TypeError, "separators must be a pair of texts");
    style->item_separator = v.list->items[0].s->data;
    style->key_separator = v.list->items[1].s->data;
    return true;
}

FUNCTION(json_dumps)
{
    (void)self;
    struct json_style style = JSON_STYLE_DEFAULT;
    bool is_ascii = true, allows_nan = true;
    if (!json_indent(vm, args->items[1], &style) || !json_separators(vm, args->items[2], &style) ||
        (!value_is_unset(args->items[3]) && !value_truth(vm, args->items[3], &style.sorts_keys)) ||
        (!value_is_unset(args->items[4]) && !value_truth(vm, args->items[4], &is_ascii)) ||
        (!value_is_unset(args->items[6]) && !value_truth(vm, args->items[6], &style.skips_keys)) ||
        (!value_is_unset(args->items[7]) && !value_truth(vm, args->items[7], &allows_nan)))
        return false;
    style.refuses_nan = !allows_nan;
    style.keeps_unicode = !is_ascii;
    style.fallback = args->items[5];
    ret->kind = K_STR;
    return json_write(vm, args->items[0], &style, &ret->s);
}

FUNCTION(json_loads)
{
    (void)self;
    if (args->items[0].kind != K_STR && args->items[0].kind != K_BYTES)
        return raise_error(vm, &class_TypeError,
                           "the JSON object must be str, bytes or bytearray, not %s",
                           value_type_name(args->items[0]));
    const struct hooks hooks = { args->items[1], args->items[2], args->items[3], args->items[4] };
    bool has_hooks = false;
    for (size_t i = 1; i < 5; i++)
        has_hooks |= args->items[i].kind > K_NONE;
    struct reader reader = { .vm = vm,
                             .text = string_slice(args->items[0].s),
                             .hooks = has_hooks ? &hooks : NULL };
    return read_all(&reader, ret);
}

FUNCTION(json_load)
{
    static const struct args none;
    struct value method, text;
    if (!value_get_attribute(vm, args->items[0], string_from(vm->arena, "read"), &method) ||
        !value_call(vm, method, &none, &text))
        return false;
    const struct value items[] = { text, args->items[1], args->items[2], args->items[3],
                                   args->items[4] };
    return json_loads(vm, self, &(struct args){ .items = items, .count = 5 }, ret);
}

const struct native json_natives[] = {
    { "dumps", json_dumps,
      "obj | indent separators sort_keys ensure_ascii default skipkeys allow_nan check_circular" },
    { "loads", json_loads, "s | object_hook object_pairs_hook parse_float parse_int" },
    { "load", json_load, "fp | object_hook object_pairs_hook parse_float parse_int" },
    { NULL, NULL, NULL },
};

bool prepare_json(struct vm *vm, struct dict *attributes)
{
    struct value error = { .kind = K_CLASS, .class = &class_JSONDecodeError };
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "JSONDecodeError"), error);
    return true;
}
