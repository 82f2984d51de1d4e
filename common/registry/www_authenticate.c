#include "registry/www_authenticate.h"

#include "base/text.h"

#include <assert.h>
#include <stddef.h>
#include <strings.h>

static const char *const scheme_names[AUTH_SCHEME_COUNT] = {
    [AUTH_NONE] = "anonymous",
    [AUTH_BASIC] = "basic",
    [AUTH_BEARER] = "bearer",
};

const char *auth_scheme_name(enum auth_scheme scheme)
{
    assert(scheme < AUTH_SCHEME_COUNT);
    return scheme_names[scheme];
}

/* What is left of the header. */
struct reader {
    struct slice rest;
    struct arena *arena;
};

static bool is_token_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static char peek(const struct reader *reader)
{
    return reader->rest.len > 0 ? reader->rest.ptr[0] : 0;
}

static void advance(struct reader *reader, size_t count)
{
    reader->rest.ptr += count;
    reader->rest.len -= count;
}

static void skip_any(struct reader *reader, const char *bytes)
{
    while (peek(reader) && strchr(bytes, peek(reader)))
        advance(reader, 1);
}

static struct slice read_token(struct reader *reader)
{
    struct slice token = { reader->rest.ptr, 0 };
    while (token.len < reader->rest.len && is_token_byte(reader->rest.ptr[token.len]))
        token.len++;
    advance(reader, token.len);
    return token;
}

static bool read_quoted(struct reader *reader, const char **ret_value)
{
    char *value = arena_alloc(reader->arena, reader->rest.len);
    size_t len = 0;
    advance(reader, 1);
    while (reader->rest.len > 0 && peek(reader) != '"') {
        if (peek(reader) == '\\')
            advance(reader, 1);
        if (reader->rest.len == 0 || (unsigned char)peek(reader) < ' ' || peek(reader) == 127)
            return false;
        value[len++] = peek(reader);
        advance(reader, 1);
    }
    if (reader->rest.len == 0)
        return false;
    advance(reader, 1);
    *ret_value = value;
    return true;
}

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    { "realm", offsetof(struct auth_challenge, realm) },
    { "service", offsetof(struct auth_challenge, service) },
    { "scope", offsetof(struct auth_challenge, scope) },
    { "error", offsetof(struct auth_challenge, error) },
};

static bool is_name(struct slice token, const char *name)
{
    return token.len == strlen(name) && strncasecmp(token.ptr, name, token.len) == 0;
}

static void set_field(struct auth_challenge *challenge, struct slice name, const char *value)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char **field = (const char **)(void *)((char *)challenge + fields[i].offset);
        if (is_name(name, fields[i].name) && !(*field)[0])
            *field = value;
    }
}

/* `name = value`, of which the name has been read. */
static bool read_value(struct reader *reader, const char **ret_value)
{
    advance(reader, 1);
    skip_any(reader, " \t");
    if (peek(reader) == '"')
        return read_quoted(reader, ret_value);
    /* More than the token of the RFC: some registries leave the quotes of a URL out. */
    struct slice value = { reader->rest.ptr, 0 };
    while (peek(reader) > ' ' && peek(reader) < 127 && !strchr(",\"", peek(reader)))
        advance(reader, 1);
    value.len = (size_t)(reader->rest.ptr - value.ptr);
    *ret_value = arena_memdup0(reader->arena, value.ptr, value.len);
    return value.len > 0;
}

/* The parameters of one challenge, up to the name of the next scheme. */
static bool read_parameters(struct reader *reader, struct auth_challenge *challenge)
{
    for (;;) {
        skip_any(reader, " \t,");
        struct reader before = *reader;
        struct slice name = read_token(reader);
        if (name.len == 0)
            return reader->rest.len == 0;
        skip_any(reader, " \t");
        if (peek(reader) != '=') {
            *reader = before;
            return true;
        }
        const char *value;
        if (!read_value(reader, &value))
            return false;
        set_field(challenge, name, value);
    }
}

/* "Negotiate dG9rZW4=": a scheme with a token instead of parameters. */
static void skip_token68(struct reader *reader)
{
    struct reader ahead = *reader;
    while (is_token_byte(peek(&ahead)) || peek(&ahead) == '/')
        advance(&ahead, 1);
    if (ahead.rest.ptr == reader->rest.ptr)
        return;
    bool has_padding = peek(&ahead) == '=';
    skip_any(&ahead, "=");
    skip_any(&ahead, " \t");
    if (peek(&ahead) == ',' || (ahead.rest.len == 0 && has_padding))
        *reader = ahead;
}

static enum auth_scheme scheme_of(struct slice name)
{
    for (enum auth_scheme scheme = AUTH_BASIC; scheme < AUTH_SCHEME_COUNT; scheme++)
        if (is_name(name, scheme_names[scheme]))
            return scheme;
    return AUTH_NONE;
}

static bool read_challenge(struct reader *reader, struct auth_challenge *ret_challenge)
{
    struct auth_challenge challenge = { .realm = "", .service = "", .scope = "", .error = "" };
    struct slice name = read_token(reader);
    if (name.len == 0 || (peek(reader) && !strchr(" \t,", peek(reader))))
        return false;
    challenge.scheme = scheme_of(name);
    skip_any(reader, " \t");
    if (challenge.scheme == AUTH_NONE)
        skip_token68(reader);
    *ret_challenge = challenge;
    return read_parameters(reader, ret_challenge);
}

bool auth_challenge_parse(struct slice header, struct arena *arena,
                          struct auth_challenge *ret_challenge, struct error *err)
{
    struct reader reader = { .rest = header, .arena = arena };
    struct auth_challenge best = { .scheme = AUTH_NONE };

    if (header.len > AUTH_MAX_HEADER_BYTES)
        return error_set(err, ERROR_UNAUTHENTICATED, "its WWW-Authenticate header is over %d bytes",
                         AUTH_MAX_HEADER_BYTES);
    skip_any(&reader, " \t,");
    while (reader.rest.len > 0) {
        struct auth_challenge challenge;
        if (!read_challenge(&reader, &challenge))
            return error_set(err, ERROR_UNAUTHENTICATED,
                             "its WWW-Authenticate header is malformed at byte %zu",
                             (size_t)(reader.rest.ptr - header.ptr) + 1);
        if (challenge.scheme > best.scheme)
            best = challenge;
        skip_any(&reader, " \t,");
    }
    if (best.scheme == AUTH_NONE)
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "its WWW-Authenticate header asks for neither Basic nor Bearer");
    if (best.scheme == AUTH_BEARER && !best.realm[0])
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "its WWW-Authenticate header names no token server");
    *ret_challenge = best;
    return true;
}
