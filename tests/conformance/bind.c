#include "conformance/conformance.h"

#include <openssl/evp.h>

/* The registry that the cases assume: every image exists, except those below absent/, and has the
 * digest of its name and tag.  Clusters differ in which registry they use. */

static const struct {
    const char *cluster, *prefix;
} REGISTRIES[] = {
    { "private", "registry.example.com:5000/" },
    { "mirror", "mirror.local/" },
};

struct binding {
    const char *prefix;
    struct text absent; /* the first image that does not exist, as name:tag */
};

static bool is_part(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./", s.ptr[i]))
            return false;
    return s.len > 0;
}

/* Behind "{{docker.image": takes `[part]`. */
static bool take_part(struct slice *rest, struct slice *ret_part)
{
    const char *close = rest->len && rest->ptr[0] == '[' ? memchr(rest->ptr, ']', rest->len) : NULL;
    if (!close)
        return false;
    *ret_part = (struct slice){ rest->ptr + 1, (size_t)(close - rest->ptr) - 1 };
    *rest = (struct slice){ close + 1, rest->len - ret_part->len - 2 };
    return is_part(*ret_part);
}

static void add_resolved(struct binding *binding, struct slice name, struct slice tag,
                         struct text *out)
{
    struct text key = TEXT_INIT;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    text_add_slice(&key, name);
    text_add_char(&key, ':');
    text_add_slice(&key, tag);
    if (slice_starts_with(name, SLICE("absent/")) && binding->absent.len == 0)
        text_add_slice(&binding->absent, text_slice(&key));
    EVP_Digest(key.ptr, key.len, digest, &len, EVP_sha256(), NULL);
    text_add(out, binding->prefix);
    text_add_slice(out, name);
    text_add(out, "@sha256:");
    text_add_hex(out, digest, len);
    text_done(&key);
}

static bool bind_text(struct binding *binding, struct slice text, struct text *out)
{
    static const struct slice open = { "{{docker.image", 14 };
    bool is_changed = false;
    while (text.len) {
        struct slice rest = { text.ptr + open.len, text.len - open.len }, name, tag;
        if (slice_starts_with(text, open) && take_part(&rest, &name) && take_part(&rest, &tag) &&
            slice_starts_with(rest, SLICE("}}"))) {
            add_resolved(binding, name, tag, out);
            text = (struct slice){ rest.ptr + 2, rest.len - 2 };
            is_changed = true;
        } else {
            text_add_char(out, text.ptr[0]);
            text = (struct slice){ text.ptr + 1, text.len - 1 };
        }
    }
    return is_changed;
}

static void bind_string(struct binding *binding, json_t *string)
{
    struct text out = TEXT_INIT;
    struct slice text = { json_string_value(string), json_string_length(string) };
    if (bind_text(binding, text, &out))
        json_string_setn(string, out.ptr, out.len);
    text_done(&out);
}

static void bind_value(struct binding *binding, json_t *value)
{
    const char *key;
    size_t i;
    json_t *item;
    if (json_is_string(value))
        bind_string(binding, value);
    json_array_foreach(value, i, item) bind_value(binding, item);
    json_object_foreach(value, key, item) bind_value(binding, item);
}

json_t *bind_job(json_t *job)
{
    struct binding binding = { .prefix = "", .absent = TEXT_INIT };
    const char *cluster = json_string_value(json_object_get(job, "cluster"));
    for (size_t i = 0; cluster && i < sizeof REGISTRIES / sizeof *REGISTRIES; i++)
        if (strcmp(cluster, REGISTRIES[i].cluster) == 0)
            binding.prefix = REGISTRIES[i].prefix;
    bind_value(&binding, job);
    json_t *result = job;
    if (binding.absent.len)
        result = json_pack("{s:{s:s,s:s+}}", "error", "class", "image_error", "message",
                           "Unable to resolve image ", text_string(&binding.absent));
    else
        json_incref(result);
    text_done(&binding.absent);
    return result;
}
