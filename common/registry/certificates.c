#include "registry/certificates.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#define MAX_CERTIFICATES 1000 /* in one file */

struct entry {
    struct certificate_set set;
    struct text authorities, client_certificate, client_key;
};

struct certificates {
    struct map *hosts; /* "host[:port]", without :443 -> struct entry */
};

static void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    if (entry->client_key.len > 0)
        explicit_bzero(entry->client_key.ptr, entry->client_key.len);
    text_done(&entry->authorities);
    text_done(&entry->client_certificate);
    text_done(&entry->client_key);
    free(entry);
}

void certificates_free(struct certificates *certificates)
{
    size_t cursor = 0;
    struct slice key;
    void *entry;
    if (!certificates)
        return;
    while (map_next(certificates->hosts, &cursor, &key, &entry))
        entry_free(entry);
    map_free(certificates->hosts);
    free(certificates);
}

static struct slice host_key(struct slice authority)
{
    if (slice_ends_with(authority, SLICE(":443")))
        authority.len -= strlen(":443");
    return authority;
}

const struct certificate_set *certificates_find(const struct certificates *certificates,
                                                struct slice authority)
{
    const struct entry *entry = map_get(certificates->hosts, host_key(authority));
    return entry ? &entry->set : NULL;
}

static void add_part_to(struct slice part, struct digest_stream *digest)
{
    digest_stream_add(digest, &part.len, sizeof part.len);
    digest_stream_add(digest, part.ptr, part.len);
}

void certificates_add_to(const struct certificates *certificates, struct digest_stream *digest)
{
    size_t cursor = 0;
    struct slice host;
    void *value;
    while (map_next(certificates->hosts, &cursor, &host, &value)) {
        const struct entry *entry = value;
        add_part_to(host, digest);
        add_part_to(entry->set.authorities, digest);
        add_part_to(entry->set.client_certificate, digest);
        add_part_to(entry->set.client_key, digest);
    }
}

/* -- files ---------------------------------------------------------------------------------------- */

static bool read_file(int directory, const char *name, struct text *content, struct error *err)
{
    cleanup_close int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t most = content->len + CERTIFICATES_MAX_FILE_BYTES;
    if (fd < 0)
        return error_set_errno(err, errno, "could not open it");
    if (!text_read(content, fd, most))
        return error_set_errno(err, errno, "could not read it");
    if (content->len > most)
        return error_set(err, ERROR_INVALID_ARGUMENT, "it is over %u bytes",
                         CERTIFICATES_MAX_FILE_BYTES);
    text_add_char(content, '\n');
    return true;
}

static bool check_certificates(struct slice pem, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    int count = 0;
    X509 *certificate;
    while (count < MAX_CERTIFICATES && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    return count > 0 ||
           error_set(err, ERROR_INVALID_ARGUMENT, "it has no certificate in the PEM format");
}

/* A passphrase is asked of nobody. */
static int no_passphrase(char *buffer, int size, int is_writing, void *user)
{
    (void)buffer, (void)size, (void)is_writing, (void)user;
    return -1;
}

static bool check_key(struct slice pem, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    bool is_good = key != NULL;
    EVP_PKEY_free(key);
    return is_good || error_set(err, ERROR_INVALID_ARGUMENT,
                                "it has no private key in the PEM format without a passphrase");
}

static bool add_part(int directory, const char *name, struct text *to,
                     bool (*check)(struct slice pem, struct error *err), struct error *err)
{
    size_t start = to->len;
    return (read_file(directory, name, to, err) &&
            check((struct slice){ to->ptr + start, to->len - start }, err)) ||
           error_prefix(err, "\"%s\"", name);
}

static bool has_suffix(const char *name, const char *suffix)
{
    return strlen(name) > strlen(suffix) && slice_ends_with(slice_of(name), slice_of(suffix));
}

static bool check_partner(int directory, const char *name, size_t stem_len, const char *suffix,
                          struct error *err)
{
    cleanup_free char *partner = xasprintf("%.*s%s", (int)stem_len, name, suffix);
    return faccessat(directory, partner, F_OK, 0) == 0 ||
           error_set(err, ERROR_INVALID_ARGUMENT, "\"%s\" is missing, which belongs to \"%s\"",
                     partner, name);
}

static bool add_client(int directory, const char *name, struct entry *entry, struct error *err)
{
    size_t stem_len = strlen(name) - strlen(".cert");
    cleanup_free char *key = xasprintf("%.*s.key", (int)stem_len, name);
    if (!check_partner(directory, name, stem_len, ".key", err))
        return false;
    return entry->client_certificate.len > 0 ||
           (add_part(directory, name, &entry->client_certificate, check_certificates, err) &&
            add_part(directory, key, &entry->client_key, check_key, err));
}

static bool add_file(int directory, const char *name, struct entry *entry, struct error *err)
{
    if (has_suffix(name, ".crt"))
        return add_part(directory, name, &entry->authorities, check_certificates, err);
    if (has_suffix(name, ".cert"))
        return add_client(directory, name, entry, err);
    if (has_suffix(name, ".key"))
        return check_partner(directory, name, strlen(name) - strlen(".key"), ".cert", err);
    return true;
}

/* -- directories ---------------------------------------------------------------------------------- */

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static bool add_files(int directory, struct entry *entry, struct error *err)
{
    struct dirent **names = NULL;
    int count = scandirat(directory, ".", &names, NULL, alphasort);
    bool ok = true;
    if (count < 0)
        return error_set_errno(err, errno, "could not read it");
    if ((unsigned)count > CERTIFICATES_MAX_FILES + 2)
        ok = error_set(err, ERROR_INVALID_ARGUMENT, "it has over %u files", CERTIFICATES_MAX_FILES);
    for (int i = 0; i < count && ok; i++)
        ok = add_file(directory, names[i]->d_name, entry, err);
    free_names(names, count);
    return ok;
}

static void add_entry(struct certificates *certificates, const char *host, struct entry *entry)
{
    entry->set = (struct certificate_set){
        .authorities = text_slice(&entry->authorities),
        .client_certificate = text_slice(&entry->client_certificate),
        .client_key = text_slice(&entry->client_key),
    };
    entry_free(map_put(certificates->hosts, host_key(slice_of(host)), entry));
}

/* What is no directory is none of ours. */
static bool add_host(struct certificates *certificates, int above, const char *host,
                     struct error *err)
{
    cleanup_close int directory = openat(above, host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 && (errno == ENOTDIR || errno == ENOENT))
        return true;
    if (directory < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", host);
    if (map_count(certificates->hosts) >= CERTIFICATES_MAX_HOSTS)
        return error_set(err, ERROR_INVALID_ARGUMENT, "there are over %u registries",
                         CERTIFICATES_MAX_HOSTS);
    struct entry *entry = xcalloc(1, sizeof *entry);
    if (!add_files(directory, entry, err)) {
        entry_free(entry);
        return error_prefix(err, "\"%s\"", host);
    }
    add_entry(certificates, host, entry);
    return true;
}

static bool add_hosts(struct certificates *certificates, int above, struct error *err)
{
    struct dirent **names = NULL;
    int count = scandirat(above, ".", &names, NULL, alphasort);
    bool ok = true;
    if (count < 0)
        return error_set_errno(err, errno, "could not read it");
    for (int i = 0; i < count && ok; i++)
        if (names[i]->d_name[0] != '.')
            ok = add_host(certificates, above, names[i]->d_name, err);
    free_names(names, count);
    return ok;
}

struct certificates *certificates_read(const char *directory, struct error *err)
{
    struct certificates *certificates = xcalloc(1, sizeof *certificates);
    certificates->hosts = map_new();
    cleanup_close int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 ? add_hosts(certificates, fd, err)
                      : errno == ENOENT || error_set_errno(err, errno, "could not open it");
    if (ok)
        return certificates;
    error_prefix(err, "certificates in \"%s\"", directory);
    certificates_free(certificates);
    return NULL;
}
