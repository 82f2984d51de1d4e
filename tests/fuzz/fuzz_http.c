#include "gateway/http_reader.h"
#include "gateway/routes.h"

/* Requests as a client may send them, up to the message that a route makes of them.  The first byte
 * chooses the size of the pieces that they arrive in. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void handle(const struct http_request *request)
{
    struct arena *arena = arena_new();
    struct text allowed = TEXT_INIT;
    struct error err;
    struct route_match match;
    ProtobufCMessage *message;
    if (route_find(request->method, request->path, arena, &match, &allowed, &err) &&
        match.route->request)
        (void)!route_request(&match, request->query, request->body, arena, &message, &err);
    text_done(&allowed);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http_limits limits = { .header_bytes = 4096,
                                               .header_count = 16,
                                               .body_bytes = 65536 };
    if (size == 0)
        return 0;
    size_t piece_size = data[0] ? data[0] : SIZE_MAX;
    struct slice rest = { (const char *)data + 1, size - 1 };
    struct http_reader *reader = http_reader_new(&limits);
    struct error err;
    int status;
    enum http_progress progress = HTTP_NEEDS_MORE;

    while (progress != HTTP_IS_BROKEN && (rest.len > 0 || progress != HTTP_NEEDS_MORE)) {
        struct slice piece = { rest.ptr, rest.len < piece_size ? rest.len : piece_size };
        size_t used;
        progress = http_reader_feed(reader, piece, &used, &status, &err);
        rest.ptr += used;
        rest.len -= used;
        if (progress != HTTP_IS_COMPLETE)
            continue;
        handle(http_reader_request(reader));
        http_reader_next(reader);
    }
    http_reader_free(reader);
    return 0;
}
