#pragma once

#include "base/text.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

/* Keys and signatures made on the spot. */

static inline EVP_PKEY *key_make(const char *algorithm)
{
    EVP_PKEY *key = strcmp(algorithm, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                    : strcmp(algorithm, "RSA") == 0
                        ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", algorithm);
    assert_non_null(key);
    return key;
}

static inline void key_add_pem(EVP_PKEY *key, bool is_private, struct text *pem)
{
    char *bytes;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(is_private ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
                                : PEM_write_bio_PUBKEY(bio, key),
                     1);
    long len = BIO_get_mem_data(bio, &bytes);
    text_add_bytes(pem, bytes, (size_t)len);
    BIO_free(bio);
}

static inline struct slice key_sign(EVP_PKEY *key, struct slice message,
                                    unsigned char signature[256])
{
    size_t len = 256;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *hash = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
    assert_int_equal(EVP_DigestSignInit(context, NULL, hash, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &len, (const unsigned char *)message.ptr,
                                    message.len),
                     1);
    EVP_MD_CTX_free(context);
    return (struct slice){ (char *)signature, len };
}

static inline struct public_key *key_public(EVP_PKEY *key, const char *name)
{
    struct error err = { 0 };
    struct text pem = TEXT_INIT;
    key_add_pem(key, false, &pem);
    struct public_key *public_key = public_key_parse(text_slice(&pem), name, &err);
    assert_non_null(public_key);
    text_done(&pem);
    return public_key;
}
