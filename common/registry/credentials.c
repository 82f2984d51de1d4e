#include "registry/credentials.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "json/base64.h"

#include <jansson.h>
#include <stdint.h>
#include <strings.h>

#define MAX_ENTRIES 10000u

struct entry {
    struct credential credential;
    char *user, *password, *identity_token;
};

struct credentials {
    struct map *docker; /* "host[:port]" -> struct entry */
    struct map *netrc;  /* "host" -> struct entry */
    struct entry *netrc_default;
    struct map *helpers; /* "host[:port]" -> char * */
    char *store;         /* the helper for all others, or NULL */
};

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void entry_free(void *value)
{
    struct entry *entry = value;
    if (!entry)
        return;
    wipe(entry->user);
    wipe(entry->password);
    wipe(entry->identity_token);
    free(entry);
}

static struct entry *entry_new(struct slice user, struct slice password,
                               struct slice identity_token)
{
    struct entry *entry = xcalloc(1, sizeof *entry);
    entry->user = xmemdup0(user.ptr ? user.ptr : "", user.len);
    entry->password = xmemdup0(password.ptr ? password.ptr : "", password.len);
    entry->identity_token =
        xmemdup0(identity_token.ptr ? identity_token.ptr : "", identity_token.len);
    entry->credential = (struct credential){ entry->user, entry->password, entry->identity_token };
    return entry;
}

struct credentials *credentials_new(void)
{
    struct credentials *credentials = xcalloc(1, sizeof *credentials);
    credentials->docker = map_new();
    credentials->netrc = map_new();
    credentials->helpers = map_new();
    return credentials;
}

static void free_all(struct map *map, void (*release)(void *value))
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(map, &cursor, &key, &value))
        release(value);
    map_free(map);
}

void credentials_free(struct credentials *credentials)
{
    if (!credentials)
        return;
    free_all(credentials->docker, entry_free);
    free_all(credentials->netrc, entry_free);
    free_all(credentials->helpers, free);
    entry_free(credentials->netrc_default);
    free(credentials->store);
    free(credentials);
}

/* -- hosts ---------------------------------------------------------------------------------------- */

/* "https://host:5000/v1/" as "host:5000". */
static struct slice strip_key(struct slice key)
{
    static const char *const schemes[] = { "https://", "http://" };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (slice_starts_with(key, slice_of(schemes[i]))) {
            key.ptr += strlen(schemes[i]);
            key.len -= strlen(schemes[i]);
        }
    return slice_split(&key, '/');
}

static bool is_docker_io(struct slice host)
{
    return slice_is(host, "docker.io") || slice_ends_with(host, SLICE(".docker.io"));
}

/* All names of Docker's registry are one key. */
static struct slice host_key(struct slice host)
{
    return is_docker_io(host) ? SLICE("docker.io") : host;
}

static struct slice without_port(struct slice host)
{
    size_t len = host.len;
    while (len > 0 && host.ptr[len - 1] >= '0' && host.ptr[len - 1] <= '9')
        len--;
    return len > 0 && host.ptr[len - 1] == ':' ? (struct slice){ host.ptr, len - 1 } : host;
}

const struct credential *credentials_find(const struct credentials *credentials, struct slice host)
{
    const struct entry *entry = map_get(credentials->docker, host_key(host));
    if (!entry)
        entry = map_get(credentials->netrc, host);
    if (!entry)
        entry = map_get(credentials->netrc, without_port(host));
    if (!entry)
        entry = credentials->netrc_default;
    return entry ? &entry->credential : NULL;
}

const char *credentials_helper(const struct credentials *credentials, struct slice host)
{
    const char *helper = map_get(credentials->helpers, host_key(host));
    return helper ? helper : credentials->store;
}

static void put_entry(struct map *map, struct slice key, struct entry *entry)
{
    if (map_get(map, key))
        entry_free(entry); /* the first one of several keys of a host counts */
    else
        map_put(map, key, entry);
}

/* -- Docker's config.json ------------------------------------------------------------------------- */

static struct slice string_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return SLICE("");
    return (struct slice){ json_string_value(value), json_string_length(value) };
}

/* "auth" wins over "username" and "password", as Docker does it. */
static bool read_auth(const json_t *auth, struct arena *arena, struct entry **ret_entry,
                      struct error *err)
{
    struct slice user = string_of(auth, "username");
    struct slice password = string_of(auth, "password");
    struct slice identity_token = string_of(auth, "identitytoken");
    struct slice encoded = string_of(auth, "auth");
    if (encoded.len > 0) {
        struct slice both;
        if (!base64_decode(encoded, arena, &both))
            return error_set(err, ERROR_INVALID_ARGUMENT, "\"auth\" is not base64");
        user = slice_split(&both, ':');
        if (!both.ptr)
            return error_set(err, ERROR_INVALID_ARGUMENT, "\"auth\" has no ':' inside");
        password = both;
        while (password.len > 0 && !password.ptr[password.len - 1])
            password.len--;
    }
    if ((user.len > 0 && memchr(user.ptr, 0, user.len)) ||
        (password.len > 0 && memchr(password.ptr, 0, password.len)))
        return error_set(err, ERROR_INVALID_ARGUMENT, "a user name or password has a NUL");
    *ret_entry =
        user.len > 0 || identity_token.len > 0 ? entry_new(user, password, identity_token) : NULL;
    return true;
}

static bool read_auths(struct credentials *credentials, json_t *auths, struct arena *arena,
                       struct error *err)
{
    const char *key;
    json_t *auth;
    size_t number = 0;
    json_object_foreach(auths, key, auth)
    {
        struct entry *entry = NULL;
        number++;
        if (!json_is_object(auth))
            continue; /* other settings, in the old form */
        if (!read_auth(auth, arena, &entry, err))
            return error_prefix(err, "entry %zu", number);
        if (entry)
            put_entry(credentials->docker, host_key(strip_key(slice_of(key))), entry);
    }
    return true;
}

/* It becomes part of a program's name. */
static bool is_helper_name(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
              (name[i] >= '0' && name[i] <= '9') || strchr("._-", name[i])))
            return false;
    return len > 0 && len <= 64 && name[0] != '.';
}

static bool read_helpers(struct credentials *credentials, const json_t *root, struct error *err)
{
    const char *key;
    json_t *value;
    const char *store = json_string_value(json_object_get(root, "credsStore"));
    if (store && store[0]) {
        if (!is_helper_name(store))
            return error_set(err, ERROR_INVALID_ARGUMENT, "\"credsStore\" is no program's name");
        free(credentials->store);
        credentials->store = xstrdup(store);
    }
    json_object_foreach(json_object_get(root, "credHelpers"), key, value)
    {
        const char *name = json_string_value(value);
        if (!name || !is_helper_name(name))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "\"credHelpers\" has something that is no program's name");
        free(map_put(credentials->helpers, host_key(strip_key(slice_of(key))), xstrdup(name)));
    }
    return true;
}

bool credentials_add_docker(struct credentials *credentials, struct slice json, struct error *err)
{
    if (json.len > CREDENTIALS_MAX_FILE_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is over %u bytes",
                         CREDENTIALS_MAX_FILE_BYTES);
    json_error_t position = { .line = 0 };
    CLEANUP(json_decrefp)
    json_t *root = json_loadb(json.ptr ? json.ptr : "", json.len, 0, &position);
    if (!json_is_object(root))
        return error_set(err, ERROR_INVALID_ARGUMENT, "line %d: it is no JSON object",
                         position.line > 0 ? position.line : 1);
    json_t *auths = json_object_get(root, "auths");
    bool is_new_form =
        auths || json_object_get(root, "credsStore") || json_object_get(root, "credHelpers");
    if (auths && !json_is_object(auths))
        return error_set(err, ERROR_INVALID_ARGUMENT, "\"auths\" is no JSON object");
    struct arena *arena = arena_new();
    bool ok = read_auths(credentials, is_new_form ? auths : root, arena, err) &&
              read_helpers(credentials, root, err);
    arena_free(arena);
    return ok;
}

/* -- .netrc --------------------------------------------------------------------------------------- */

struct words {
    struct slice rest;
    struct text word; /* the last one read, without its quotes */
};

static void skip_space(struct words *words)
{
    while (words->rest.len > 0 && strchr(" \t\r\n", words->rest.ptr[0])) {
        words->rest.ptr++;
        words->rest.len--;
    }
}

static void skip_line(struct words *words)
{
    if (words->rest.len > 0)
        slice_split(&words->rest, '\n');
    if (!words->rest.ptr)
        words->rest = SLICE("");
}

static char take_byte(struct words *words)
{
    char c = words->rest.ptr[0];
    words->rest.ptr++;
    words->rest.len--;
    return c;
}

static bool next_word(struct words *words)
{
    text_clear(&words->word);
    skip_space(words);
    while (words->rest.len > 0 && words->rest.ptr[0] == '#') {
        skip_line(words);
        skip_space(words);
    }
    if (words->rest.len == 0)
        return false;
    bool is_quoted = words->rest.ptr[0] == '"';
    if (is_quoted)
        take_byte(words);
    while (words->rest.len > 0 && !strchr(is_quoted ? "\"" : " \t\r\n", words->rest.ptr[0])) {
        char c = take_byte(words);
        if (c == '\\' && words->rest.len > 0)
            c = take_byte(words);
        text_add_char(&words->word, c);
    }
    if (is_quoted && words->rest.len > 0)
        take_byte(words);
    return true;
}

/* A macro goes on to the next empty line. */
static void skip_macro(struct words *words)
{
    do
        skip_line(words);
    while (words->rest.len > 0 && words->rest.ptr[0] != '\n');
}

struct machine {
    struct text name, login, password;
    bool is_open, is_default;
};

static void close_machine(struct credentials *credentials, struct machine *machine)
{
    if (machine->is_open && machine->login.len > 0) {
        struct entry *entry =
            entry_new(text_slice(&machine->login), text_slice(&machine->password), SLICE(""));
        if (!machine->is_default)
            put_entry(credentials->netrc, text_slice(&machine->name), entry);
        else if (credentials->netrc_default)
            entry_free(entry);
        else
            credentials->netrc_default = entry;
    }
    text_clear(&machine->name);
    text_clear(&machine->login);
    text_clear(&machine->password);
    machine->is_open = machine->is_default = false;
}

static bool read_words(struct credentials *credentials, struct words *words,
                       struct machine *machine, struct error *err)
{
    while (next_word(words)) {
        struct slice word = text_slice(&words->word);
        struct text ignored = TEXT_INIT;
        struct text *target = NULL;
        if (slice_is(word, "machine") || slice_is(word, "default")) {
            bool is_default = slice_is(word, "default");
            close_machine(credentials, machine);
            machine->is_open = true;
            machine->is_default = is_default;
            target = is_default ? NULL : &machine->name;
        } else if (slice_is(word, "macdef")) {
            skip_macro(words);
        } else if (slice_is(word, "login")) {
            target = &machine->login;
        } else if (slice_is(word, "password")) {
            target = &machine->password;
        } else if (slice_is(word, "account")) {
            target = &ignored;
        } else {
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "expected machine, default, login, password, account or macdef");
        }
        if (target && !next_word(words))
            return error_set(err, ERROR_INVALID_ARGUMENT, "a value is missing at the end");
        if (target) {
            text_clear(target);
            text_add_slice(target, text_slice(&words->word));
        }
        text_done(&ignored);
        if (map_count(credentials->netrc) > MAX_ENTRIES)
            return error_set(err, ERROR_INVALID_ARGUMENT, "it has over %u machines", MAX_ENTRIES);
    }
    close_machine(credentials, machine);
    return true;
}

bool credentials_add_netrc(struct credentials *credentials, struct slice text, struct error *err)
{
    struct words words = { .rest = text.ptr ? text : SLICE("") };
    struct machine machine = { 0 };

    if (text.len > CREDENTIALS_MAX_FILE_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is over %u bytes",
                         CREDENTIALS_MAX_FILE_BYTES);
    if (text.len > 0 && memchr(text.ptr, 0, text.len))
        return error_set(err, ERROR_INVALID_ARGUMENT, "it has a NUL");
    bool ok = read_words(credentials, &words, &machine, err);
    text_done(&words.word);
    text_done(&machine.name);
    text_done(&machine.login);
    text_done(&machine.password);
    return ok;
}
