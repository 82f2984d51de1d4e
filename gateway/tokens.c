#include "gateway/tokens.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <sodium.h>

struct hash {
    unsigned char bytes[crypto_generichash_BYTES];
};

struct tokens {
    struct hash *hashes;
    size_t count;
};

static struct hash hash_of(struct slice token)
{
    struct hash hash;
    crypto_generichash(hash.bytes, sizeof hash.bytes, (const unsigned char *)token.ptr, token.len,
                       NULL, 0);
    return hash;
}

static bool check_token(struct slice token, size_t line, struct error *err)
{
    if (token.len < TOKEN_MIN_LEN || token.len > TOKEN_MAX_LEN)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "line %zu: expected a token of %d to %d characters", line, TOKEN_MIN_LEN,
                         TOKEN_MAX_LEN);
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] <= ' ' || token.ptr[i] >= 0x7f)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "line %zu: expected a token of visible ASCII characters", line);
    return true;
}

DEFINE_CLEANUP(tokens_freep, struct tokens *, tokens_free)

struct tokens *tokens_parse(struct slice text, struct error *err)
{
    CLEANUP(tokens_freep) struct tokens *tokens = xcalloc(1, sizeof *tokens);
    for (size_t line = 1; text.ptr; line++) {
        struct slice token = slice_trim(slice_split(&text, '\n'));
        if (token.len == 0 || token.ptr[0] == '#')
            continue;
        if (!check_token(token, line, err))
            return NULL;
        if (tokens->count == TOKEN_MAX_COUNT) {
            error_set(err, ERROR_INVALID_ARGUMENT, "more than %d tokens", TOKEN_MAX_COUNT);
            return NULL;
        }
        tokens->hashes = xreallocarray(tokens->hashes, tokens->count + 1, sizeof tokens->hashes[0]);
        tokens->hashes[tokens->count++] = hash_of(token);
    }
    if (tokens->count == 0) {
        error_set(err, ERROR_INVALID_ARGUMENT, "expected at least one token");
        return NULL;
    }
    return TAKE(tokens);
}

void tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    free(tokens->hashes);
    free(tokens);
}

bool tokens_accept(const struct tokens *tokens, struct slice authorization)
{
    struct slice scheme = slice_split(&authorization, ' ');
    if (scheme.len != 6 || strncasecmp(scheme.ptr, "bearer", 6) != 0 || !authorization.ptr)
        return false;
    struct hash given = hash_of(slice_trim(authorization));
    bool is_known = false;
    for (size_t i = 0; i < tokens->count; i++) /* all of them, whichever is the right one */
        is_known |= sodium_memcmp(given.bytes, tokens->hashes[i].bytes, sizeof given.bytes) == 0;
    return is_known;
}
