#include "signature/claims.h"

#include "base/text.h"
#include "registry/digest.h"
#include "json/base64.h"
#include "json/message_json.h"

#include <stdio.h>
#include <string.h>

#define PAYLOAD_TYPE      "cosign container image signature"
#define STATEMENT_TYPE    "application/vnd.in-toto+json"
#define PREDICATE_TYPE    "https://sigstore.dev/cosign/sign/v1"
#define MAX_SUBJECTS      64u
#define MAX_DSSE          8u    /* signatures of one envelope */
#define MAX_SIGNATURE_LEN 1024u /* base64 */

static bool by_another(struct error *err)
{
    return error_set(err, ERROR_PERMISSION_DENIED, "it was made with another key");
}

static struct slice string_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return (struct slice){ json_string_value(value), json_string_length(value) };
}

static const struct public_key *find_key(const struct public_keys *keys, struct slice message,
                                         struct slice signature)
{
    for (size_t i = 0; i < keys->count; i++)
        if (public_key_verifies(keys->items[i], message, signature))
            return keys->items[i];
    return NULL;
}

/* -- simple signing ------------------------------------------------------------------------------- */

/* Where the signature says what it is for; the identity beside it is the signer's note and ignored, as
 * cosign does. */
static void read_payload(const json_t *root, struct arena *arena, struct claims *claims)
{
    const json_t *critical = json_object_get(root, "critical");
    struct slice digest = string_of(json_object_get(critical, "image"), "docker-manifest-digest");
    if (!slice_is(string_of(critical, "type"), PAYLOAD_TYPE) || !digest.ptr ||
        !digest_check(digest, &(struct error){ 0 }))
        return;
    const char **digests = arena_array(arena, 1, sizeof *digests);
    digests[0] = arena_memdup0(arena, digest.ptr, digest.len);
    claims->digests = digests;
    claims->count = 1;
}

bool claims_from_payload(struct slice payload, struct slice signature,
                         const struct public_keys *keys, struct arena *arena,
                         struct claims *ret_claims, struct error *err)
{
    struct claims claims = { .key = find_key(keys, payload, signature) };
    json_t *root = NULL;
    if (!claims.key)
        return by_another(err);
    if (json_parse(payload, &root, &(struct error){ 0 }))
        read_payload(root, arena, &claims);
    json_decref(root);
    *ret_claims = claims;
    return true;
}

/* -- bundles: a DSSE envelope --------------------------------------------------------------------- */

/* "DSSEv1 28 application/vnd.in-toto+json 7 {...}": what is signed. */
static struct slice pre_authentication(struct slice type, struct slice body, struct arena *arena)
{
    struct text text = TEXT_INIT;
    text_printf(&text, "DSSEv1 %zu ", type.len);
    text_add_slice(&text, type);
    text_printf(&text, " %zu ", body.len);
    text_add_slice(&text, body);
    struct slice encoded = { arena_memdup0(arena, text.ptr, text.len), text.len };
    text_done(&text);
    return encoded;
}

static bool decode(const json_t *object, const char *name, size_t most, struct arena *arena,
                   struct slice *ret_bytes)
{
    struct slice text = string_of(object, name);
    return text.len > 0 && text.len <= most && base64_decode(text, arena, ret_bytes);
}

static const struct public_key *find_envelope_key(const json_t *envelope, struct slice signed_bytes,
                                                  const struct public_keys *keys,
                                                  struct arena *arena)
{
    const json_t *signatures = json_object_get(envelope, "signatures");
    for (size_t i = 0; i < json_array_size(signatures) && i < MAX_DSSE; i++) {
        struct slice signature;
        const struct public_key *key = NULL;
        if (decode(json_array_get(signatures, i), "sig", MAX_SIGNATURE_LEN, arena, &signature))
            key = find_key(keys, signed_bytes, signature);
        if (key)
            return key;
    }
    return NULL;
}

static void add_subject(const json_t *subject, struct arena *arena, const char **digests,
                        struct claims *claims)
{
    struct slice hex = string_of(json_object_get(subject, "digest"), "sha256");
    if (hex.len != 64)
        return;
    char *digest = arena_printf(arena, "sha256:%.*s", SLICE_ARG(hex));
    if (digest_check(slice_of(digest), &(struct error){ 0 }))
        digests[claims->count++] = digest;
}

/* Only a statement that says "this image is signed": the same key may also have stated how an image was
 * built, or that it has holes. */
static void read_statement(const json_t *root, struct arena *arena, struct claims *claims)
{
    const json_t *subjects = json_object_get(root, "subject");
    if (!slice_starts_with(string_of(root, "_type"), SLICE("https://in-toto.io/Statement/")) ||
        !slice_is(string_of(root, "predicateType"), PREDICATE_TYPE))
        return;
    const char **digests = arena_array(arena, MAX_SUBJECTS, sizeof *digests);
    for (size_t i = 0; i < json_array_size(subjects) && i < MAX_SUBJECTS; i++)
        add_subject(json_array_get(subjects, i), arena, digests, claims);
    claims->digests = digests;
}

static bool read_envelope(const json_t *envelope, const struct public_keys *keys,
                          struct arena *arena, struct claims *claims, struct error *err)
{
    struct slice type = string_of(envelope, "payloadType"), body;
    json_t *root = NULL;
    if (!decode(envelope, "payload", MESSAGE_JSON_MAX_BYTES, arena, &body) || type.len == 0)
        return error_set(err, ERROR_PERMISSION_DENIED, "its bundle has a malformed envelope");
    claims->key = find_envelope_key(envelope, pre_authentication(type, body, arena), keys, arena);
    if (!claims->key)
        return by_another(err);
    if (slice_is(type, STATEMENT_TYPE) && json_parse(body, &root, &(struct error){ 0 }))
        read_statement(root, arena, claims);
    json_decref(root);
    return true;
}

/* -- bundles: a signature of the manifest's bytes ------------------------------------------------- */

static void sha256_from_text(const char *digest, unsigned char ret_bytes[32])
{
    const char *hex = digest + strlen("sha256:");
    for (size_t i = 0; i < 32; i++) {
        unsigned byte = 0;
        for (size_t j = 0; j < 2; j++) {
            char c = hex[2 * i + j];
            byte = byte << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        ret_bytes[i] = (unsigned char)byte;
    }
}

/* The digest in the bundle is not needed: it is the image's that is checked. */
static bool read_message_signature(const json_t *message, const char *digest,
                                   const struct public_keys *keys, struct arena *arena,
                                   struct claims *claims, struct error *err)
{
    unsigned char sha256[32];
    struct slice signature;
    if (strncmp(digest, "sha256:", 7) != 0 ||
        !decode(message, "signature", MAX_SIGNATURE_LEN, arena, &signature))
        return error_set(err, ERROR_PERMISSION_DENIED, "its bundle has a malformed signature");
    sha256_from_text(digest, sha256);
    for (size_t i = 0; i < keys->count && !claims->key; i++)
        if (public_key_verifies_sha256(keys->items[i], sha256, signature))
            claims->key = keys->items[i];
    if (!claims->key)
        return by_another(err);
    const char **digests = arena_array(arena, 1, sizeof *digests);
    digests[0] = arena_strdup(arena, digest);
    claims->digests = digests;
    claims->count = 1;
    return true;
}

static bool is_keyless(const json_t *root)
{
    const json_t *material = json_object_get(root, "verificationMaterial");
    return json_object_get(material, "certificate") ||
           json_object_get(material, "x509CertificateChain");
}

static bool read_bundle(const json_t *root, const char *digest, const struct public_keys *keys,
                        struct arena *arena, struct claims *claims, struct error *err)
{
    const json_t *envelope = json_object_get(root, "dsseEnvelope");
    const json_t *message = json_object_get(root, "messageSignature");
    bool is_read;
    if (json_is_object(envelope) && !message)
        is_read = read_envelope(envelope, keys, arena, claims, err);
    else if (json_is_object(message) && !envelope)
        is_read = read_message_signature(message, digest, keys, arena, claims, err);
    else
        return error_set(err, ERROR_PERMISSION_DENIED, "its bundle holds no signature");
    if (!is_read && is_keyless(root))
        return error_set(err, ERROR_PERMISSION_DENIED,
                         "it was made with a certificate, which is not supported, and not a key");
    return is_read;
}

bool claims_from_bundle(struct slice bundle, const char *digest, const struct public_keys *keys,
                        struct arena *arena, struct claims *ret_claims, struct error *err)
{
    struct claims claims = { 0 };
    json_t *root = NULL;
    if (!json_parse(bundle, &root, &(struct error){ 0 }) || !json_is_object(root)) {
        json_decref(root);
        return error_set(err, ERROR_PERMISSION_DENIED, "its bundle is no JSON object");
    }
    bool is_read = read_bundle(root, digest, keys, arena, &claims, err);
    json_decref(root);
    if (is_read)
        *ret_claims = claims;
    return is_read;
}

bool claims_name(const struct claims *claims, const char *digest, struct error *err)
{
    for (size_t i = 0; i < claims->count; i++)
        if (strcmp(claims->digests[i], digest) == 0)
            return true;
    if (claims->count == 0)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "what the key signed does not say that an image is signed");
    return error_set(err, ERROR_FAILED_PRECONDITION, "the key signed another image: %s",
                     claims->digests[0]);
}
