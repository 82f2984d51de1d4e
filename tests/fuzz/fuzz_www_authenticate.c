#include "registry/answer.h"
#include "registry/retry.h"
#include "registry/www_authenticate.h"

#include <assert.h>

/* What a registry may say in headers and small bodies. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = { (const char *)data, size };
    struct arena *arena = arena_new();
    struct auth_challenge challenge;
    struct answer_token token;
    struct error err;
    uint32_t delay_ms;
    if (auth_challenge_parse(text, arena, &challenge, &err))
        assert(challenge.scheme == AUTH_BASIC || challenge.realm[0]);
    if (answer_token_parse(text, arena, &token, &err))
        assert(token.token[0] && token.expires_in_s > 0);
    for (const char *c = answer_error(text, arena); *c; c++)
        assert(*c >= ' ' && *c <= '~');
    if (retry_after_parse(text, 1700000000000, &delay_ms))
        assert(delay_ms <= 86400000);
    arena_free(arena);
    return 0;
}
