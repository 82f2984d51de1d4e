#include "config/class.h"
#include "config/modules.h"

#include <openssl/evp.h>

/* hashlib, on libcrypto. */

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

/* What was fed in is kept until the digest is asked for. */
struct hash {
    const char *algorithm;
    struct buffer input;
};

static struct hash *hash_of(struct value self)
{
    return (struct hash *)(uintptr_t)self.instance->payload.p;
}

static bool feed(struct vm *vm, struct hash *hash, struct value v)
{
    if (v.kind == K_STR)
        return raise_error(vm, &class_TypeError, "Strings must be encoded before hashing");
    if (v.kind != K_BYTES)
        return raise_error(vm, &class_TypeError, "object supporting the buffer API required");
    buffer_string(&hash->input, v.s);
    return true;
}

#define BYTES_FOR_A_START 2000 /* as many as could be read while the library gets ready */

static bool digest(struct vm *vm, const struct hash *hash, unsigned char *bytes, unsigned *ret_len)
{
    const EVP_MD *algorithm = EVP_get_digestbyname(hash->algorithm);
    const char *input = hash->input.bytes ? hash->input.bytes : "";
    if (hash->input.is_over)
        return raise_limit(vm, "hashed data is longer than %d bytes", LIMIT_STRING_BYTES);
    if (!vm_work(vm, hash->input.len + BYTES_FOR_A_START))
        return false;
    if (!algorithm || EVP_Digest(input, hash->input.len, bytes, ret_len, algorithm, NULL) != 1)
        return raise_error(vm, &class_ValueError, "unsupported hash type %s", hash->algorithm);
    return true;
}

FUNCTION(hash_update)
{
    *ret = V_NONE;
    return feed(vm, hash_of(self), args->items[0]);
}

FUNCTION(hash_digest)
{
    (void)args;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len;
    if (!digest(vm, hash_of(self), bytes, &len))
        return false;
    *ret = (struct value){ .kind = K_BYTES,
                           .s = string_new_bytes(vm->arena, (const char *)bytes, len) };
    return true;
}

static bool make_hash(struct vm *vm, const char *algorithm, struct value data, struct value *ret);

FUNCTION(hash_hexdigest)
{
    (void)args;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len;
    struct buffer buffer = buffer_new(vm);
    if (!digest(vm, hash_of(self), bytes, &len))
        return false;
    for (unsigned i = 0; i < len; i++)
        buffer_printf(&buffer, "%02x", bytes[i]);
    return buffer_value(vm, &buffer, ret);
}

FUNCTION(hash_copy)
{
    (void)args;
    const struct hash *hash = hash_of(self);
    struct value data = { .kind = K_BYTES,
                          .s = string_new_bytes(vm->arena,
                                                hash->input.bytes ? hash->input.bytes : "",
                                                hash->input.len) };
    return make_hash(vm, hash->algorithm, data, ret);
}

static const struct native HASH_METHODS[] = {
    { "copy", hash_copy, "" },     { "update", hash_update, "data" },
    { "digest", hash_digest, "" }, { "hexdigest", hash_hexdigest, "" },
    { NULL, NULL, NULL },
};

static const struct class class_hash = {
    .name = "HASH", .base = &class_object, .layout = K_INSTANCE, .methods = HASH_METHODS
};

static bool make_hash(struct vm *vm, const char *algorithm, struct value data, struct value *ret)
{
    struct hash *hash = arena_alloc(vm->arena, sizeof *hash);
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    hash->algorithm = algorithm;
    hash->input = buffer_new(vm);
    instance->class = &class_hash;
    instance->payload = (struct value){ .kind = K_NODE, .p = hash };
    instance->cause = V_NONE;
    instance->attributes = dict_new(vm->arena);
    dict_set_text(vm->arena, instance->attributes, string_from(vm->arena, "name"),
                  value_text(vm->arena, algorithm));
    *ret = (struct value){ .kind = K_INSTANCE, .instance = instance };
    return value_is_unset(data) || feed(vm, hash, data);
}

#define ALGORITHM(name)                                                                            \
    FUNCTION(hashlib_##name)                                                                       \
    {                                                                                              \
        (void)self;                                                                                \
        return make_hash(vm, #name, args->items[0], ret);                                          \
    }
ALGORITHM(md5)
ALGORITHM(sha1)
ALGORITHM(sha224)
ALGORITHM(sha256)
ALGORITHM(sha384)
ALGORITHM(sha512)
#undef ALGORITHM

FUNCTION(hashlib_new)
{
    (void)self;
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "name must be a string");
    return make_hash(vm, args->items[0].s->data, args->items[1], ret);
}

const struct native hashlib_natives[] = {
    { "md5", hashlib_md5, "| data" },       { "new", hashlib_new, "name | data" },
    { "sha1", hashlib_sha1, "| data" },     { "sha224", hashlib_sha224, "| data" },
    { "sha256", hashlib_sha256, "| data" }, { "sha384", hashlib_sha384, "| data" },
    { "sha512", hashlib_sha512, "| data" }, { NULL, NULL, NULL },
};
