#include "registry/certificates.h"
#include "unit/test.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory of its own, with a key and a certificate of that key made on the spot. */
static char directory[] = "/tmp/eos-certificates.XXXXXX";

static FILE *create(const char *name)
{
    cleanup_free char *path = xasprintf("%s/%s", directory, name);
    char *slash = strrchr(path, '/');
    *slash = 0;
    mkdir(path, 0700);
    *slash = '/';
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    return file;
}

static void put_text(const char *name, const char *text)
{
    FILE *file = create(name);
    fputs(text, file);
    fclose(file);
}

static EVP_PKEY *key;
static X509 *certificate;

static void put_key(const char *name)
{
    FILE *file = create(name);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
}

static void put_certificate(const char *name)
{
    FILE *file = create(name);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
}

static int make_all(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return 0;
}

static int remove_directory(void **state)
{
    cleanup_free char *command = xasprintf("rm -rf %s/*", directory);
    (void)state;
    return system(command);
}

static int remove_all(void **state)
{
    X509_free(certificate);
    EVP_PKEY_free(key);
    return remove_directory(state) + rmdir(directory);
}

static size_t count_of(struct slice pem, const char *word)
{
    cleanup_free char *text = xmemdup0(pem.ptr ? pem.ptr : "", pem.len);
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        count++;
    return count;
}

static void directory_is_read(void **state)
{
    struct error err;
    (void)state;
    put_certificate("h.example:5000/a.crt");
    put_certificate("h.example:5000/b.crt");
    put_certificate("h.example:5000/client.cert");
    put_key("h.example:5000/client.key");
    put_text("h.example:5000/README", "not for us");
    put_certificate("plain.example/ca.crt");
    struct certificates *certificates = certificates_read(directory, &err);
    assert_non_null(certificates);

    const struct certificate_set *set = certificates_find(certificates, SLICE("h.example:5000"));
    assert_non_null(set);
    assert_int_equal(count_of(set->authorities, "BEGIN CERTIFICATE"), 2);
    assert_int_equal(count_of(set->client_certificate, "BEGIN CERTIFICATE"), 1);
    assert_int_equal(count_of(set->client_key, "PRIVATE KEY-----"), 2);
    assert_null(certificates_find(certificates, SLICE("h.example")));

    set = certificates_find(certificates, SLICE("plain.example:443"));
    assert_non_null(set);
    assert_ptr_equal(set, certificates_find(certificates, SLICE("plain.example")));
    assert_int_equal(set->client_key.len, 0);
    certificates_free(certificates);
}

static void directory_may_be_missing(void **state)
{
    struct error err;
    struct certificates *certificates = certificates_read("/tmp/eos-no-such-directory", &err);
    (void)state;
    assert_non_null(certificates);
    assert_null(certificates_find(certificates, SLICE("h")));
    certificates_free(certificates);
    certificates_free(NULL);
}

static void refuses(const char *message)
{
    struct error err = { 0 };
    assert_null(certificates_read(directory, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, directory));
    assert_non_null(strstr(err.message, message));
}

static void no_certificate_is_refused(void **state)
{
    (void)state;
    put_text("h/ca.crt", "hello");
    refuses("\"h\": \"ca.crt\": it has no certificate in the PEM format");
}

static void certificate_needs_its_key(void **state)
{
    (void)state;
    put_certificate("h/client.cert");
    refuses("\"h\": \"client.key\" is missing, which belongs to \"client.cert\"");
}

static void key_needs_its_certificate(void **state)
{
    (void)state;
    put_key("h/client.key");
    refuses("\"h\": \"client.cert\" is missing, which belongs to \"client.key\"");
}

static void no_key_is_refused(void **state)
{
    (void)state;
    put_certificate("h/client.cert");
    put_certificate("h/client.key");
    refuses("\"h\": \"client.key\": it has no private key");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, remove_directory)
    const struct CMUnitTest tests[] = {
        TEST(directory_is_read),         TEST(directory_may_be_missing),
        TEST(no_certificate_is_refused), TEST(certificate_needs_its_key),
        TEST(key_needs_its_certificate), TEST(no_key_is_refused),
    };
    return cmocka_run_group_tests(tests, make_all, remove_all);
}
