#include "launcher/image_digest.h"

#include "unit/test.h"

#define HEX16  "0123456789abcdef"
#define HEX64  HEX16 HEX16 HEX16 HEX16
#define HEX128 HEX64 HEX64

static const struct digest_case {
    const char *name, *text;
    bool is_sha256, is_sha512;
} digest_cases[] = {
    { "sha256", "sha256:" HEX64, true, false },
    { "sha512", "sha512-" HEX128, false, true },
    { "short", "sha256:" HEX16, false, false },
    { "long", "sha256:" HEX64 "0", false, false },
    { "other separator", "sha256-" HEX64, false, false },
    { "Docker's sha512", "sha512:" HEX128, false, false },
    { "upper case", "sha256:" HEX16 HEX16 HEX16 "0123456789ABCDEF", false, false },
    { "path", "sha256:" HEX16 HEX16 HEX16 "/../../../../../", false, false },
    { "empty", "", false, false },
};

static void knows_a_digest(void **state)
{
    const struct digest_case *c = *state;
    assert_int_equal(image_digest_is(IMAGE_SHA256, slice_of(c->text)), c->is_sha256);
    assert_int_equal(image_digest_is(IMAGE_SHA512, slice_of(c->text)), c->is_sha512);
}

static const struct hash_case {
    const char *name;
    enum image_algorithm algorithm;
    const char *digest;
} hash_cases[] = {
    { "sha256 of abc", IMAGE_SHA256,
      "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "sha512 of abc", IMAGE_SHA512,
      "sha512-ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

static void hashes_in_pieces(void **state)
{
    const struct hash_case *c = *state;
    char digest[IMAGE_DIGEST_BYTES];
    struct image_hash *hash = image_hash_new(c->algorithm);
    image_hash_add(hash, "a", 1);
    image_hash_add(hash, "", 0);
    image_hash_add(hash, "bc", 2);
    image_hash_finish(hash, digest);
    image_hash_free(hash);
    assert_string_equal(digest, c->digest);
    image_digest_of(c->algorithm, SLICE("abc"), digest);
    assert_string_equal(digest, c->digest);
}

int main(void)
{
    return RUN_CASES(digest_cases, knows_a_digest) + RUN_CASES(hash_cases, hashes_in_pieces);
}
