#include "config/once.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "config/compile.h"

#include <errno.h>

#define MAX_REQUEST_BYTES ((size_t)64 << 20)

static void *allocate(void *data, size_t size)
{
    return arena_alloc(data, size);
}

static void keep(void *data, void *p)
{
    (void)data;
    (void)p;
}

static bool read_all(struct arena *arena, uint8_t **ret_bytes, size_t *ret_len, struct error *err)
{
    size_t len = 0, capacity = 65536;
    uint8_t *bytes = arena_alloc(arena, capacity);
    for (;;) {
        ssize_t got = read(STDIN_FILENO, bytes + len, capacity - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(err, errno, "could not read the request from standard input");
        if (got == 0)
            break;
        len += (size_t)got;
        if (len > MAX_REQUEST_BYTES)
            return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the request is larger than %zu bytes",
                             MAX_REQUEST_BYTES);
        if (len == capacity) {
            bytes = arena_grow(arena, bytes, capacity, capacity * 2);
            capacity *= 2;
        }
    }
    *ret_bytes = bytes;
    *ret_len = len;
    return true;
}

static bool write_all(const uint8_t *bytes, size_t len, struct error *err)
{
    while (len > 0) {
        ssize_t put = write(STDOUT_FILENO, bytes, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_set_errno(err, errno, "could not write the response to standard output");
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

static bool run(struct arena *arena, struct error *err)
{
    ProtobufCAllocator allocator = { .alloc = allocate, .free = keep, .allocator_data = arena };
    uint8_t *bytes = NULL;
    size_t len = 0;
    if (!read_all(arena, &bytes, &len, err))
        return false;
    Eos__Config__V1__CompileRequest *request =
        eos__config__v1__compile_request__unpack(&allocator, len, bytes);
    if (!request)
        return error_set(err, ERROR_INVALID_ARGUMENT, "standard input is not a CompileRequest");
    if (!compile_check_request(request, err))
        return false;
    Eos__Config__V1__CompileResponse *response = compile_run(arena, request);
    len = eos__config__v1__compile_response__get_packed_size(response);
    bytes = arena_alloc(arena, len);
    eos__config__v1__compile_response__pack(response, bytes);
    return write_all(bytes, len, err);
}

bool once_run(struct error *err)
{
    struct arena *arena = arena_new();
    bool is_done = run(arena, err);
    arena_free(arena);
    return is_done;
}
