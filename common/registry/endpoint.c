#include "registry/endpoint.h"

#include <stdint.h>
#include <strings.h>

#define MAX_URL_BYTES 8192

static bool equal_ignoring_case(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static bool has_suffix_ignoring_case(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           equal_ignoring_case((struct slice){ s.ptr + s.len - suffix.len, suffix.len }, suffix);
}

static const struct {
    const char *prefix, *scheme;
    unsigned port;
} schemes[] = {
    { "https://", "https", 443 },
    { "http://", "http", 80 },
};

static bool is_clean(struct slice url)
{
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || url.ptr[i] >= 127 || strchr("\"<>\\^`{|}", url.ptr[i]))
            return false;
    return true;
}

/* "host", "host:port", "[address]", "[address]:port"; the port stays as it is when none is there. */
static bool split_authority(struct slice authority, struct slice *host, unsigned *port)
{
    struct slice rest = authority;
    if (rest.len > 0 && rest.ptr[0] == '[') {
        const char *end = memchr(rest.ptr, ']', rest.len);
        if (!end)
            return false;
        *host = (struct slice){ rest.ptr + 1, (size_t)(end - rest.ptr) - 1 };
        rest = (struct slice){ end + 1, rest.len - host->len - 2 };
    } else {
        const char *colon = rest.len > 0 ? memchr(rest.ptr, ':', rest.len) : NULL;
        *host = (struct slice){ rest.ptr, colon ? (size_t)(colon - rest.ptr) : rest.len };
        rest = (struct slice){ rest.ptr + host->len, rest.len - host->len };
    }
    if (host->len == 0)
        return false;
    if (rest.len == 0)
        return true;
    uint64_t number;
    struct slice digits = { rest.ptr + 1, rest.len - 1 };
    if (rest.ptr[0] != ':' || slice_starts_with(digits, SLICE("0")) ||
        !slice_to_u64(digits, 65535, &number))
        return false; /* with zeros in front a port could be written in many ways */
    *port = (unsigned)number;
    return true;
}

bool origin_parse(struct slice url, struct origin *ret_origin, struct error *err)
{
    struct origin origin = { 0 };
    if (url.len > MAX_URL_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a URL is over %d bytes", MAX_URL_BYTES);
    if (!is_clean(url))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a URL has a byte that does not belong into one");
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (slice_starts_with(url, slice_of(schemes[i].prefix))) {
            origin.scheme = slice_of(schemes[i].scheme);
            origin.port = schemes[i].port;
        }
    if (!origin.scheme.ptr)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a registry's URL must start with https:// or http://");
    size_t start = origin.scheme.len + strlen("://");
    size_t end = start;
    while (end < url.len && !strchr("/?#", url.ptr[end]))
        end++;
    origin.authority = (struct slice){ url.ptr + start, end - start };
    origin.rest = (struct slice){ url.ptr + end, url.len - end };
    if (origin.authority.len > 0 && memchr(origin.authority.ptr, '@', origin.authority.len))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a URL with a user name in it is not accepted");
    if (!split_authority(origin.authority, &origin.host, &origin.port))
        return error_set(err, ERROR_INVALID_ARGUMENT, "a URL has no valid host and port");
    *ret_origin = origin;
    return true;
}

bool origin_equal(const struct origin *a, const struct origin *b)
{
    return slice_equal(a->scheme, b->scheme) && equal_ignoring_case(a->host, b->host) &&
           a->port == b->port;
}

/* Four decimal numbers up to 255, the first of them 127. */
static bool is_loopback_address(struct slice host)
{
    struct slice rest = host;
    unsigned count = 0;
    while (rest.ptr) {
        uint64_t number;
        struct slice part = slice_split(&rest, '.');
        if (!slice_to_u64(part, 255, &number) || (count == 0 && number != 127))
            return false;
        count++;
    }
    return count == 4;
}

bool origin_is_loopback(const struct origin *origin)
{
    return equal_ignoring_case(origin->host, SLICE("localhost")) ||
           has_suffix_ignoring_case(origin->host, SLICE(".localhost")) ||
           slice_is(origin->host, "::1") || is_loopback_address(origin->host);
}

static bool is_listed(const struct origin *origin, const struct insecure_hosts *insecure)
{
    for (size_t i = 0; i < insecure->count; i++) {
        struct slice host;
        unsigned port = 0;
        if (split_authority(slice_of(insecure->items[i]), &host, &port) &&
            equal_ignoring_case(host, origin->host) && (port == 0 || port == origin->port))
            return true;
    }
    return false;
}

bool origin_check_security(const struct origin *origin, const struct insecure_hosts *insecure,
                           struct error *err)
{
    if (slice_is(origin->scheme, "https") || origin_is_loopback(origin) ||
        is_listed(origin, insecure))
        return true;
    return error_set(err, ERROR_FAILED_PRECONDITION,
                     "plain HTTP to %.*s is not allowed without --insecure-registry %.*s",
                     SLICE_ARG(origin->authority), SLICE_ARG(origin->authority));
}

bool endpoint_check(struct slice base_url, struct error *err)
{
    struct origin origin;
    if (!origin_parse(base_url, &origin, err))
        return false;
    if (origin.rest.len > 0 && !slice_is(origin.rest, "/"))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a registry's URL has nothing behind its host and port");
    return true;
}

static const char *const docker_hosts[] = { "docker.io", "index.docker.io", "registry-1.docker.io",
                                            "registry.hub.docker.com" };

static bool is_docker_host(struct slice host)
{
    for (size_t i = 0; i < sizeof docker_hosts / sizeof docker_hosts[0]; i++)
        if (equal_ignoring_case(host, slice_of(docker_hosts[i])))
            return true;
    return false;
}

char *endpoint_key(struct slice authority, struct arena *arena)
{
    if (slice_ends_with(authority, SLICE(":443")))
        authority.len -= strlen(":443");
    if (is_docker_host(authority))
        return arena_strdup(arena, docker_hosts[0]);
    char *key = arena_memdup0(arena, authority.ptr, authority.len);
    for (char *c = key; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c += 'a' - 'A';
    return key;
}

static const char *url_of_host(const char *host, const char *default_url,
                               const struct insecure_hosts *insecure, struct arena *arena)
{
    struct origin origin = { .port = 80 };
    struct origin known;
    struct error ignored;

    if (is_docker_host(slice_of(host)))
        return REGISTRY_DEFAULT_URL;
    if (origin_parse(slice_of(default_url), &known, &ignored) &&
        equal_ignoring_case(known.authority, slice_of(host)))
        return arena_printf(arena, "%.*s://%s", SLICE_ARG(known.scheme), host);
    bool is_plain = split_authority(slice_of(host), &origin.host, &origin.port) &&
                    origin.port != 443 &&
                    (origin_is_loopback(&origin) || is_listed(&origin, insecure));
    return arena_printf(arena, "%s://%s", is_plain ? "http" : "https", host);
}

void endpoint_find(const struct image_reference *reference, const char *default_url,
                   const struct insecure_hosts *insecure, struct arena *arena,
                   struct endpoint *ret_endpoint)
{
    const char *url = default_url;
    struct origin origin;
    struct error ignored;

    if (reference->host[0])
        url = url_of_host(reference->host, default_url, insecure, arena);
    size_t len = strlen(url);
    ret_endpoint->base_url = arena_memdup0(arena, url, url[len - 1] == '/' ? len - 1 : len);
    bool is_docker = origin_parse(slice_of(url), &origin, &ignored) && is_docker_host(origin.host);
    ret_endpoint->repository = is_docker && !strchr(reference->repository, '/')
                                   ? arena_printf(arena, "library/%s", reference->repository)
                                   : reference->repository;
}
