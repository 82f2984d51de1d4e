#include "registry/fetch_state.h"

#include "registry/answer.h"
#include "registry/retry.h"
#include "json/base64.h"

/* From a 401 to a request that is authorized: the challenge says how, a credential comes from a file or a
 * helper, a token from the registry's token server. */

#define TOKEN_SLACK_MS    5000u
#define BASIC_LIFETIME_MS 3600000u
#define MAX_CHALLENGES    8u

/* What is known for the registry, or NULL. */
static const struct credential *known_credential(const struct fetch *fetch)
{
    if (fetch->helped.user)
        return &fetch->helped;
    return credentials_find(fetch->client->files.credentials, fetch->home.authority);
}

static char *basic_header(struct fetch *fetch, const struct credential *credential)
{
    struct text out = TEXT_INIT;
    char *both = arena_printf(fetch->arena, "%s:%s", credential->user, credential->password);
    base64_encode(slice_of(both), &out);
    char *header = arena_printf(fetch->arena, "Authorization: Basic %s", text_string(&out));
    text_done(&out);
    return header;
}

static void use_grant(struct fetch *fetch, enum auth_scheme scheme, const char *header,
                      uint64_t lifetime_ms)
{
    grants_put(fetch->client->grants, fetch->request.base_url, fetch->request.repository, scheme,
               header, fetch_now_ms(fetch) + lifetime_ms);
    fetch->is_fresh = true;
    fetch_queue_granted(fetch);
}

static void refuse(struct fetch *fetch, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The end, unless somebody has logged in meanwhile. */
static void refuse(struct fetch *fetch, enum error_code code, const char *fmt, ...)
{
    struct error err;
    va_list ap;
    va_start(ap, fmt);
    error_set(&err, code, "%s", arena_vprintf(fetch->arena, fmt, ap));
    va_end(ap);
    fetch_finish_unless_reread(fetch, &err);
}

static const char *token_host(struct fetch *fetch)
{
    struct origin origin;
    struct error ignored;
    return origin_parse(slice_of(fetch->url), &origin, &ignored)
               ? arena_printf(fetch->arena, "%.*s", SLICE_ARG(origin.authority))
               : "";
}

static void take_token(struct fetch *fetch)
{
    struct answer_token token;
    struct error err;
    if (!answer_token_parse(text_slice(&fetch->body), fetch->arena, &token, &err)) {
        fetch_fail(fetch, err.code, "token server %s of registry %s: %s", token_host(fetch),
                   fetch->request.base_url, err.message);
        return;
    }
    uint64_t lifetime_ms = (uint64_t)token.expires_in_s * 1000;
    const char *header = arena_printf(fetch->arena, "Authorization: Bearer %s", token.token);
    fetch_start_over(fetch);
    use_grant(fetch, AUTH_BEARER, header,
              lifetime_ms > 2 * TOKEN_SLACK_MS ? lifetime_ms - TOKEN_SLACK_MS : lifetime_ms / 2);
}

static void describe_refusal(struct fetch *fetch, unsigned status, struct error *ret_err)
{
    const char *said = answer_error(text_slice(&fetch->body), fetch->arena);
    bool is_refusal = status == 401 || status == 403;
    error_set(ret_err, is_refusal ? ERROR_UNAUTHENTICATED : ERROR_UNAVAILABLE,
              "token server %s of registry %s %s %s (%u%s%s)", token_host(fetch),
              fetch->request.base_url, is_refusal ? "refused access to" : "gave no token for",
              fetch->request.repository, status, said[0] ? " " : "", said);
}

static void describe_break(struct fetch *fetch, enum http_outcome outcome, const char *why,
                           struct error *ret_err)
{
    if (outcome == HTTP_DISTRUSTED)
        fetch_describe_break(fetch, outcome, why, ret_err);
    else
        error_set(ret_err, ERROR_UNAVAILABLE,
                  "token server %s of registry %s could not be reached for %s: %s",
                  token_host(fetch), fetch->request.base_url, fetch->request.repository,
                  answer_printable(slice_of(why), FETCH_MAX_WHY_BYTES, fetch->arena));
}

static void on_token_done(void *user, enum http_outcome outcome, const char *why)
{
    struct fetch *fetch = user;
    unsigned status = http_status(fetch->transfer);
    struct slice retry_after = http_header(fetch->transfer, "Retry-After", 0);
    const char *later = arena_memdup0(fetch->arena, retry_after.ptr, retry_after.len);
    bool is_answer = outcome == HTTP_COMPLETE || outcome == HTTP_REFUSED_BY_READER;
    struct error err;

    if (is_answer)
        describe_refusal(fetch, status, &err);
    else
        describe_break(fetch, outcome, why, &err);
    fetch->transfer = NULL;
    if (outcome == HTTP_COMPLETE && status == 200)
        take_token(fetch);
    else if (outcome == HTTP_BROKEN || (is_answer && retry_is_worth(status)))
        fetch_try_again(fetch, slice_of(later), &err);
    else
        fetch_finish_unless_reread(fetch, &err);
}

static void add_parameter(struct text *to, const char *name, struct slice value)
{
    if (value.len == 0)
        return;
    text_printf(to, "%s%s=", to->len > 0 ? "&" : "", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c && strchr("-._~:/", c));
        if (is_plain)
            text_add_char(to, c);
        else
            text_printf(to, "%%%02X", (unsigned char)c);
    }
}

/* Every scope is a parameter of its own. */
static void add_scopes(struct fetch *fetch, const char *scopes, struct text *to)
{
    struct slice rest = slice_of(
        scopes[0] ? scopes
                  : arena_printf(fetch->arena, "repository:%s:pull", fetch->request.repository));
    while (rest.ptr)
        add_parameter(to, "scope", slice_split(&rest, ' '));
}

/* An identity token is exchanged for a token, a password comes along with the question. */
static void send_to_token_server(struct fetch *fetch, const struct credential *credential)
{
    const char *realm = fetch->challenge.realm, *header = NULL;
    struct text query = TEXT_INIT;
    bool has_identity = credential && credential->identity_token[0];

    add_parameter(&query, "service", slice_of(fetch->challenge.service));
    add_scopes(fetch, fetch->challenge.scope, &query);
    if (has_identity) {
        add_parameter(&query, "grant_type", SLICE("refresh_token"));
        add_parameter(&query, "client_id", SLICE("eos"));
        add_parameter(&query, "refresh_token", slice_of(credential->identity_token));
    } else if (credential) {
        header = basic_header(fetch, credential);
    }
    fetch->url = has_identity ? realm
                              : arena_printf(fetch->arena, "%s%c%s", realm,
                                             strchr(realm, '?') ? '&' : '?', text_string(&query));
    struct http_request request = fetch_http_request(fetch, fetch->url);
    request.form = has_identity ? text_string(&query) : NULL;
    request.headers = &header;
    request.header_count = header ? 1 : 0;
    request.on_data = fetch_on_refusal_data;
    request.on_done = on_token_done;
    text_clear(&fetch->body);
    fetch->transfer = http_start(fetch->client->http, &request);
    if (query.len > 0)
        explicit_bzero(query.ptr, query.len);
    text_done(&query);
}

static void ask_for_token(struct fetch *fetch)
{
    struct origin server;
    struct error err;
    if (!origin_parse(slice_of(fetch->challenge.realm), &server, &err) ||
        !origin_check_security(&server, &fetch->client->insecure, &err)) {
        fetch_fail(fetch, err.code, "token server of registry %s: %s", fetch->request.base_url,
                   err.message);
        return;
    }
    /* Never those of the token server's own host: the registry names it, and gets the token. */
    fetch->is_home = false;
    send_to_token_server(fetch, known_credential(fetch));
}

static void answer_basic(struct fetch *fetch)
{
    const struct credential *credential = known_credential(fetch);
    if (!credential || !credential->user[0]) {
        refuse(fetch, ERROR_UNAUTHENTICATED,
               "registry %s needs a user name and password for %s, and none are known for %.*s",
               fetch->request.base_url, fetch->request.repository,
               SLICE_ARG(fetch->home.authority));
        return;
    }
    use_grant(fetch, AUTH_BASIC, basic_header(fetch, credential), BASIC_LIFETIME_MS);
}

void fetch_read_challenges(struct fetch *fetch, struct error *err)
{
    struct auth_challenge best = { .scheme = AUTH_NONE };
    error_set(err, ERROR_UNAUTHENTICATED, "it does not say how to authenticate");
    for (size_t n = 0; n < MAX_CHALLENGES; n++) {
        struct slice header = http_header(fetch->transfer, "WWW-Authenticate", n);
        struct auth_challenge challenge;
        if (header.len > 0 && auth_challenge_parse(header, fetch->arena, &challenge, err) &&
            challenge.scheme > best.scheme)
            best = challenge;
    }
    fetch->challenge = best;
}

static void refused(struct fetch *fetch)
{
    bool has_credentials = fetch->scheme == AUTH_BASIC || known_credential(fetch);
    const char *said = answer_error(text_slice(&fetch->body), fetch->arena);
    if (fetch->scheme == AUTH_BEARER && has_credentials)
        refuse(fetch, ERROR_PERMISSION_DENIED,
               "registry %s does not let the user that is known for %.*s have %s (401%s%s)",
               fetch->request.base_url, SLICE_ARG(fetch->home.authority), fetch->request.what,
               said[0] ? " " : "", said);
    else
        refuse(fetch, ERROR_UNAUTHENTICATED, "registry %s refused %s %s (401%s%s)",
               fetch->request.base_url,
               has_credentials ? "the user name or password for" : "anonymous access to",
               fetch->request.what, said[0] ? " " : "", said);
}

static void answer_challenge(struct fetch *fetch)
{
    if (fetch->challenge.scheme == AUTH_BASIC)
        answer_basic(fetch);
    else
        ask_for_token(fetch);
}

static void on_helped(void *user, const struct credential *credential, const struct error *err)
{
    struct fetch *fetch = user;
    fetch->helper = NULL;
    if (err) {
        refuse(fetch, err->code, "registry %s: %s", fetch->request.base_url, err->message);
        return;
    }
    if (credential)
        fetch->helped = (struct credential){
            .user = arena_strdup(fetch->arena, credential->user),
            .password = arena_strdup(fetch->arena, credential->password),
            .identity_token = arena_strdup(fetch->arena, credential->identity_token),
        };
    answer_challenge(fetch);
}

static void on_helper_closed(void *user)
{
    registry_client_part_closed(user);
}

static void ask_helper(struct fetch *fetch, const char *name)
{
    struct credential_helper_request request = {
        .name = name,
        .server = fetch->home.authority,
        .on_done = on_helped,
        .on_closed = on_helper_closed,
        .user = fetch,
        .closed_user = fetch->client,
    };
    struct error err;
    fetch->is_helped = true;
    fetch->client->open_parts++;
    fetch->helper = credential_helper_start(fetch->client->loop, &request, &err);
    if (!fetch->helper)
        fetch_fail(fetch, err.code, "registry %s: %s", fetch->request.base_url, err.message);
}

void fetch_authorize(struct fetch *fetch)
{
    const char *helper =
        credentials_helper(fetch->client->files.credentials, fetch->home.authority);
    if (!fetch_queue_lead(fetch))
        return;
    if (helper && !fetch->is_helped)
        ask_helper(fetch, helper);
    else
        answer_challenge(fetch);
}

/* Another fetch got one for the same repository since this one was sent. */
static bool has_newer_grant(const struct fetch *fetch)
{
    const struct grant *grant = grants_find(fetch->client->grants, fetch->request.base_url,
                                            fetch->request.repository, fetch_now_ms(fetch));
    return grant && grant->serial != fetch->sent_grant;
}

void fetch_unauthorized(struct fetch *fetch, const struct error *err)
{
    if (!fetch->is_home) {
        fetch_fail(fetch, ERROR_UNAUTHENTICATED,
                   "registry %s redirected to a host that refuses access to %s (401)",
                   fetch->request.base_url, fetch->request.what);
    } else if (has_newer_grant(fetch)) {
        fetch->is_fresh = false;
        fetch_send(fetch);
    } else if (fetch->is_fresh) {
        grants_forget(fetch->client->grants, fetch->request.base_url, fetch->request.repository);
        refused(fetch);
    } else if (fetch->challenge.scheme == AUTH_NONE) {
        fetch_fail(fetch, ERROR_UNAUTHENTICATED, "registry %s refused access to %s (401): %s",
                   fetch->request.base_url, fetch->request.what, err->message);
    } else {
        fetch_authorize(fetch);
    }
}
