#include "registry/digest.h"
#include "signature/signature.h"

#include <assert.h>

/* Manifests of signatures, lists of referrers, payloads and bundles; the first byte chooses.  Keys here
 * verify everything, so that what stands behind a signature is reached too. */

struct public_key {
    int unused;
};

const char *public_key_name(const struct public_key *key)
{
    (void)key;
    return "key";
}

const char *public_key_id(const struct public_key *key)
{
    (void)key;
    return "sha256:0";
}

const char *public_key_algorithm(const struct public_key *key)
{
    (void)key;
    return "none";
}

bool public_key_verifies(const struct public_key *key, struct slice message, struct slice signature)
{
    (void)key;
    (void)message;
    return signature.len > 0;
}

bool public_key_verifies_sha256(const struct public_key *key, const unsigned char sha256[32],
                                struct slice signature)
{
    (void)key;
    return signature.len > 0 && sha256[0] == 0xaa;
}

static void check_manifest(struct slice bytes, struct arena *arena)
{
    struct signature_manifest manifest;
    struct error err;
    if (!signature_manifest_parse(bytes, arena, &manifest, &err))
        return;
    assert(manifest.count <= SIGNATURE_MAX_COUNT);
    assert(!manifest.subject[0] || digest_check(slice_of(manifest.subject), &err));
    for (size_t i = 0; i < manifest.count; i++)
        assert(digest_check(slice_of(manifest.blobs[i].digest), &err) &&
               manifest.blobs[i].size >= 0 &&
               manifest.blobs[i].size <= (int64_t)SIGNATURE_MAX_BUNDLE_BYTES);
}

static void check_referrers(struct slice bytes, struct arena *arena)
{
    struct signature_referrers referrers;
    struct error err;
    if (!signature_referrers_parse(bytes, arena, &referrers, &err))
        return;
    assert(referrers.count <= SIGNATURE_MAX_COUNT);
    for (size_t i = 0; i < referrers.count; i++)
        assert(digest_check(slice_of(referrers.digests[i]), &err));
}

/* Whatever is signed counts only when the digest of the image stands in it. */
static void check_signature(struct slice bytes, enum signature_form form)
{
    static const char hex[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const char digest[] =
        "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct public_key key, *keys[] = { &key };
    struct public_keys expected = { keys, 1 };
    struct signature_blob blob = { .form = form, .signature = SLICE("signature") };
    const struct public_key *found = NULL;
    struct error err = { 0 };
    enum signature_verdict verdict = signature_check(&blob, bytes, digest, &expected, &found, &err);
    assert((verdict == SIGNATURE_GOOD) == (found == &key));
    assert((verdict == SIGNATURE_GOOD) == (err.code == ERROR_OK));
    if (verdict == SIGNATURE_GOOD && form == SIGNATURE_SIMPLE)
        assert(memmem(bytes.ptr, bytes.len, hex, 64) || memchr(bytes.ptr, '\\', bytes.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice bytes = { (const char *)data + 1, size - 1 };
    struct arena *arena = arena_new();
    switch (data[0] % 4) {
    case 0:
        check_manifest(bytes, arena);
        break;
    case 1:
        check_referrers(bytes, arena);
        break;
    case 2:
        check_signature(bytes, SIGNATURE_SIMPLE);
        break;
    case 3:
        check_signature(bytes, SIGNATURE_BUNDLE);
        break;
    }
    arena_free(arena);
    return 0;
}
