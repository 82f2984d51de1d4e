#include "signature/signature.h"
#include "unit/test.h"

#include "base/alloc.h"
#include "unit/signature/keys.h"
#include "json/base64.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define A     "sha256:" HEX_A
#define B     "sha256:" HEX_B

/* -- manifests ------------------------------------------------------------------------------------ */

#define SIMPLE(digest, size, signature)                                                            \
    "{\"mediaType\":\"application/vnd.dev.cosign.simplesigning.v1+json\",\"digest\":\"" digest     \
    "\",\"size\":" size ",\"annotations\":{\"dev.cosignproject.cosign/signature\":\"" signature    \
    "\"}}"
#define BUNDLE(digest, size)                                                                       \
    "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"digest\":\"" digest        \
    "\",\"size\":" size "}"
#define MANIFEST(layers) "{\"schemaVersion\":2,\"config\":{},\"layers\":[" layers "]}"

static const struct manifest_case {
    const char *name, *text;
    int count; /* of signatures; -1: an error */
    const char *subject;
} manifests[] = {
    { "one signature", MANIFEST(SIMPLE(A, "200", "AAAA")), 1, "" },
    { "several", MANIFEST(SIMPLE(A, "200", "AAAA") "," SIMPLE(B, "0", "BBBB")), 2, "" },
    { "a bundle", MANIFEST(BUNDLE(A, "5000")), 1, "" },
    { "none", MANIFEST(""), 0, "" },
    { "a layer of an image",
      MANIFEST("{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"" A
               "\",\"size\":1}"),
      0, "" },
    { "without an annotation",
      MANIFEST("{\"mediaType\":\"application/vnd.dev.cosign.simplesigning.v1+json\",\"digest\":"
               "\"" A "\",\"size\":1}"),
      0, "" },
    { "an annotation that is no base64", MANIFEST(SIMPLE(A, "200", "?")), 0, "" },
    { "a malformed digest", MANIFEST(SIMPLE("sha256:1", "200", "AAAA")), 0, "" },
    { "a payload that is too large", MANIFEST(SIMPLE(A, "65537", "AAAA")), 0, "" },
    { "a payload of a negative size", MANIFEST(SIMPLE(A, "-1", "AAAA")), 0, "" },
    { "a payload whose size is text", MANIFEST(SIMPLE(A, "\"1\"", "AAAA")), 0, "" },
    { "a bundle that is too large", MANIFEST(BUNDLE(A, "1048577")), 0, "" },
    { "layers that are no objects", MANIFEST("1,null,[],\"x\""), 0, "" },
    { "a subject",
      "{\"schemaVersion\":2,\"layers\":[],\"subject\":{\"digest\":\"" A "\",\"size\":1}}", 0, A },
    { "a malformed subject", "{\"schemaVersion\":2,\"layers\":[],\"subject\":{\"digest\":\"x\"}}",
      -1, NULL },
    { "a subject of another kind", "{\"schemaVersion\":2,\"layers\":[],\"subject\":1}", -1, NULL },
    { "no layers", "{\"schemaVersion\":2}", -1, NULL },
    { "another schema", "{\"schemaVersion\":1,\"layers\":[]}", -1, NULL },
    { "no object", "[]", -1, NULL },
    { "no JSON", "<html>", -1, NULL },
    { "nothing", "", -1, NULL },
};

static void manifest_has_signatures_or_is_explained(void **state)
{
    const struct manifest_case *c = *state;
    struct arena *arena = arena_new();
    struct signature_manifest manifest;
    struct error err = { 0 };
    bool ok = signature_manifest_parse(slice_of(c->text), arena, &manifest, &err);
    assert_int_equal(ok, c->count >= 0);
    if (ok) {
        assert_int_equal(manifest.count, c->count);
        assert_string_equal(manifest.subject, c->subject);
    } else {
        assert_int_equal(err.code, ERROR_FAILED_PRECONDITION);
        assert_non_null(strstr(err.message, "manifest of signatures"));
    }
    arena_free(arena);
}

static void only_the_first_signatures_are_looked_at(void **state)
{
    struct arena *arena = arena_new();
    struct text text = TEXT_INIT;
    struct signature_manifest manifest;
    struct error err;
    (void)state;
    text_add(&text, "{\"schemaVersion\":2,\"layers\":[");
    for (int i = 0; i < 1000; i++)
        text_add(&text, i > 0 ? "," SIMPLE(A, "1", "AAAA") : SIMPLE(B, "1", "AAAA"));
    text_add(&text, "]}");
    assert_true(signature_manifest_parse(text_slice(&text), arena, &manifest, &err));
    assert_int_equal(manifest.count, SIGNATURE_MAX_COUNT);
    assert_string_equal(manifest.blobs[0].digest, B);
    assert_string_equal(manifest.blobs[SIGNATURE_MAX_COUNT - 1].digest, A);
    text_done(&text);
    arena_free(arena);
}

static void a_manifest_has_a_limit(void **state)
{
    struct arena *arena = arena_new();
    size_t len = SIGNATURE_MAX_MANIFEST_BYTES + 1;
    char *bytes = arena_alloc(arena, len);
    struct signature_manifest manifest;
    struct signature_referrers referrers;
    struct error err;
    (void)state;
    memset(bytes, ' ', len);
    assert_false(signature_manifest_parse((struct slice){ bytes, len }, arena, &manifest, &err));
    assert_non_null(strstr(err.message, "over 1048576 bytes"));
    assert_false(signature_referrers_parse((struct slice){ bytes, len }, arena, &referrers, &err));
    arena_free(arena);
}

/* -- referrers ------------------------------------------------------------------------------------ */

#define ENTRY(type, digest) "{\"artifactType\":\"" type "\",\"digest\":\"" digest "\",\"size\":1}"
#define LIST(entries)       "{\"schemaVersion\":2,\"manifests\":[" entries "]}"

static const struct referrers_case {
    const char *name, *text;
    int count;
} lists[] = {
    { "a bundle", LIST(ENTRY("application/vnd.dev.sigstore.bundle.v0.3+json", A)), 1 },
    { "an older bundle", LIST(ENTRY("application/vnd.dev.sigstore.bundle+json;version=0.2", A)),
      1 },
    { "a signature", LIST(ENTRY("application/vnd.dev.cosign.artifact.sig.v1+json", A)), 1 },
    { "an unknown type", LIST(ENTRY("application/vnd.oci.empty.v1+json", A)), 1 },
    { "no type", LIST("{\"digest\":\"" A "\"}"), 1 },
    { "a list of parts", LIST(ENTRY("application/spdx+json", A)), 0 },
    { "a malformed digest", LIST(ENTRY("", "sha256:")), 0 },
    { "none", LIST(""), 0 },
    { "something else", "{\"schemaVersion\":2,\"layers\":[]}", -1 },
    { "no JSON", "404 page not found", -1 },
};

static void referrers_that_may_sign_are_found(void **state)
{
    const struct referrers_case *c = *state;
    struct arena *arena = arena_new();
    struct signature_referrers referrers;
    struct error err = { 0 };
    bool ok = signature_referrers_parse(slice_of(c->text), arena, &referrers, &err);
    assert_int_equal(ok, c->count >= 0);
    if (ok)
        assert_int_equal(referrers.count, c->count);
    else
        assert_non_null(strstr(err.message, "list of referrers"));
    arena_free(arena);
}

static void tags_are_those_of_cosign(void **state)
{
    struct arena *arena = arena_new();
    (void)state;
    assert_string_equal(signature_tag(A, arena), "sha256-" HEX_A ".sig");
    assert_string_equal(signature_referrers_tag(A, arena), "sha256-" HEX_A);
    arena_free(arena);
}

/* -- checking ------------------------------------------------------------------------------------- */

#define PAYLOAD(digest, type)                                                                      \
    "{\"critical\":{\"identity\":{\"docker-reference\":\"\"},\"image\":{"                          \
    "\"docker-manifest-digest\":\"" digest "\"},\"type\":\"" type "\"},\"optional\":null}"
#define COSIGN "cosign container image signature"

static const struct payload_case {
    const char *name, *payload;
    enum signature_verdict verdict;
    const char *message;
} payloads[] = {
    { "this image", PAYLOAD(A, COSIGN), SIGNATURE_GOOD, "" },
    { "another image", PAYLOAD(B, COSIGN), SIGNATURE_FOR_ANOTHER, "another image: " B },
    { "another type", PAYLOAD(A, "atomic container signature"), SIGNATURE_FOR_ANOTHER,
      "does not say that an image" },
    { "no digest", "{\"critical\":{\"type\":\"" COSIGN "\"}}", SIGNATURE_FOR_ANOTHER, "not say" },
    { "the digest twice",
      "{\"critical\":{\"image\":{\"docker-manifest-digest\":\"" B
      "\",\"docker-manifest-digest\":\"" A "\"},\"type\":\"" COSIGN "\"}}",
      SIGNATURE_FOR_ANOTHER, "not say" },
    { "the digest in capitals of its name",
      "{\"critical\":{\"image\":{\"Docker-manifest-digest\":\"" A "\"},\"type\":\"" COSIGN "\"}}",
      SIGNATURE_FOR_ANOTHER, "not say" },
    { "the bare digest", A, SIGNATURE_FOR_ANOTHER, "not say" },
    { "an array", "[]", SIGNATURE_FOR_ANOTHER, "not say" },
};

struct fixture {
    EVP_PKEY *pairs[3];
    struct public_key *keys[2]; /* of the first two */
    struct public_keys expected;
    struct arena *arena;
};

static void fixture_init(struct fixture *fixture)
{
    static const char *const algorithms[] = { "P-256", "ED25519", "P-256" };
    fixture->arena = arena_new();
    for (size_t i = 0; i < 3; i++)
        fixture->pairs[i] = key_make(algorithms[i]);
    for (size_t i = 0; i < 2; i++)
        fixture->keys[i] = key_public(fixture->pairs[i], algorithms[i]);
    fixture->expected = (struct public_keys){ fixture->keys, 2 };
}

static void fixture_done(struct fixture *fixture)
{
    for (size_t i = 0; i < 3; i++)
        EVP_PKEY_free(fixture->pairs[i]);
    for (size_t i = 0; i < 2; i++)
        public_key_free(fixture->keys[i]);
    arena_free(fixture->arena);
}

static enum signature_verdict check(struct fixture *fixture, const struct signature_blob *blob,
                                    struct slice bytes, size_t signer, struct error *err)
{
    const struct public_key *key = NULL;
    enum signature_verdict verdict = signature_check(blob, bytes, A, &fixture->expected, &key, err);
    assert_ptr_equal(key, verdict == SIGNATURE_GOOD ? fixture->keys[signer] : NULL);
    return verdict;
}

static void payload_is_for_the_image_or_explained(void **state)
{
    const struct payload_case *c = *state;
    struct fixture fixture;
    unsigned char bytes[256];
    struct slice payload = slice_of(c->payload);
    fixture_init(&fixture);
    for (size_t i = 0; i < 3; i++) {
        struct error err = { 0 };
        struct signature_blob blob = { .form = SIGNATURE_SIMPLE,
                                       .signature = key_sign(fixture.pairs[i], payload, bytes) };
        enum signature_verdict verdict = check(&fixture, &blob, payload, i, &err);
        assert_int_equal(verdict, i < 2 ? c->verdict : SIGNATURE_BY_ANOTHER);
        const char *message = i < 2 ? c->message : "it was made with another key";
        if (!strstr(err.message, message))
            fail_msg("\"%s\" lacks \"%s\"", err.message, message);
    }
    fixture_done(&fixture);
}

static struct slice base64(struct arena *arena, struct slice bytes)
{
    struct text text = TEXT_INIT;
    base64_encode(bytes, &text);
    struct slice copy = { arena_memdup0(arena, text.ptr, text.len), text.len };
    text_done(&text);
    return copy;
}

#define STATEMENT(type, subjects)                                                                  \
    "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[" subjects                        \
    "],\"predicateType\":\"" type "\",\"predicate\":{}}"
#define SUBJECT(hex) "{\"digest\":{\"sha256\":\"" hex "\"}}"
#define SIGN         "https://sigstore.dev/cosign/sign/v1"
#define IN_TOTO      "application/vnd.in-toto+json"

static const struct envelope_case {
    const char *name, *type, *statement;
    enum signature_verdict verdict;
    const char *message;
} envelopes[] = {
    { "this image", IN_TOTO, STATEMENT(SIGN, SUBJECT(HEX_A)), SIGNATURE_GOOD, "" },
    { "this one and another", IN_TOTO, STATEMENT(SIGN, SUBJECT(HEX_B) "," SUBJECT(HEX_A)),
      SIGNATURE_GOOD, "" },
    { "another image", IN_TOTO, STATEMENT(SIGN, SUBJECT(HEX_B)), SIGNATURE_FOR_ANOTHER, B },
    { "how it was built", IN_TOTO, STATEMENT("https://slsa.dev/provenance/v1", SUBJECT(HEX_A)),
      SIGNATURE_FOR_ANOTHER, "does not say that an image is signed" },
    { "no subject", IN_TOTO, STATEMENT(SIGN, ""), SIGNATURE_FOR_ANOTHER, "not say" },
    { "a subject of another hash", IN_TOTO,
      STATEMENT(SIGN, "{\"digest\":{\"sha1\":\"" HEX_A "\"}}"), SIGNATURE_FOR_ANOTHER, "not say" },
    { "another payload type", "text/plain", STATEMENT(SIGN, SUBJECT(HEX_A)), SIGNATURE_FOR_ANOTHER,
      "not say" },
    { "no JSON", IN_TOTO, "hello", SIGNATURE_FOR_ANOTHER, "not say" },
};

/* The bundle of an envelope; `signed_type` is what the signature is over. */
static struct slice envelope(struct arena *arena, EVP_PKEY *pair, const char *signed_type,
                             const char *type, const char *statement, const char *material)
{
    unsigned char bytes[256];
    char *pae = arena_printf(arena, "DSSEv1 %zu %s %zu %s", strlen(signed_type), signed_type,
                             strlen(statement), statement);
    struct slice signature = base64(arena, key_sign(pair, slice_of(pae), bytes));
    struct slice payload = base64(arena, slice_of(statement));
    return slice_of(arena_printf(
        arena,
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\","
        "\"verificationMaterial\":%s,\"dsseEnvelope\":{\"payload\":\"%.*s\",\"payloadType\":\"%s\","
        "\"signatures\":[{\"sig\":\"AAAA\"},{\"sig\":\"%.*s\",\"keyid\":\"\"}]}}",
        material, SLICE_ARG(payload), type, SLICE_ARG(signature)));
}

#define KEY_HINT "{\"publicKey\":{\"hint\":\"x\"}}"

static void envelope_is_for_the_image_or_explained(void **state)
{
    const struct envelope_case *c = *state;
    struct signature_blob blob = { .form = SIGNATURE_BUNDLE };
    struct fixture fixture;
    fixture_init(&fixture);
    for (size_t i = 0; i < 3; i++) {
        struct error err = { 0 };
        struct slice bundle =
            envelope(fixture.arena, fixture.pairs[i], c->type, c->type, c->statement, KEY_HINT);
        enum signature_verdict verdict = check(&fixture, &blob, bundle, i, &err);
        assert_int_equal(verdict, i < 2 ? c->verdict : SIGNATURE_BY_ANOTHER);
        const char *message = i < 2 ? c->message : "it was made with another key";
        if (!strstr(err.message, message))
            fail_msg("\"%s\" lacks \"%s\"", err.message, message);
    }
    fixture_done(&fixture);
}

static void the_type_is_signed_too(void **state)
{
    struct signature_blob blob = { .form = SIGNATURE_BUNDLE };
    struct fixture fixture;
    struct error err;
    (void)state;
    fixture_init(&fixture);
    struct slice bundle = envelope(fixture.arena, fixture.pairs[0], "text/plain", IN_TOTO,
                                   STATEMENT(SIGN, SUBJECT(HEX_A)), KEY_HINT);
    assert_int_equal(check(&fixture, &blob, bundle, 0, &err), SIGNATURE_BY_ANOTHER);
    fixture_done(&fixture);
}

static void a_certificate_is_no_key(void **state)
{
    struct signature_blob blob = { .form = SIGNATURE_BUNDLE };
    struct fixture fixture;
    struct error err;
    (void)state;
    fixture_init(&fixture);
    struct slice bundle =
        envelope(fixture.arena, fixture.pairs[2], IN_TOTO, IN_TOTO, STATEMENT(SIGN, SUBJECT(HEX_A)),
                 "{\"certificate\":{\"rawBytes\":\"AAAA\"}}");
    assert_int_equal(check(&fixture, &blob, bundle, 0, &err), SIGNATURE_BY_ANOTHER);
    assert_non_null(strstr(err.message, "made with a certificate, which is not supported"));
    fixture_done(&fixture);
}

static const struct bundle_case {
    const char *name; /* the bundle */
    const char *message;
} bundles[] = {
    { "", "no JSON object" },
    { "[]", "no JSON object" },
    { "{}", "holds no signature" },
    { "{\"dsseEnvelope\":1}", "holds no signature" },
    { "{\"dsseEnvelope\":{},\"messageSignature\":{}}", "holds no signature" },
    { "{\"dsseEnvelope\":{}}", "malformed envelope" },
    { "{\"dsseEnvelope\":{\"payload\":\"AAAA\"}}", "malformed envelope" },
    { "{\"dsseEnvelope\":{\"payload\":\"?\",\"payloadType\":\"x\"}}", "malformed envelope" },
    { "{\"dsseEnvelope\":{\"payload\":\"AAAA\",\"payloadType\":\"x\"}}", "another key" },
    { "{\"dsseEnvelope\":{\"payload\":\"AAAA\",\"payloadType\":\"x\",\"signatures\":[1,{}]}}",
      "another key" },
    { "{\"messageSignature\":{}}", "malformed signature" },
    { "{\"messageSignature\":{\"signature\":\"AAAA\"}}", "another key" },
};

static void broken_bundle_is_explained(void **state)
{
    const struct bundle_case *c = *state;
    struct signature_blob blob = { .form = SIGNATURE_BUNDLE };
    struct fixture fixture;
    struct error err = { 0 };
    fixture_init(&fixture);
    assert_int_equal(check(&fixture, &blob, slice_of(c->name), 0, &err), SIGNATURE_BY_ANOTHER);
    if (!strstr(err.message, c->message))
        fail_msg("\"%s\" lacks \"%s\"", err.message, c->message);
    fixture_done(&fixture);
}

/* The message is the manifest, of which only the digest is known here. */
static void a_signature_of_the_bytes_counts_for_ecdsa(void **state)
{
    struct signature_blob blob = { .form = SIGNATURE_BUNDLE };
    struct fixture fixture;
    struct text digest = TEXT_INIT;
    unsigned char bytes[256], sha256[32];
    (void)state;
    fixture_init(&fixture);
    assert_int_equal(EVP_Digest("manifest", 8, sha256, NULL, EVP_sha256(), NULL), 1);
    text_add(&digest, "sha256:");
    text_add_hex(&digest, sha256, 32);
    for (size_t i = 0; i < 2; i++) {
        const struct public_key *key = NULL;
        struct error err;
        struct slice signature =
            base64(fixture.arena, key_sign(fixture.pairs[i], SLICE("manifest"), bytes));
        struct slice bundle = slice_of(
            arena_printf(fixture.arena,
                         "{\"messageSignature\":{\"messageDigest\":{},\"signature\":\"%.*s\"}}",
                         SLICE_ARG(signature)));
        enum signature_verdict verdict =
            signature_check(&blob, bundle, text_string(&digest), &fixture.expected, &key, &err);
        assert_int_equal(verdict, i == 0 ? SIGNATURE_GOOD : SIGNATURE_BY_ANOTHER);
        assert_int_equal(signature_check(&blob, bundle, A, &fixture.expected, &key, &err),
                         SIGNATURE_BY_ANOTHER);
    }
    text_done(&digest);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_first_signatures_are_looked_at),
        cmocka_unit_test(a_manifest_has_a_limit),
        cmocka_unit_test(tags_are_those_of_cosign),
        cmocka_unit_test(the_type_is_signed_too),
        cmocka_unit_test(a_certificate_is_no_key),
        cmocka_unit_test(a_signature_of_the_bytes_counts_for_ecdsa),
    };
    return RUN_CASES(manifests, manifest_has_signatures_or_is_explained) +
           RUN_CASES(lists, referrers_that_may_sign_are_found) +
           RUN_CASES(payloads, payload_is_for_the_image_or_explained) +
           RUN_CASES(envelopes, envelope_is_for_the_image_or_explained) +
           RUN_CASES(bundles, broken_bundle_is_explained) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
