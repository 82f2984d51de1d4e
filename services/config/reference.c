#include "config/template.h"

#include <ctype.h>
#include <stdlib.h>

/* References such as `a.b[c]`.  Stored with a dot before every name: ".a.b[c]". */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_index_char(char c)
{
    return is_word(c) || c == '-' || c == '.' || c == '/';
}

/* The length of the component at the start; 0 when there is none. */
static size_t component_length(struct slice text)
{
    size_t at = 1;
    if (text.len < 2)
        return 0;
    if (text.ptr[0] == '.') {
        if (!is_word(text.ptr[1]) || isdigit((unsigned char)text.ptr[1]))
            return 0;
        while (at < text.len && is_word(text.ptr[at]))
            at++;
        return at;
    }
    if (text.ptr[0] != '[')
        return 0;
    while (at < text.len && is_index_char(text.ptr[at]))
        at++;
    return at > 1 && at < text.len && text.ptr[at] == ']' ? at + 1 : 0;
}

static bool hint_form(struct vm *vm)
{
    return hint(vm, "between {{ and }} stands a name such as a.b or a[b], without blanks");
}

bool reference_parse(struct vm *vm, struct slice address, struct string **ret)
{
    if (address.len == 0)
        return raise_library(vm, &class_InvalidRefError, ERROR_REFERENCE, "Invalid address: ''");
    char first = address.ptr[0];
    bool has_start = first == '.' || first == '[';
    if (!has_start && !isalpha((unsigned char)first) && first != '_')
        return raise_library(vm, &class_InvalidRefError, ERROR_REFERENCE, "%.*s",
                             SLICE_ARG(address)) ||
               hint_form(vm);
    struct string *reference = string_alloc(vm->arena, address.len + !has_start);
    reference->data[0] = '.';
    memcpy(reference->data + !has_start, address.ptr, address.len);
    string_finish(reference);
    for (size_t at = 0, length; at < reference->len; at += length) {
        length = component_length((struct slice){ reference->data + at, reference->len - at });
        if (length == 0)
            return raise_library(vm, &class_InvalidRefError, ERROR_REFERENCE,
                                 "Badly formed address %s", reference->data) ||
                   hint_form(vm);
    }
    *ret = reference;
    return true;
}

bool reference_wrap(struct vm *vm, struct value v, struct string **ret)
{
    struct string *text;
    if (v.kind == K_REF) {
        *ret = v.s;
        return true;
    }
    if (v.kind == K_STR)
        return reference_parse(vm, string_slice(v.s), ret);
    if (!value_repr(vm, v, &text))
        return false;
    return raise_library(vm, &class_InvalidRefError, ERROR_REFERENCE, "Invalid address: %s",
                         text->data);
}

struct slice reference_address(struct slice reference)
{
    if (reference.len && reference.ptr[0] == '.')
        return (struct slice){ reference.ptr + 1, reference.len - 1 };
    return reference;
}

struct slice reference_first(struct slice reference, bool *ret_is_index, struct slice *ret_rest)
{
    size_t length = component_length(reference);
    *ret_is_index = reference.len && reference.ptr[0] == '[';
    *ret_rest = (struct slice){ reference.ptr + length, reference.len - length };
    return (struct slice){ reference.ptr + 1, length - 1 - *ret_is_index };
}

bool reference_behind(struct slice reference, struct slice prefix, struct slice *ret_rest)
{
    if (reference.len <= prefix.len || memcmp(reference.ptr, prefix.ptr, prefix.len) != 0)
        return false;
    char next = reference.ptr[prefix.len];
    if (next != '.' && next != '[')
        return false;
    *ret_rest = (struct slice){ reference.ptr + prefix.len, reference.len - prefix.len };
    return true;
}

void references_add(struct vm *vm, struct references *references, struct string *reference)
{
    if (!references)
        return;
    if (references->count == references->capacity) {
        size_t capacity = references->capacity ? references->capacity * 2 : 8;
        references->items =
            arena_grow(vm->arena, references->items, references->capacity * sizeof reference,
                       capacity * sizeof reference);
        references->capacity = capacity;
    }
    references->items[references->count++] = reference;
}

static int compare_references(const void *a, const void *b)
{
    const struct string *x = *(struct string *const *)a, *y = *(struct string *const *)b;
    return slice_compare(reference_address(string_slice(x)), reference_address(string_slice(y)));
}

void references_sort(struct references *references)
{
    size_t count = 0;
    if (references->count == 0)
        return;
    qsort(references->items, references->count, sizeof *references->items, compare_references);
    for (size_t i = 0; i < references->count; i++)
        if (count == 0 || !string_equal(references->items[count - 1], references->items[i]))
            references->items[count++] = references->items[i];
    references->count = count;
}
