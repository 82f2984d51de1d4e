#include "signature/public_key.h"
#include "unit/test.h"

#include "unit/signature/keys.h"

#define EC_BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define EC_END   "-----END PUBLIC KEY-----\n"
#define EC_BODY                                                                                    \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbl0u8tmtEGwSH5jP4vNBkLv4g660\n"                           \
    "W3FQy/+RDNoW3/R4oIPOUCxoBTtcB/9JIuK6rbiLbjb3q1Xhi7yo8Opuvg==\n"
#define EC EC_BEGIN EC_BODY EC_END

static const struct pem_case {
    const char *name, *pem, *message;
} pems[] = {
    { "a key of P-256", EC, NULL },
    { "with words around it", "team\n" EC "\n# the end\n", NULL },
    { "nothing", "", "found 0 blocks" },
    { "something else", "ssh-ed25519 AAAA", "found 0 blocks" },
    { "two keys", EC EC, "found 2 blocks" },
    { "a certificate", "-----BEGIN CERTIFICATE-----\n" EC_BODY "-----END CERTIFICATE-----\n",
      "no public key in PEM" },
    { "a private key", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
      "private key where a public one" },
    { "a private key beside it", EC "-----BEGIN PRIVATE KEY-----\n", "private key" },
    { "cut off", EC_BEGIN "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n" EC_END, "no public key" },
    { "no base64", EC_BEGIN "????\n" EC_END, "no public key" },
    { "a point that is not on the curve",
      EC_BEGIN "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbl0u8tmtEGwSH5jP4vNBkLv4g660\n"
               "W3FQy/+RDNoW3/R4oIPOUCxoBTtcB/9JIuK6rbiLbjb3q1Xhi7yo8OpuvQ==\n" EC_END,
      "no public key" },
};

static void pem_is_a_key_or_explained(void **state)
{
    const struct pem_case *c = *state;
    struct error err = { 0 };
    struct public_key *key = public_key_parse(slice_of(c->pem), "team", &err);
    assert_int_equal(key != NULL, c->message == NULL);
    if (key) {
        assert_string_equal(public_key_name(key), "team");
        assert_string_equal(public_key_algorithm(key), "ecdsa-p256");
        assert_memory_equal(public_key_id(key), "sha256:", 7);
    } else {
        assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
        if (!strstr(err.message, c->message))
            fail_msg("\"%s\" lacks \"%s\"", err.message, c->message);
    }
    public_key_free(key);
}

static const struct sign_case {
    const char *name; /* of the algorithm */
    const char *algorithm;
} algorithms[] = {
    { "P-256", "ecdsa-p256" },
    { "ED25519", "ed25519" },
    { "P-384", NULL },
    { "RSA", NULL },
};

static void only_known_algorithms_are_keys(void **state)
{
    const struct sign_case *c = *state;
    struct error err = { 0 };
    struct text pem = TEXT_INIT;
    EVP_PKEY *pair = key_make(c->name);
    key_add_pem(pair, false, &pem);
    struct public_key *key = public_key_parse(text_slice(&pem), "k", &err);
    assert_int_equal(key != NULL, c->algorithm != NULL);
    if (key)
        assert_string_equal(public_key_algorithm(key), c->algorithm);
    else
        assert_non_null(strstr(err.message, "neither ECDSA on P-256 nor Ed25519"));
    public_key_free(key);
    text_done(&pem);
    EVP_PKEY_free(pair);
}

static void a_signature_counts_for_its_message_and_key(void **state)
{
    static const char *const names[] = { "P-256", "ED25519" };
    unsigned char bytes[256];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY *pair = key_make(names[i]), *other = key_make(names[i]);
        struct public_key *key = key_public(pair, "k"), *stranger = key_public(other, "o");
        struct slice signature = key_sign(pair, SLICE("message"), bytes);
        assert_true(public_key_verifies(key, SLICE("message"), signature));
        assert_false(public_key_verifies(key, SLICE("messagf"), signature));
        assert_false(public_key_verifies(key, SLICE(""), signature));
        assert_false(public_key_verifies(stranger, SLICE("message"), signature));
        for (size_t len = 0; len < signature.len; len++)
            assert_false(
                public_key_verifies(key, SLICE("message"), (struct slice){ signature.ptr, len }));
        bytes[signature.len - 1] ^= 1;
        assert_false(public_key_verifies(key, SLICE("message"), signature));
        public_key_free(key);
        public_key_free(stranger);
        EVP_PKEY_free(pair);
        EVP_PKEY_free(other);
    }
}

static void a_hash_suffices_for_ecdsa_alone(void **state)
{
    static const char *const names[] = { "P-256", "ED25519" };
    unsigned char bytes[256], sha256[32];
    (void)state;
    assert_int_equal(EVP_Digest("message", 7, sha256, NULL, EVP_sha256(), NULL), 1);
    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY *pair = key_make(names[i]);
        struct public_key *key = key_public(pair, "k");
        struct slice signature = key_sign(pair, SLICE("message"), bytes);
        assert_int_equal(public_key_verifies_sha256(key, sha256, signature), i == 0);
        sha256[0] ^= 1;
        assert_false(public_key_verifies_sha256(key, sha256, signature));
        sha256[0] ^= 1;
        public_key_free(key);
        EVP_PKEY_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_counts_for_its_message_and_key),
        cmocka_unit_test(a_hash_suffices_for_ecdsa_alone),
    };
    return RUN_CASES(pems, pem_is_a_key_or_explained) +
           RUN_CASES(algorithms, only_known_algorithms_are_keys) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
