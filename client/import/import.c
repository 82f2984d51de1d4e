#include "base/cleanup.h"
#include "client/image_hosts.h"
#include "client/image_text.h"
#include "client/import/image.h"
#include "client/import_verb.h"
#include "client/output.h"
#include "json/message_json.h"

#include <stdlib.h>

#define CHUNK_BYTES    (1u << 20)
#define MAX_TRIES      5 /* of a chunk that the host does not take */
#define COMMIT_TIME_MS 900000

typedef Eos__Launcher__V1__CheckBlobsResponse check_response;
typedef Eos__Launcher__V1__UploadBlobResponse upload_response;
typedef Eos__Launcher__V1__CommitImageResponse commit_response;

/* One image on its way to one host. */
struct sending {
    const struct invocation *invocation;
    struct gateway *gateway;
    struct import_source *source;
    const struct import_image *image;
    const Eos__Scheduler__V1__Host *host;
    int64_t sent; /* of image->bytes, or there before */
    char *chunk;
};

static bool ask(const struct sending *sending, const char *action, const ProtobufCMessage *request,
                const ProtobufCMessageDescriptor *type, struct arena *arena,
                ProtobufCMessage **ret_response, struct error *err)
{
    cleanup_text struct text path = TEXT_INIT;
    image_hosts_add_path(&path, sending->host->host_id, action);
    return gateway_call(sending->gateway, "POST", text_string(&path), request, type, arena,
                        ret_response, err);
}

static void show_progress(const struct sending *sending)
{
    struct arena *arena = sending->invocation->arena;
    if (!output_is_terminal(STDERR_FILENO))
        return;
    cleanup_text struct text line = TEXT_INIT;
    output_add_printable(&line, sending->image->name);
    text_printf(&line, ": %s of %s", image_size_text(sending->sent, arena),
                image_size_text(sending->image->bytes, arena));
    output_progress(text_string(&line));
}

/* -- blobs ---------------------------------------------------------------------------------------- */

static const struct import_blob *find_blob(const struct import_image *image, const char *digest)
{
    for (size_t i = 0; i < image->blob_count; i++)
        if (strcmp(image->blobs[i].digest, digest) == 0)
            return &image->blobs[i];
    return NULL;
}

static bool send_chunk(struct sending *sending, const struct import_blob *blob,
                       const struct import_file *file, int64_t *offset, struct error *err)
{
    Eos__Launcher__V1__UploadBlobRequest request = EOS__LAUNCHER__V1__UPLOAD_BLOB_REQUEST__INIT;
    struct arena *arena = arena_new();
    ProtobufCMessage *message;
    size_t len = blob->size - *offset < CHUNK_BYTES ? (size_t)(blob->size - *offset) : CHUNK_BYTES;
    request.digest = (char *)blob->digest;
    request.size_bytes = blob->size;
    request.offset = *offset;
    request.data = (ProtobufCBinaryData){ len, (uint8_t *)sending->chunk };
    bool ok = import_file_read(file, *offset, sending->chunk, len, err) &&
              ask(sending, ":upload", &request.base,
                  &eos__launcher__v1__upload_blob_response__descriptor, arena, &message, err);
    if (ok)
        *offset = ((const upload_response *)message)->offset;
    arena_free(arena);
    return ok;
}

static bool send_content(struct sending *sending, const struct import_blob *blob,
                         const struct import_file *file, int64_t offset, struct error *err)
{
    int tries = 0;
    if (file->size != blob->size)
        return error_set(err, ERROR_DATA_LOSS, "it has %lld bytes and not %lld",
                         (long long)file->size, (long long)blob->size);
    do {
        int64_t before = offset;
        if (!send_chunk(sending, blob, file, &offset, err))
            return false;
        tries = offset > before ? 0 : tries + 1;
        if (tries >= MAX_TRIES || offset < 0 || offset > blob->size)
            return error_set(err, ERROR_ABORTED, "the host does not take what is sent");
        sending->sent += offset - before;
        show_progress(sending);
    } while (offset < blob->size);
    return true;
}

static bool send_blob(struct sending *sending, const struct import_blob *blob, int64_t offset,
                      struct error *err)
{
    struct import_file file;
    if (!import_file_open(sending->source, blob->path, &file, err))
        return false;
    sending->sent += offset;
    bool ok = send_content(sending, blob, &file, offset, err);
    import_file_close(&file);
    return ok || error_prefix(err, "blob %.19s", blob->digest);
}

static bool find_missing(const struct sending *sending, const check_response **ret_response,
                         struct error *err)
{
    Eos__Launcher__V1__CheckBlobsRequest request = EOS__LAUNCHER__V1__CHECK_BLOBS_REQUEST__INIT;
    const struct import_image *image = sending->image;
    struct arena *arena = sending->invocation->arena;
    ProtobufCMessage *message;
    request.blobs = arena_array(arena, image->blob_count, sizeof *request.blobs);
    for (size_t i = 0; i < image->blob_count; i++) {
        Eos__Launcher__V1__BlobDescription *blob = arena_alloc(arena, sizeof *blob);
        eos__launcher__v1__blob_description__init(blob);
        blob->digest = (char *)image->blobs[i].digest;
        blob->size_bytes = image->blobs[i].size;
        blob->diff_id = (char *)image->blobs[i].diff_id;
        request.blobs[request.n_blobs++] = blob;
    }
    if (!ask(sending, ":check", &request.base, &eos__launcher__v1__check_blobs_response__descriptor,
             arena, &message, err))
        return false;
    *ret_response = (const check_response *)message;
    return true;
}

static bool send_missing(struct sending *sending, struct error *err)
{
    const check_response *response;
    if (!find_missing(sending, &response, err))
        return false;
    sending->sent = sending->image->bytes;
    for (size_t i = 0; i < response->n_missing; i++) {
        const struct import_blob *blob = find_blob(sending->image, response->missing[i]->digest);
        sending->sent -= blob ? blob->size : 0;
    }
    for (size_t i = 0; i < response->n_missing; i++) {
        const struct import_blob *blob = find_blob(sending->image, response->missing[i]->digest);
        if (!blob)
            return error_set(err, ERROR_DATA_LOSS, "the host asks for a blob that was not offered");
        if (!send_blob(sending, blob, response->missing[i]->offset, err))
            return false;
    }
    return true;
}

/* -- the verb ------------------------------------------------------------------------------------- */

static bool commit(const struct sending *sending, const commit_response **ret_response,
                   struct error *err)
{
    Eos__Launcher__V1__CommitImageRequest request = EOS__LAUNCHER__V1__COMMIT_IMAGE_REQUEST__INIT;
    ProtobufCMessage *message;
    request.name = (char *)sending->image->name;
    request.manifest = (ProtobufCBinaryData){ sending->image->manifest.len,
                                              (uint8_t *)sending->image->manifest.ptr };
    if (!ask(sending, ":commit", &request.base,
             &eos__launcher__v1__commit_image_response__descriptor, sending->invocation->arena,
             &message, err))
        return false;
    *ret_response = (const commit_response *)message;
    return true;
}

static void add_result(struct text *out, const struct sending *sending,
                       const commit_response *response, bool is_json)
{
    if (!is_json) {
        output_add_printable(out, sending->host->hostname);
        text_add_char(out, ' ');
        output_add_printable(out, response->name);
        text_add_char(out, ' ');
        output_add_printable(out, response->digest);
        text_add_char(out, '\n');
        return;
    }
    text_add(out, out->len > 0 ? ",\n  {\"host\":" : "  {\"host\":");
    text_add_json_string(out, slice_of(sending->host->hostname));
    text_add(out, ",\"hostId\":");
    text_add_json_string(out, slice_of(sending->host->host_id));
    text_add(out, ",\"response\":");
    message_to_json(&response->base, out);
    text_add_char(out, '}');
}

/* What a host received is not what its digest says: it is the source that is damaged. */
static void complain(const struct sending *sending, struct error *err, enum exit_status *status)
{
    if (err->code == ERROR_DATA_LOSS) {
        error_prefix(err, "%.100s", sending->invocation->arguments[0]);
        if (*status == STATUS_OK)
            *status = STATUS_INVALID_CONFIGURATION;
    }
    image_hosts_complain(sending->host->hostname, err->code, err->message, status);
}

static void send_to(struct sending *sending, struct text *out, enum exit_status *status)
{
    const commit_response *response;
    struct error err;
    bool ok = send_missing(sending, &err) && commit(sending, &response, &err);
    output_progress(NULL);
    if (ok)
        add_result(out, sending, response, flags_want_json(sending->invocation->flags));
    else
        complain(sending, &err, status);
}

static enum exit_status print(const struct text *results, bool is_json, enum exit_status status)
{
    cleanup_text struct text out = TEXT_INIT;
    text_printf(&out, "%s%s%s", is_json ? "{\"hosts\": [\n" : "", text_string(results),
                is_json ? "\n]}\n" : "");
    enum exit_status printed = output_print(&out);
    return printed == STATUS_OK ? status : printed;
}

static enum exit_status send_all(struct sending *sending, const struct import_image *images,
                                 size_t count)
{
    cleanup_text struct text results = TEXT_INIT;
    enum exit_status status = STATUS_OK;
    Eos__Scheduler__V1__Host **hosts;
    size_t host_count;
    if (!image_hosts_find(sending->invocation, sending->gateway, &hosts, &host_count, &status))
        return status;
    for (size_t i = 0; i < host_count; i++)
        for (size_t k = 0; k < count; k++) {
            sending->host = hosts[i];
            sending->image = &images[k];
            send_to(sending, &results, &status);
        }
    return print(&results, flags_want_json(sending->invocation->flags), status);
}

static enum exit_status send_source(const struct invocation *invocation,
                                    struct import_source *source)
{
    struct error err;
    struct import_image *images;
    size_t count;
    const char *wanted = invocation->argument_count > 1 ? invocation->arguments[1] : NULL;
    if (!import_images_find(source, wanted, invocation->arena, &images, &count, &err)) {
        error_prefix(&err, "%.100s", invocation->arguments[0]);
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    }
    cleanup_gateway struct gateway *gateway =
        gateway_open(invocation, invocation->flags->cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    gateway_set_timeout(gateway, COMMIT_TIME_MS);
    struct sending sending = { .invocation = invocation, .gateway = gateway, .source = source };
    sending.chunk = malloc(CHUNK_BYTES);
    enum exit_status status = sending.chunk ? send_all(&sending, images, count) : STATUS_FATAL;
    free(sending.chunk);
    return status;
}

enum exit_status import_run(const struct invocation *invocation)
{
    struct error err;
    struct import_source *source =
        import_source_open(invocation->arguments[0], invocation->arena, &err);
    if (!source) {
        error_prefix(&err, "%.100s", invocation->arguments[0]);
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    }
    enum exit_status status = send_source(invocation, source);
    import_source_close(source);
    return status;
}
