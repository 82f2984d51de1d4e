#include "signature/signature.h"

#include "registry/digest.h"
#include "signature/claims.h"
#include "json/base64.h"
#include "json/message_json.h"

#include <string.h>

#define SIMPLE_TYPE        "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGNATURE_TYPE     "application/vnd.dev.cosign.artifact.sig.v1+json"
#define BUNDLE_TYPE_PREFIX "application/vnd.dev.sigstore.bundle"
#define EMPTY_TYPE         "application/vnd.oci.empty.v1+json"
#define ANNOTATION         "dev.cosignproject.cosign/signature"

#define MAX_SIGNATURE_TEXT 1024u /* base64 */

static struct slice string_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return (struct slice){ json_string_value(value), json_string_length(value) };
}

static bool is_bundle_type(struct slice type)
{
    return slice_starts_with(type, SLICE(BUNDLE_TYPE_PREFIX));
}

/* -- manifests ------------------------------------------------------------------------------------ */

static bool parse_document(struct slice bytes, const char *what, json_t **ret_root,
                           struct error *err)
{
    json_t *root = NULL;
    if (bytes.len > SIGNATURE_MAX_MANIFEST_BYTES)
        return error_set(err, ERROR_FAILED_PRECONDITION, "%s is over %u bytes", what,
                         SIGNATURE_MAX_MANIFEST_BYTES);
    if (!json_parse(bytes, &root, &(struct error){ 0 }) || !json_is_object(root) ||
        json_integer_value(json_object_get(root, "schemaVersion")) != 2) {
        json_decref(root);
        return error_set(err, ERROR_FAILED_PRECONDITION, "%s is none", what);
    }
    *ret_root = root;
    return true;
}

static const char *digest_in(const json_t *object, struct arena *arena)
{
    struct slice digest = string_of(object, "digest");
    if (!digest.ptr || !digest_check(digest, &(struct error){ 0 }))
        return NULL;
    return arena_memdup0(arena, digest.ptr, digest.len);
}

static bool read_signature(const json_t *layer, struct arena *arena, struct slice *ret_signature)
{
    struct slice text = string_of(json_object_get(layer, "annotations"), ANNOTATION);
    return text.len > 0 && text.len <= MAX_SIGNATURE_TEXT &&
           base64_decode(text, arena, ret_signature);
}

static bool read_blob(const json_t *layer, struct arena *arena, struct signature_blob *ret_blob)
{
    struct slice type = string_of(layer, "mediaType");
    const json_t *size = json_object_get(layer, "size");
    struct signature_blob blob = { .digest = digest_in(layer, arena),
                                   .size = json_integer_value(size) };
    int64_t most = SIGNATURE_MAX_PAYLOAD_BYTES;
    if (is_bundle_type(type)) {
        blob.form = SIGNATURE_BUNDLE;
        most = SIGNATURE_MAX_BUNDLE_BYTES;
    } else if (!slice_is(type, SIMPLE_TYPE) || !read_signature(layer, arena, &blob.signature)) {
        return false;
    }
    if (!blob.digest || !json_is_integer(size) || blob.size < 0 || blob.size > most)
        return false;
    *ret_blob = blob;
    return true;
}

bool signature_manifest_parse(struct slice bytes, struct arena *arena,
                              struct signature_manifest *ret_manifest, struct error *err)
{
    struct signature_manifest manifest = { .subject = "" };
    json_t *root, *layer;
    size_t i;
    if (!parse_document(bytes, "the manifest of signatures", &root, err))
        return false;
    const json_t *layers = json_object_get(root, "layers");
    const json_t *subject = json_object_get(root, "subject");
    if (!json_is_array(layers) || (subject && !digest_in(subject, arena))) {
        json_decref(root);
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the manifest of signatures has no list of layers or a wrong subject");
    }
    if (subject)
        manifest.subject = digest_in(subject, arena);
    manifest.blobs = arena_array(arena, SIGNATURE_MAX_COUNT, sizeof manifest.blobs[0]);
    json_array_foreach(layers, i, layer)
    {
        if (manifest.count < SIGNATURE_MAX_COUNT &&
            read_blob(layer, arena, &manifest.blobs[manifest.count]))
            manifest.count++;
    }
    json_decref(root);
    *ret_manifest = manifest;
    return true;
}

/* Without a type, or with that of the empty configuration, which registries put there when the manifest
 * names none, the manifest itself has to be looked at. */
static bool may_hold_signatures(const json_t *entry)
{
    struct slice type = string_of(entry, "artifactType");
    return type.len == 0 || is_bundle_type(type) || slice_is(type, SIGNATURE_TYPE) ||
           slice_is(type, EMPTY_TYPE);
}

bool signature_referrers_parse(struct slice bytes, struct arena *arena,
                               struct signature_referrers *ret_referrers, struct error *err)
{
    struct signature_referrers referrers = { 0 };
    json_t *root, *entry;
    size_t i;
    if (!parse_document(bytes, "the list of referrers", &root, err))
        return false;
    const json_t *entries = json_object_get(root, "manifests");
    if (!json_is_array(entries)) {
        json_decref(root);
        return error_set(err, ERROR_FAILED_PRECONDITION, "the list of referrers is none");
    }
    referrers.digests = arena_array(arena, SIGNATURE_MAX_COUNT, sizeof referrers.digests[0]);
    json_array_foreach(entries, i, entry)
    {
        const char *digest = may_hold_signatures(entry) ? digest_in(entry, arena) : NULL;
        if (digest && referrers.count < SIGNATURE_MAX_COUNT)
            referrers.digests[referrers.count++] = digest;
    }
    json_decref(root);
    *ret_referrers = referrers;
    return true;
}

/* -- tags ----------------------------------------------------------------------------------------- */

char *signature_referrers_tag(const char *digest, struct arena *arena)
{
    char *tag = arena_strdup(arena, digest);
    char *colon = strchr(tag, ':');
    if (colon)
        *colon = '-';
    return tag;
}

char *signature_tag(const char *digest, struct arena *arena)
{
    return arena_printf(arena, "%s.sig", signature_referrers_tag(digest, arena));
}

/* -- checking ------------------------------------------------------------------------------------- */

/* What was signed is only looked at when a key vouches for it. */
enum signature_verdict signature_check(const struct signature_blob *blob, struct slice bytes,
                                       const char *digest, const struct public_keys *keys,
                                       const struct public_key **ret_key, struct error *err)
{
    struct arena *arena = arena_new();
    struct claims claims;
    enum signature_verdict verdict = SIGNATURE_BY_ANOTHER;
    const struct public_key *key = NULL;
    bool is_read = blob->form == SIGNATURE_SIMPLE
                       ? claims_from_payload(bytes, blob->signature, keys, arena, &claims, err)
                       : claims_from_bundle(bytes, digest, keys, arena, &claims, err);
    if (is_read) {
        key = claims.key;
        verdict = claims_name(&claims, digest, err) ? SIGNATURE_GOOD : SIGNATURE_FOR_ANOTHER;
    }
    arena_free(arena);
    if (verdict == SIGNATURE_GOOD)
        *ret_key = key;
    return verdict;
}
