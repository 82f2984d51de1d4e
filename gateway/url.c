#include "gateway/url.h"

#include "gateway/http_reader.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool url_decode(struct slice encoded, enum url_part part, struct arena *arena,
                struct slice *ret_text, struct error *err)
{
    char *text = arena_alloc(arena, encoded.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < encoded.len; i++) {
        char c = encoded.ptr[i];
        if (c == '%') {
            int high = i + 2 < encoded.len ? hex_value(encoded.ptr[i + 1]) : -1;
            int low = high >= 0 ? hex_value(encoded.ptr[i + 2]) : -1;
            if (low < 0)
                return error_set(err, ERROR_INVALID_ARGUMENT,
                                 "expected two hexadecimal digits behind \"%%\" in the URL");
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && part == URL_QUERY) {
            c = ' ';
        }
        if (c == '\0')
            return error_set(err, ERROR_INVALID_ARGUMENT, "the URL may not hold the character NUL");
        text[len++] = c;
    }
    struct slice decoded = { text, len };
    if (!slice_is_utf8(decoded))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the URL is not valid UTF-8");
    *ret_text = decoded;
    return true;
}

/* Cuts off ":port"; an IPv6 address stands in brackets. */
static struct slice without_port(struct slice host)
{
    if (host.len > 0 && host.ptr[0] == '[') {
        const char *end = memchr(host.ptr, ']', host.len);
        return end ? (struct slice){ host.ptr + 1, (size_t)(end - host.ptr) - 1 } : host;
    }
    return slice_split(&host, ':');
}

static bool is_ipv4_loopback(struct slice host)
{
    uint64_t part;
    unsigned count = 0;
    if (!slice_starts_with(host, SLICE("127.")))
        return false;
    for (; host.ptr; count++)
        if (!slice_to_u64(slice_split(&host, '.'), 255, &part))
            return false;
    return count == 4;
}

bool url_host_is_loopback(struct slice host)
{
    struct slice name = without_port(host);
    struct slice suffix = name.len > 10 ? (struct slice){ name.ptr + name.len - 10, 10 } : name;
    return http_name_is(name, "localhost") || http_name_is(suffix, ".localhost") ||
           is_ipv4_loopback(name) || slice_is(name, "::1");
}

bool url_is_origin_of(struct slice origin, struct slice host)
{
    static const struct slice schemes[] = { { "http://", 7 }, { "https://", 8 } };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (slice_starts_with(origin, schemes[i]))
            return origin.len - schemes[i].len == host.len &&
                   strncasecmp(origin.ptr + schemes[i].len, host.ptr, host.len) == 0;
    return false;
}
