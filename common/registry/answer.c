#include "registry/answer.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <string.h>

#define MAX_TOKEN_BYTES   (16u << 10)
#define MAX_SHOWN_BYTES   120
#define DEFAULT_EXPIRES_S 60
#define MAX_EXPIRES_S     86400

static json_t *load(struct slice body)
{
    return body.len <= ANSWER_MAX_BYTES ? json_loadb(body.ptr ? body.ptr : "", body.len, 0, NULL)
                                        : NULL;
}

char *answer_printable(struct slice text, size_t most, struct arena *arena)
{
    size_t len = text.len < most ? text.len : most;
    char *copy = arena_memdup0(arena, text.ptr, len);
    for (size_t i = 0; i < len; i++)
        if (copy[i] < ' ' || copy[i] > '~')
            copy[i] = '?';
    return copy;
}

const char *answer_error(struct slice body, struct arena *arena)
{
    json_auto_t *root = load(body);
    const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
    const char *code = json_string_value(json_object_get(first, "code"));
    const char *message = json_string_value(json_object_get(first, "message"));
    if (!code && !message)
        return "";
    char *both = arena_printf(arena, "%s%s%s", code ? code : "", code && message ? ": " : "",
                              message ? message : "");
    return answer_printable(slice_of(both), MAX_SHOWN_BYTES, arena);
}

static bool is_sendable(const char *token)
{
    size_t len = strlen(token);
    for (size_t i = 0; i < len; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return false;
    return len > 0 && len <= MAX_TOKEN_BYTES;
}

static int64_t expires_in(const json_t *root)
{
    const json_t *value = json_object_get(root, "expires_in");
    if (!json_is_integer(value))
        return DEFAULT_EXPIRES_S;
    json_int_t seconds = json_integer_value(value);
    if (seconds < 1)
        return 1;
    return seconds > MAX_EXPIRES_S ? MAX_EXPIRES_S : (int64_t)seconds;
}

bool answer_token_parse(struct slice body, struct arena *arena, struct answer_token *ret_token,
                        struct error *err)
{
    json_auto_t *root = load(body);
    const char *token = json_string_value(json_object_get(root, "token"));
    if (!token)
        token = json_string_value(json_object_get(root, "access_token"));
    if (!token)
        return error_set(err, ERROR_UNAUTHENTICATED, "its answer has no token");
    if (!is_sendable(token))
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "its token is no printable text of up to %u bytes", MAX_TOKEN_BYTES);
    ret_token->token = arena_strdup(arena, token);
    ret_token->expires_in_s = expires_in(root);
    return true;
}

bool answer_credential_parse(struct slice answer, struct arena *arena,
                             struct credential *ret_credential)
{
    json_auto_t *root = load(answer);
    const char *user = json_string_value(json_object_get(root, "Username"));
    const char *secret = json_string_value(json_object_get(root, "Secret"));
    if (!user || !user[0] || !secret || !secret[0])
        return false;
    bool is_token = strcmp(user, "<token>") == 0;
    *ret_credential = (struct credential){
        .user = arena_strdup(arena, user),
        .password = is_token ? "" : arena_strdup(arena, secret),
        .identity_token = is_token ? arena_strdup(arena, secret) : "",
    };
    return true;
}
