#include "binder/policy.h"

#include "base/text.h"
#include "registry/endpoint.h"
#include "registry/reference.h"

#include <string.h>

#define MAX_NAMED_KEYS 3u /* in a sentence */

/* -- names ---------------------------------------------------------------------------------------- */

static const char *const docker_hosts[] = { "docker.io", "index.docker.io", "registry-1.docker.io",
                                            "registry.hub.docker.com" };

static struct slice without(struct slice text, struct slice suffix)
{
    if (slice_ends_with(text, suffix))
        text.len -= suffix.len;
    return text;
}

/* A host in the one way in which it is compared. */
static char *canonical_host(struct slice host, struct arena *arena)
{
    host = without(without(without(host, SLICE(":443")), SLICE(":80")), SLICE("."));
    char *name = arena_memdup0(arena, host.ptr, host.len);
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    for (size_t i = 0; i < sizeof docker_hosts / sizeof docker_hosts[0]; i++)
        if (strcmp(name, docker_hosts[i]) == 0)
            return arena_strdup(arena, docker_hosts[0]);
    return name;
}

/* The "library/" of Docker's own images, which are written without. */
static const char *implied_folder(const char *host, struct slice path)
{
    bool is_official =
        strcmp(host, docker_hosts[0]) == 0 && path.len > 0 && !memchr(path.ptr, '/', path.len);
    return is_official ? "library/" : "";
}

/* "host/repository" */
static char *canonical_name(const char *base_url, const char *repository, struct arena *arena)
{
    struct origin origin;
    struct error ignored;
    if (!origin_parse(slice_of(base_url), &origin, &ignored))
        return arena_printf(arena, "/%s", repository);
    const char *host = canonical_host(origin.authority, arena);
    return arena_printf(arena, "%s/%s%s", host, implied_folder(host, slice_of(repository)),
                        repository);
}

/* -- reading -------------------------------------------------------------------------------------- */

static bool is_host(struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr(".-:[]", c))))
            return false;
    }
    return host.len > 0;
}

/* A host alone is the prefix of all that it has. */
static bool read_images(struct slice text, struct arena *arena, struct policy_rule *rule,
                        struct error *err)
{
    struct slice rest = text, host = slice_split(&rest, '/');
    struct slice path = without(rest, SLICE("/"));
    rule->images = arena_memdup0(arena, text.ptr, text.len);
    if (slice_is(text, "*")) {
        rule->prefix = "";
        return true;
    }
    if (!is_host(host) || memmem(text.ptr, text.len, "//", 2))
        return error_set(
            err, ERROR_INVALID_ARGUMENT,
            "\"images\" is no \"host\", \"host/repository\", \"host/prefix/\" or \"*\"");
    if (path.len > 0 && !repository_check(path, err))
        return error_prefix(err, "\"images\": behind the host");
    const char *name = canonical_host(host, arena);
    rule->prefix = arena_printf(arena, "%s/%s%.*s", name, implied_folder(name, rest),
                                rest.ptr ? (int)rest.len : 0, rest.ptr ? rest.ptr : "");
    return true;
}

static bool read_keys(const json_t *list, policy_key_fn *read_key, void *user, struct arena *arena,
                      struct policy_rule *rule, struct error *err)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > POLICY_MAX_KEYS)
        return error_set(err, ERROR_INVALID_ARGUMENT, "\"keys\" is no list of up to %u files",
                         POLICY_MAX_KEYS);
    struct public_key **keys = arena_array(arena, count, sizeof(struct public_key *));
    for (size_t i = 0; i < count; i++) {
        const char *path = json_string_value(json_array_get(list, i));
        if (!path)
            return error_set(err, ERROR_INVALID_ARGUMENT, "\"keys\" has something that is no file");
        keys[i] = read_key(user, path, err);
        if (!keys[i])
            return false;
    }
    rule->keys = (struct public_keys){ keys, count };
    return true;
}

/* A key that is not known may be a misspelled one: a rule that is not kept must not look as if it were. */
static bool check_names(const json_t *entry, struct error *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(entry))
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is no object");
    json_object_foreach((json_t *)entry, name, value)
    {
        if (strcmp(name, "images") != 0 && strcmp(name, "keys") != 0)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "it has something besides \"images\" and \"keys\"");
    }
    return true;
}

static bool read_rule(const json_t *entry, policy_key_fn *read_key, void *user, struct arena *arena,
                      struct policy_rule *ret_rule, struct error *err)
{
    if (!check_names(entry, err))
        return false;
    const char *images = json_string_value(json_object_get(entry, "images"));
    if (!images)
        return error_set(err, ERROR_INVALID_ARGUMENT, "\"images\" is no string");
    return read_images(slice_of(images), arena, ret_rule, err) &&
           read_keys(json_object_get(entry, "keys"), read_key, user, arena, ret_rule, err);
}

/* Of two rules for the same images nobody could say which one counts. */
static bool is_only_one(const struct policy_rule *rules, size_t index, struct error *err)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(rules[i].prefix, rules[index].prefix) == 0)
            return error_set(err, ERROR_INVALID_ARGUMENT, "\"images\" is that of entry %zu, too",
                             i + 1);
    return true;
}

bool policy_parse(const json_t *value, policy_key_fn *read_key, void *user, struct arena *arena,
                  struct policy *ret_policy, struct error *err)
{
    size_t count = json_array_size(value);
    if ((value && !json_is_array(value)) || count > POLICY_MAX_RULES)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "docker_signatures is no list of up to %u entries", POLICY_MAX_RULES);
    struct policy_rule *rules = arena_array(arena, count, sizeof *rules);
    for (size_t i = 0; i < count; i++)
        if (!read_rule(json_array_get(value, i), read_key, user, arena, &rules[i], err) ||
            !is_only_one(rules, i, err))
            return error_prefix(err, "docker_signatures entry %zu", i + 1);
    *ret_policy = (struct policy){ rules, count };
    return true;
}

/* -- asking --------------------------------------------------------------------------------------- */

/* A prefix that ends in "/" is of all below it, any other of that name alone. */
static bool matches(const struct policy_rule *rule, struct slice name)
{
    struct slice prefix = slice_of(rule->prefix);
    if (prefix.len == 0 || slice_ends_with(prefix, SLICE("/")))
        return slice_starts_with(name, prefix);
    return slice_equal(name, prefix);
}

const struct policy_rule *policy_find(const struct policy *policy, const char *base_url,
                                      const char *repository)
{
    const struct policy_rule *best = NULL;
    struct arena *arena;
    if (!policy || policy->count == 0)
        return NULL;
    arena = arena_new();
    struct slice name = slice_of(canonical_name(base_url, repository, arena));
    for (size_t i = 0; i < policy->count; i++)
        if (matches(&policy->rules[i], name) &&
            (!best || strlen(policy->rules[i].prefix) > strlen(best->prefix)))
            best = &policy->rules[i];
    arena_free(arena);
    return best;
}

char *policy_expected(const struct public_keys *keys, struct arena *arena)
{
    struct text text = TEXT_INIT;
    size_t named = keys->count < MAX_NAMED_KEYS ? keys->count : MAX_NAMED_KEYS;
    if (keys->count > 2)
        text_add(&text, "one of ");
    for (size_t i = 0; i < named; i++)
        text_printf(&text, "%s%s",
                    i == 0             ? ""
                    : keys->count == 2 ? " or "
                                       : ", ",
                    public_key_name(keys->items[i]));
    if (keys->count > named)
        text_printf(&text, " and %zu more", keys->count - named);
    char *copy = arena_strdup(arena, keys->count > 0 ? text_string(&text) : "nobody");
    text_done(&text);
    return copy;
}
