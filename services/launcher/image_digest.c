#include "launcher/image_digest.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>
#include <openssl/evp.h>

static const struct algorithm {
    struct slice prefix;
    size_t hex_chars;
    const EVP_MD *(*type)(void);
} algorithms[] = {
    [IMAGE_SHA256] = { { "sha256:", 7 }, 64, EVP_sha256 },
    [IMAGE_SHA512] = { { "sha512-", 7 }, 128, EVP_sha512 },
};

struct image_hash {
    const struct algorithm *algorithm;
    EVP_MD_CTX *context;
};

bool image_digest_is(enum image_algorithm algorithm, struct slice text)
{
    const struct algorithm *a = &algorithms[algorithm];
    if (!slice_starts_with(text, a->prefix) || text.len != a->prefix.len + a->hex_chars)
        return false;
    for (size_t i = a->prefix.len; i < text.len; i++)
        if (!memchr("0123456789abcdef", text.ptr[i], 16))
            return false;
    return true;
}

struct image_hash *image_hash_new(enum image_algorithm algorithm)
{
    struct image_hash *hash = xcalloc(1, sizeof *hash);
    hash->algorithm = &algorithms[algorithm];
    hash->context = EVP_MD_CTX_new();
    assert(hash->context);
    int ok = EVP_DigestInit_ex(hash->context, hash->algorithm->type(), NULL);
    assert(ok == 1);
    return hash;
}

void image_hash_free(struct image_hash *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void image_hash_add(struct image_hash *hash, const void *bytes, size_t len)
{
    int ok = EVP_DigestUpdate(hash->context, bytes, len);
    assert(ok == 1);
}

void image_hash_finish(struct image_hash *hash, char ret_digest[IMAGE_DIGEST_BYTES])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int ok = EVP_DigestFinal_ex(hash->context, raw, &len);
    assert(ok == 1 && len * 2 == hash->algorithm->hex_chars);

    struct text text = TEXT_INIT;
    text_add_slice(&text, hash->algorithm->prefix);
    text_add_hex(&text, raw, len);
    assert(text.len < IMAGE_DIGEST_BYTES);
    memcpy(ret_digest, text_string(&text), text.len + 1);
    text_done(&text);
}

void image_digest_of(enum image_algorithm algorithm, struct slice bytes,
                     char ret_digest[IMAGE_DIGEST_BYTES])
{
    struct image_hash *hash = image_hash_new(algorithm);
    image_hash_add(hash, bytes.ptr, bytes.len);
    image_hash_finish(hash, ret_digest);
    image_hash_free(hash);
}
