#include "registry/reference.h"

#include "base/text.h"
#include "registry/digest.h"

#include <stdint.h>

#define MAX_REPOSITORY_BYTES 255
#define MAX_TAG_BYTES        128
#define MAX_HOST_BYTES       261 /* a name of 255, and a port */
#define MAX_REFERENCE_BYTES  (MAX_HOST_BYTES + MAX_REPOSITORY_BYTES + MAX_TAG_BYTES + 140)

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The byte itself is shown when it can be. */
static bool wrong_byte(size_t offset, char c, const char *expected, struct error *err)
{
    if (c > ' ' && c < 127)
        return error_set(err, ERROR_INVALID_ARGUMENT, "byte %zu is not %s but '%c'", offset + 1,
                         expected, c);
    return error_set(err, ERROR_INVALID_ARGUMENT, "byte %zu is not %s", offset + 1, expected);
}

/* One of ".", "_", "__" or any number of dashes at `text[i]`; 0 when there is none. */
static size_t separator_len(struct slice text, size_t i)
{
    if (text.ptr[i] == '.')
        return 1;
    size_t end = i;
    while (end < text.len && text.ptr[end] == '-')
        end++;
    if (end > i)
        return end - i;
    if (text.ptr[i] == '_')
        return i + 1 < text.len && text.ptr[i + 1] == '_' ? 2 : 1;
    return 0;
}

/* `offset` is where `text` starts in what the user wrote. */
static bool check_repository(struct slice text, size_t offset, struct error *err)
{
    bool needs_letter = true; /* at the start of a part, and behind a separator */
    size_t i = 0;

    if (text.len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "byte %zu: a repository name is missing",
                         offset + 1);
    if (text.len > MAX_REPOSITORY_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the repository name is over %d bytes",
                         MAX_REPOSITORY_BYTES);
    while (i < text.len) {
        size_t separator = separator_len(text, i);
        if (is_lower(text.ptr[i])) {
            needs_letter = false;
            i++;
        } else if (needs_letter) {
            return wrong_byte(offset + i, text.ptr[i], "a lower-case letter or a digit", err);
        } else if (separator > 0 || text.ptr[i] == '/') {
            i += separator > 0 ? separator : 1;
            needs_letter = true;
        } else {
            return wrong_byte(offset + i, text.ptr[i],
                              "one of a-z, 0-9, '.', '_', '-' and '/' of a repository name", err);
        }
    }
    if (needs_letter)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "byte %zu: a lower-case letter or a digit must end a repository name",
                         offset + text.len);
    return true;
}

static bool check_tag(struct slice tag, size_t offset, struct error *err)
{
    if (tag.len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "byte %zu: a tag is missing", offset + 1);
    if (tag.len > MAX_TAG_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the tag is over %d bytes", MAX_TAG_BYTES);
    for (size_t i = 0; i < tag.len; i++)
        if (!is_word(tag.ptr[i]) && (i == 0 || (tag.ptr[i] != '.' && tag.ptr[i] != '-')))
            return wrong_byte(offset + i, tag.ptr[i],
                              i == 0 ? "one of A-Z, a-z, 0-9 and '_', which start a tag"
                                     : "one of A-Z, a-z, 0-9, '_', '.' and '-' of a tag",
                              err);
    return true;
}

bool repository_check(struct slice repository, struct error *err)
{
    return check_repository(repository, 0, err);
}

bool tag_check(struct slice tag, struct error *err)
{
    return check_tag(tag, 0, err);
}

static bool check_port(struct slice port, size_t offset, struct error *err)
{
    uint64_t number;
    if (slice_starts_with(port, SLICE("0")) || !slice_to_u64(port, 65535, &number))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "byte %zu: a port must be a number, 1 to 65535", offset + 1);
    return true;
}

static bool is_host_byte(char c)
{
    return is_word(c) || c == '.' || c == '-';
}

static bool is_address_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
           c == '.';
}

static char byte_at(struct slice text, size_t i)
{
    return i < text.len ? text.ptr[i] : 0;
}

/* "[address]"; `*ret_end` is behind it. */
static bool check_address(struct slice host, size_t *ret_end, struct error *err)
{
    size_t i = 1;
    while (i < host.len && is_address_byte(host.ptr[i]))
        i++;
    if (i == 1 || byte_at(host, i) != ']')
        return wrong_byte(i, byte_at(host, i), "of an address between '[' and ']'", err);
    *ret_end = i + 1;
    return true;
}

/* Words with dots between them; a word neither begins nor ends with a dash. */
static bool check_name(struct slice host, size_t *ret_end, struct error *err)
{
    size_t i = 0;
    bool begins = true;
    for (; is_host_byte(byte_at(host, i)); i++) {
        bool is_end = !is_host_byte(byte_at(host, i + 1)) || host.ptr[i + 1] == '.';
        if ((begins && !is_word(host.ptr[i])) || (host.ptr[i] == '-' && is_end))
            return wrong_byte(i, host.ptr[i], "a letter or a digit of a host's name", err);
        begins = host.ptr[i] == '.';
    }
    if (i == 0)
        return wrong_byte(0, byte_at(host, 0), "one of a host's name", err);
    *ret_end = i;
    return true;
}

/* "name", "name:port", "[address]" or "[address]:port". */
static bool check_host(struct slice host, struct error *err)
{
    size_t i;
    if (host.len > MAX_HOST_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "the host's name is over %d bytes",
                         MAX_HOST_BYTES);
    if (!(byte_at(host, 0) == '[' ? check_address : check_name)(host, &i, err))
        return false;
    if (i == host.len)
        return true;
    if (host.ptr[i] != ':')
        return wrong_byte(i, host.ptr[i], "one of a host's name, ':' or '/'", err);
    return check_port((struct slice){ host.ptr + i + 1, host.len - i - 1 }, i + 1, err);
}

static size_t find(struct slice text, char c)
{
    const char *at = text.len > 0 ? memchr(text.ptr, c, text.len) : NULL;
    return at ? (size_t)(at - text.ptr) : text.len;
}

static bool is_host(struct slice part)
{
    return find(part, '.') < part.len || find(part, ':') < part.len || slice_is(part, "localhost");
}

/* Where the tag's ':' is, or the end: the last one, unless a '/' follows. */
static size_t find_tag(struct slice text)
{
    for (size_t i = text.len; i > 0; i--) {
        if (text.ptr[i - 1] == '/')
            break;
        if (text.ptr[i - 1] == ':')
            return i - 1;
    }
    return text.len;
}

static struct slice take_after(struct slice *text, size_t at)
{
    struct slice rest = { text->ptr + at + 1, text->len - at - 1 };
    text->len = at;
    return rest;
}

struct parts {
    struct slice host, repository, tag, digest; /* ptr NULL: absent */
};

static bool split_reference(struct slice text, struct parts *parts, struct error *err)
{
    struct slice rest = text;
    size_t at = find(rest, '@');
    if (at < rest.len)
        parts->digest = take_after(&rest, at);
    if (parts->digest.ptr && find(parts->digest, '@') < parts->digest.len)
        return error_set(err, ERROR_INVALID_ARGUMENT, "byte %zu is a second '@'",
                         at + find(parts->digest, '@') + 2);
    size_t slash = find(rest, '/');
    if (slash < rest.len && is_host((struct slice){ rest.ptr, slash })) {
        parts->host = (struct slice){ rest.ptr, slash };
        rest = (struct slice){ rest.ptr + slash + 1, rest.len - slash - 1 };
    }
    size_t colon = find_tag(rest);
    if (colon < rest.len)
        parts->tag = take_after(&rest, colon);
    parts->repository = rest;
    return true;
}

static bool check_parts(const struct parts *parts, struct slice text, struct error *err)
{
    if (parts->host.ptr && !check_host(parts->host, err))
        return false;
    if (!check_repository(parts->repository, (size_t)(parts->repository.ptr - text.ptr), err))
        return false;
    if (parts->tag.ptr && !check_tag(parts->tag, (size_t)(parts->tag.ptr - text.ptr), err))
        return false;
    return !parts->digest.ptr ||
           digest_check_at(parts->digest, (size_t)(parts->digest.ptr - text.ptr), err);
}

static const char *const schemes[] = { "https://", "http://", "docker://", "oci://" };

static bool check_scheme(struct slice text, struct error *err)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (slice_starts_with(text, slice_of(schemes[i])))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "byte 1: an image reference begins with a host or a name, not with "
                             "\"%s\"",
                             schemes[i]);
    return true;
}

bool reference_parse(struct slice text, struct arena *arena, struct image_reference *ret_reference,
                     struct error *err)
{
    struct parts parts = { 0 };
    if (text.len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "an image reference is empty");
    if (text.len > MAX_REFERENCE_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "an image reference is over %d bytes",
                         MAX_REFERENCE_BYTES);
    if (!check_scheme(text, err) || !split_reference(text, &parts, err) ||
        !check_parts(&parts, text, err))
        return false;
    *ret_reference = (struct image_reference){
        .host = arena_memdup0(arena, parts.host.ptr, parts.host.len),
        .repository = arena_memdup0(arena, parts.repository.ptr, parts.repository.len),
        .tag = arena_memdup0(arena, parts.tag.ptr, parts.tag.len),
        .digest = arena_memdup0(arena, parts.digest.ptr, parts.digest.len),
    };
    return true;
}

const char *reference_version(const struct image_reference *reference)
{
    if (reference->digest[0])
        return reference->digest;
    return reference->tag[0] ? reference->tag : "latest";
}

char *reference_format(const struct image_reference *reference, struct arena *arena)
{
    return arena_printf(arena, "%s%s%s%s%s%s%s", reference->host, reference->host[0] ? "/" : "",
                        reference->repository, reference->tag[0] ? ":" : "", reference->tag,
                        reference->digest[0] ? "@" : "", reference->digest);
}
