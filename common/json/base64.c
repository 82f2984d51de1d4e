#include "json/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct slice bytes, struct text *out)
{
    text_reserve(out, (bytes.len + 2) / 3 * 4);
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        unsigned group = (unsigned)(uint8_t)bytes.ptr[i] << 16;
        if (left > 1)
            group |= (unsigned)(uint8_t)bytes.ptr[i + 1] << 8;
        if (left > 2)
            group |= (unsigned)(uint8_t)bytes.ptr[i + 2];
        text_add_char(out, alphabet[group >> 18]);
        text_add_char(out, alphabet[group >> 12 & 63]);
        text_add_char(out, left > 1 ? alphabet[group >> 6 & 63] : '=');
        text_add_char(out, left > 2 ? alphabet[group & 63] : '=');
    }
}

/* -1 for a character of neither alphabet. */
static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static bool without_padding(struct slice *text)
{
    size_t padding = 0;
    while (text->len > 0 && padding < 2 && text->ptr[text->len - 1] == '=') {
        text->len--;
        padding++;
    }
    return (padding == 0 || (text->len + padding) % 4 == 0) && text->len % 4 != 1;
}

bool base64_decode(struct slice text, struct arena *arena, struct slice *ret_bytes)
{
    if (!without_padding(&text))
        return false;

    char *bytes = arena_alloc(arena, text.len / 4 * 3 + 3);
    size_t len = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = digit_value(text.ptr[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (unsigned)value;
        if (i % 4 != 0)
            bytes[len++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    *ret_bytes = (struct slice){ bytes, len };
    return true;
}
