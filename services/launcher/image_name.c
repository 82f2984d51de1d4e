#include "launcher/image_name.h"

#include "base/text.h"
#include "launcher/image_config.h"
#include "launcher/image_digest.h"
#include "launcher/image_path.h"

#define MAX_NAME_BYTES 255
#define MAX_TAG_BYTES  128

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter_or_digit(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* How many bytes a separator inside a repository's component takes: ".", "_", "__" or any number of
 * "-"; 0 when there is none. */
static size_t docker_separator(struct slice s)
{
    size_t dashes = 0;
    while (dashes < s.len && s.ptr[dashes] == '-')
        dashes++;
    if (dashes > 0)
        return dashes;
    if (slice_starts_with(s, SLICE("__")))
        return 2;
    return s.len > 0 && (s.ptr[0] == '.' || s.ptr[0] == '_' || s.ptr[0] == '/');
}

/* AppC's identifiers: runs of letters and digits with one of "-._~/" between. */
static size_t appc_separator(struct slice s)
{
    return s.len > 0 && s.ptr[0] && strchr("-._~/", s.ptr[0]);
}

/* Runs of lower-case letters and digits with separators between them. */
static bool check_runs(struct slice name, size_t (*separator)(struct slice), struct error *err)
{
    size_t i = 0;
    while (i < name.len) {
        size_t start = i;
        while (i < name.len && is_lower_or_digit(name.ptr[i]))
            i++;
        if (i == start || i == name.len)
            break;
        size_t taken = separator((struct slice){ name.ptr + i, name.len - i });
        if (taken == 0 || i + taken == name.len)
            break;
        i += taken;
    }
    if (i == name.len && i > 0)
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "image name is malformed at byte %zu: expected lower-case letters and digits "
                     "with separators between them",
                     i + 1);
}

static bool check_length(const char *name, struct error *err)
{
    size_t len = name ? strlen(name) : 0;
    if (len == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "image name is empty");
    if (len > MAX_NAME_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "image name is over %d bytes",
                         MAX_NAME_BYTES);
    return true;
}

static bool check_tag(struct slice tag, struct error *err)
{
    bool ok = tag.len <= MAX_TAG_BYTES;
    for (size_t i = 0; ok && i < tag.len; i++)
        ok = is_letter_or_digit(tag.ptr[i]) || tag.ptr[i] == '_' ||
             (i > 0 && (tag.ptr[i] == '.' || tag.ptr[i] == '-'));
    return ok || error_set(err, ERROR_INVALID_ARGUMENT,
                           "image tag is neither a tag of at most %d letters, digits, '_', '.' and "
                           "'-' nor \"sha256:\" and 64 hexadecimal digits",
                           MAX_TAG_BYTES);
}

/* The registry in front of a name: "host.domain/…", "host:port/…" or "localhost/…". */
static struct slice take_host(struct slice *name)
{
    struct slice rest = *name, first = slice_split(&rest, '/');
    bool is_host = rest.ptr && (memchr(first.ptr, '.', first.len) ||
                                memchr(first.ptr, ':', first.len) || slice_is(first, "localhost"));
    if (!is_host)
        return (struct slice){ 0 };
    *name = rest;
    return first;
}

static bool check_host(struct slice host, struct error *err)
{
    struct slice port = host, domain = slice_split(&port, ':');
    uint64_t number;
    bool ok = domain.len > 0 && domain.ptr[0] != '.' && domain.ptr[0] != '-';
    for (size_t i = 0; ok && i < domain.len; i++)
        ok = is_letter_or_digit(domain.ptr[i]) || domain.ptr[i] == '.' || domain.ptr[i] == '-';
    if (ok && port.ptr)
        ok = slice_to_u64(port, 65535, &number) && number > 0;
    return ok || error_set(err, ERROR_INVALID_ARGUMENT,
                           "image name starts with a malformed registry, expected HOST[:PORT]/");
}

/* 127.0.0.0/8 in digits, so that no name of a stranger is taken for it. */
static bool is_loopback(struct slice domain)
{
    if (slice_is(domain, "localhost"))
        return true;
    int parts = 0;
    for (struct slice rest = domain; rest.ptr; parts++) {
        uint64_t number;
        if (!slice_to_u64(slice_split(&rest, '.'), 255, &number) || (parts == 0 && number != 127))
            return false;
    }
    return parts == 4;
}

static bool is_insecure(struct slice host, const struct image_store_options *options)
{
    struct slice port = host, domain = slice_split(&port, ':');
    if (is_loopback(domain))
        return !slice_is(port, "443");
    for (size_t i = 0; i < options->insecure_registry_count; i++) {
        struct slice listed = slice_of(options->insecure_registries[i]);
        if (slice_equal(listed, host) || slice_equal(listed, domain))
            return true;
    }
    return false;
}

static bool is_docker_hub(struct slice host)
{
    return slice_is(host, "docker.io") || slice_is(host, "index.docker.io") ||
           slice_is(host, "registry-1.docker.io");
}

static struct slice host_of_url(struct slice url)
{
    const char *start = memmem(url.ptr, url.len, "://", 3);
    struct slice rest = url;
    if (start)
        rest = (struct slice){ start + 3, url.len - (size_t)(start + 3 - url.ptr) };
    return slice_split(&rest, '/');
}

static const char *registry_base(struct slice host, const struct image_store_options *options,
                                 struct arena *arena)
{
    struct slice url = slice_of(options->registry_url ? options->registry_url : "");
    if (host.len > 0 && is_docker_hub(host))
        return IMAGE_DEFAULT_REGISTRY;
    if (host.len > 0)
        return arena_printf(arena, "%s://%.*s", is_insecure(host, options) ? "http" : "https",
                            SLICE_ARG(host));
    while (slice_ends_with(url, SLICE("/")))
        url.len--;
    return url.len > 0 ? arena_memdup0(arena, url.ptr, url.len) : IMAGE_DEFAULT_REGISTRY;
}

static const char *label_of(const char *name, const char *reference, bool is_by_digest,
                            struct arena *arena)
{
    char shown[IMAGE_SHOWN_BYTES];
    image_show(name, shown);
    if (is_by_digest)
        return arena_printf(arena, "%s@%.19s", shown, reference);
    return arena_printf(arena, "%s:%.40s", shown, reference);
}

static bool find_docker(const struct image_request *request,
                        const struct image_store_options *options, struct arena *arena,
                        struct image_place *place, struct error *err)
{
    struct slice name = slice_of(request->name), host = take_host(&name);
    const char *tag = request->tag && *request->tag ? request->tag : "latest";

    place->is_by_digest = image_digest_is(IMAGE_SHA256, slice_of(tag));
    if (host.len > 0 && !check_host(host, err))
        return false;
    if (!check_runs(name, docker_separator, err) ||
        (!place->is_by_digest && !check_tag(slice_of(tag), err)))
        return false;

    place->base_url = registry_base(host, options, arena);
    bool is_official =
        is_docker_hub(host_of_url(slice_of(place->base_url))) && !memchr(name.ptr, '/', name.len);
    place->repository =
        arena_printf(arena, "%s%.*s", is_official ? "library/" : "", SLICE_ARG(name));
    place->reference = arena_strdup(arena, tag);
    place->origin = place->base_url;
    place->label = label_of(request->name, tag, place->is_by_digest, arena);
    place->key = arena_printf(arena, "docker %s %s %s", place->base_url, place->repository, tag);
    return true;
}

static bool locate_aci(const char *prefix, const char *file, struct arena *arena,
                       struct image_place *place, struct error *err)
{
    struct slice p = slice_of(prefix);
    if (slice_starts_with(p, SLICE("http://")) || slice_starts_with(p, SLICE("https://"))) {
        place->url = arena_printf(arena, "%s%s", prefix, file);
        place->origin = place->url;
        return true;
    }
    if (slice_starts_with(p, SLICE("file://")))
        prefix += sizeof "file://" - 1;
    if (*prefix != '/')
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "--appc-simple-discovery-uri-prefix is neither an absolute directory nor "
                         "a file:, http: or https: URL");
    const char *slash = prefix[strlen(prefix) - 1] == '/' ? "" : "/";
    place->path = arena_printf(arena, "%s%s%s", prefix, slash, file);
    place->origin = place->path;
    return true;
}

static bool find_appc(const struct image_request *request,
                      const struct image_store_options *options, struct arena *arena,
                      struct image_place *place, struct error *err)
{
    char shown[IMAGE_SHOWN_BYTES];
    const char *id = request->id ? request->id : "";
    if (!check_runs(slice_of(request->name), appc_separator, err))
        return false;
    if (*id && !image_digest_is(IMAGE_SHA512, slice_of(id)))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "image id is not \"sha512-\" and 128 hexadecimal digits");
    if (!options->appc_simple_discovery_uri_prefix)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "AppC images need --appc-simple-discovery-uri-prefix");

    /* Aurora gives neither version nor labels: the defaults of simple discovery, and this host. */
    const char *file =
        arena_printf(arena, "%s-latest-linux-%s.aci", request->name, image_appc_architecture);
    place->label = arena_strdup(arena, image_show(request->name, shown));
    place->reference = arena_strdup(arena, id);
    place->is_by_digest = *id;
    place->key = arena_printf(arena, "appc %s %s", request->name, id);
    return locate_aci(options->appc_simple_discovery_uri_prefix, file, arena, place, err);
}

bool image_place_find(const struct image_request *request,
                      const struct image_store_options *options, struct arena *arena,
                      struct image_place *ret_place, struct error *err)
{
    struct image_place place = { 0 };
    if (!check_length(request->name, err))
        return false;
    bool ok = request->kind == IMAGE_DOCKER ? find_docker(request, options, arena, &place, err)
                                            : find_appc(request, options, arena, &place, err);
    if (ok)
        *ret_place = place;
    return ok;
}
