#include "signature/public_key.h"

#include "base/alloc.h"
#include "registry/digest.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define MAX_SIGNATURE_BYTES 128u /* 72 of ECDSA, 64 of Ed25519 */

struct public_key {
    EVP_PKEY *pkey;
    char *name;
    bool is_ed25519;
    char id[DIGEST_MAX_LEN];
};

static size_t count_blocks(struct slice pem)
{
    static const char begin[] = "-----BEGIN ";
    size_t count = 0;
    while (pem.len > 0) {
        const char *at = memmem(pem.ptr, pem.len, begin, sizeof begin - 1);
        if (!at)
            break;
        count++;
        pem.len -= (size_t)(at - pem.ptr) + 1;
        pem.ptr = at + 1;
    }
    return count;
}

/* Before the parser, which would skip what it does not look for. */
static bool check_pem(struct slice pem, struct error *err)
{
    static const char private_key[] = "PRIVATE KEY-----";
    if (pem.len > PUBLIC_KEY_MAX_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a public key has up to %u bytes",
                         PUBLIC_KEY_MAX_BYTES);
    if (pem.len > 0 && memmem(pem.ptr, pem.len, private_key, sizeof private_key - 1))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "there is a private key where a public one is expected");
    if (count_blocks(pem) != 1)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "expected one block \"-----BEGIN PUBLIC KEY-----\", found %zu blocks",
                         count_blocks(pem));
    return true;
}

static EVP_PKEY *read_pem(struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return pkey;
}

static bool is_p256(const EVP_PKEY *pkey)
{
    char group[32];
    size_t len;
    return EVP_PKEY_is_a(pkey, "EC") &&
           EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

static bool set_id(struct public_key *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);
    if (len > 0)
        digest_of(der, (size_t)len, key->id);
    OPENSSL_free(der);
    return len > 0;
}

struct public_key *public_key_parse(struct slice pem, const char *name, struct error *err)
{
    if (!check_pem(pem, err))
        return NULL;
    struct public_key *key = xcalloc(1, sizeof *key);
    key->name = xstrdup(name);
    key->pkey = read_pem(pem);
    key->is_ed25519 = key->pkey && EVP_PKEY_is_a(key->pkey, "ED25519");
    if (!key->pkey)
        error_set(err, ERROR_INVALID_ARGUMENT, "the block is no public key in PEM");
    else if (!key->is_ed25519 && !is_p256(key->pkey))
        error_set(err, ERROR_INVALID_ARGUMENT,
                  "the key is neither ECDSA on P-256 nor Ed25519, which are those that are known");
    else if (set_id(key))
        return key;
    else
        error_set(err, ERROR_INVALID_ARGUMENT, "the key cannot be written in DER");
    public_key_free(key);
    return NULL;
}

void public_key_free(struct public_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key->name);
    free(key);
}

const char *public_key_name(const struct public_key *key)
{
    return key->name;
}

const char *public_key_algorithm(const struct public_key *key)
{
    return key->is_ed25519 ? "ed25519" : "ecdsa-p256";
}

const char *public_key_id(const struct public_key *key)
{
    return key->id;
}

bool public_key_verifies(const struct public_key *key, struct slice message, struct slice signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *hash = key->is_ed25519 ? NULL : EVP_sha256();
    bool is_good = context && signature.len > 0 && signature.len <= MAX_SIGNATURE_BYTES &&
                   EVP_DigestVerifyInit(context, NULL, hash, NULL, key->pkey) == 1 &&
                   EVP_DigestVerify(context, (const unsigned char *)signature.ptr, signature.len,
                                    (const unsigned char *)(message.len > 0 ? message.ptr : ""),
                                    message.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_good;
}

bool public_key_verifies_sha256(const struct public_key *key, const unsigned char sha256[32],
                                struct slice signature)
{
    if (key->is_ed25519 || signature.len == 0 || signature.len > MAX_SIGNATURE_BYTES)
        return false;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool is_good = context && EVP_PKEY_verify_init(context) == 1 &&
                   EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
                   EVP_PKEY_verify(context, (const unsigned char *)signature.ptr, signature.len,
                                   sha256, 32) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return is_good;
}
