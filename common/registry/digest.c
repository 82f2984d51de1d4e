#include "registry/digest.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>
#include <openssl/evp.h>

static const struct algorithm {
    const char *prefix;
    size_t digits;
    const EVP_MD *(*implementation)(void);
} algorithms[] = {
    { "sha256:", 64, EVP_sha256 },
    { "sha512:", 128, EVP_sha512 },
};

static const struct algorithm *algorithm_of(struct slice digest)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (slice_starts_with(digest, slice_of(algorithms[i].prefix)))
            return &algorithms[i];
    return NULL;
}

static bool is_hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool wrong_length(const struct algorithm *algorithm, size_t digits, size_t end,
                         struct error *err)
{
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "byte %zu: a digest has %zu hexadecimal digits after \"%s\", not %zu", end,
                     algorithm->digits, algorithm->prefix, digits);
}

bool digest_check_at(struct slice digest, size_t offset, struct error *err)
{
    const struct algorithm *algorithm = algorithm_of(digest);
    if (!algorithm)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "byte %zu: a digest must start with \"sha256:\" or \"sha512:\"",
                         offset + 1);
    size_t start = strlen(algorithm->prefix);
    for (size_t i = start; i < digest.len; i++)
        if (!is_hex_digit(digest.ptr[i]))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "byte %zu is not a lower-case hexadecimal digit of a digest",
                             offset + i + 1);
    if (digest.len - start < algorithm->digits)
        return wrong_length(algorithm, digest.len - start, offset + digest.len + 1, err);
    if (digest.len - start > algorithm->digits)
        return wrong_length(algorithm, digest.len - start, offset + start + algorithm->digits + 1,
                            err);
    return true;
}

bool digest_check(struct slice digest, struct error *err)
{
    return digest_check_at(digest, 0, err);
}

struct digest_stream {
    const struct algorithm *algorithm;
    char *expected;
    EVP_MD_CTX *context;
};

static struct digest_stream *stream_new(const struct algorithm *algorithm, struct slice expected)
{
    assert(algorithm);
    struct digest_stream *stream = xcalloc(1, sizeof *stream);
    stream->algorithm = algorithm;
    stream->expected = xmemdup0(expected.ptr, expected.len);
    stream->context = EVP_MD_CTX_new();
    assert(stream->context);
    int status = EVP_DigestInit_ex(stream->context, algorithm->implementation(), NULL);
    assert(status == 1);
    (void)status;
    return stream;
}

struct digest_stream *digest_stream_new(struct slice digest)
{
    return stream_new(algorithm_of(digest), digest);
}

void digest_stream_free(struct digest_stream *stream)
{
    if (!stream)
        return;
    EVP_MD_CTX_free(stream->context);
    free(stream->expected);
    free(stream);
}

void digest_stream_add(struct digest_stream *stream, const void *bytes, size_t len)
{
    int status = EVP_DigestUpdate(stream->context, bytes, len);
    assert(status == 1);
    (void)status;
}

bool digest_stream_end(struct digest_stream *stream, char ret_digest[DIGEST_MAX_LEN])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned raw_len = 0;
    struct text text = TEXT_INIT;

    int status = EVP_DigestFinal_ex(stream->context, raw, &raw_len);
    assert(status == 1);
    (void)status;
    text_add(&text, stream->algorithm->prefix);
    text_add_hex(&text, raw, raw_len);
    assert(text.len < DIGEST_MAX_LEN);
    memcpy(ret_digest, text_string(&text), text.len + 1);
    text_done(&text);
    return strcmp(ret_digest, stream->expected) == 0;
}

void digest_of(const void *bytes, size_t len, char ret_digest[DIGEST_MAX_LEN])
{
    struct digest_stream *stream = stream_new(&algorithms[0], SLICE(""));
    digest_stream_add(stream, bytes, len);
    digest_stream_end(stream, ret_digest);
    digest_stream_free(stream);
}

bool digest_matches(struct slice digest, const void *bytes, size_t len)
{
    char real[DIGEST_MAX_LEN];
    struct digest_stream *stream = digest_stream_new(digest);
    digest_stream_add(stream, bytes, len);
    bool is_same = digest_stream_end(stream, real);
    digest_stream_free(stream);
    return is_same;
}
