#include "client/image.h"
#include "client/image_hosts.h"
#include "client/image_text.h"
#include "client/output.h"
#include "client/problem.h"
#include "client/sse_reader.h"
#include "json/message_json.h"

#define SILENCE_MS 45000
#define LINE_CHARS 100

typedef Eos__Gateway__V1__HostPull host_pull;

/* Several hosts pull at once, and each tells how far it is.  The line on the terminal shows the one that
 * has just said something, and how many are done. */
struct pulling {
    const struct invocation *invocation;
    struct sse_reader *reader;
    struct text printed; /* results, as text or as JSON objects */
    size_t done;
    bool has_ended, is_broken;
    enum exit_status status;
};

static void show_progress(const struct pulling *pulling, const host_pull *host)
{
    cleanup_text struct text line = TEXT_INIT;
    const Eos__Launcher__V1__PullImageProgress *progress = host->response;
    if (!progress || !output_is_terminal(STDERR_FILENO))
        return;
    output_add_printable(&line, host->host);
    if (progress->layers > 0) {
        struct arena *arena = pulling->invocation->arena;
        text_printf(&line, ": %d of %d layers, %s of %s", progress->layers_done, progress->layers,
                    image_size_text(progress->bytes_done, arena),
                    image_size_text(progress->bytes, arena));
    } else {
        text_add(&line, ": asking");
    }
    if (pulling->done > 0)
        text_printf(&line, "; %zu done", pulling->done);
    if (line.len > LINE_CHARS)
        line.ptr[LINE_CHARS] = '\0';
    output_progress(text_string(&line));
}

static void add_json(struct pulling *pulling, const host_pull *host)
{
    text_add(&pulling->printed, pulling->printed.len > 0 ? ",\n  " : "  ");
    message_to_json(&host->base, &pulling->printed);
}

static void take_done(struct pulling *pulling, const host_pull *host)
{
    pulling->done++;
    if (flags_want_json(pulling->invocation->flags)) {
        add_json(pulling, host);
        return;
    }
    output_add_printable(&pulling->printed, host->host);
    text_add_char(&pulling->printed, ' ');
    output_add_printable(&pulling->printed, host->response ? host->response->digest : "");
    text_add_char(&pulling->printed, '\n');
}

static void take_error(struct pulling *pulling, const host_pull *host)
{
    output_progress(NULL);
    if (flags_want_json(pulling->invocation->flags))
        add_json(pulling, host);
    if (host->error)
        image_hosts_complain(host->host, problem_code(host->error->code), host->error->message,
                             &pulling->status);
}

static bool on_event(void *user, const struct sse_event *event)
{
    struct pulling *pulling = user;
    ProtobufCMessage *message;
    struct error err;
    pulling->has_ended |= slice_is(event->name, "end");
    if (pulling->has_ended)
        return false;
    if (!message_from_json(event->data, &eos__gateway__v1__host_pull__descriptor,
                           MESSAGE_JSON_IGNORE_UNKNOWN, pulling->invocation->arena, &message,
                           &err)) {
        pulling->is_broken = true;
        return false;
    }
    const host_pull *host = (const host_pull *)message;
    if (slice_is(event->name, "done"))
        take_done(pulling, host);
    else if (slice_is(event->name, "error"))
        take_error(pulling, host);
    else
        show_progress(pulling, host);
    return true;
}

static bool on_data(void *user, struct slice bytes)
{
    struct pulling *pulling = user;
    return sse_reader_feed(pulling->reader, bytes);
}

static bool stream(struct pulling *pulling, struct gateway *gateway, struct error *err)
{
    cleanup_text struct text path = TEXT_INIT, body = TEXT_INIT;
    Eos__Launcher__V1__PullImageRequest request = EOS__LAUNCHER__V1__PULL_IMAGE_REQUEST__INIT;
    request.reference = pulling->invocation->arguments[0];
    message_to_json(&request.base, &body);
    image_hosts_add_path(&path, pulling->invocation->flags->host, ":pull");
    const struct http_request http = { .method = "POST",
                                       .path = text_string(&path),
                                       .body = text_slice(&body),
                                       .accept = "text/event-stream",
                                       .silence_ms = SILENCE_MS,
                                       .on_data = on_data,
                                       .user = pulling };
    bool ok = gateway_stream(gateway, &http, err);
    output_progress(NULL);
    if (!ok || pulling->has_ended)
        return ok;
    return error_set(err, pulling->is_broken ? ERROR_DATA_LOSS : ERROR_UNAVAILABLE,
                     pulling->is_broken ? "the gateway's answer could not be understood"
                                        : "the connection to the gateway broke");
}

static enum exit_status print(struct pulling *pulling)
{
    cleanup_text struct text out = TEXT_INIT;
    bool is_json = flags_want_json(pulling->invocation->flags);
    text_printf(&out, "%s%s%s", is_json ? "{\"hosts\": [\n" : "", text_string(&pulling->printed),
                is_json ? "\n]}\n" : "");
    enum exit_status printed = output_print(&out);
    return printed == STATUS_OK ? pulling->status : printed;
}

enum exit_status image_pull(const struct invocation *invocation)
{
    struct pulling pulling = { .invocation = invocation };
    struct error err;
    cleanup_gateway struct gateway *gateway =
        gateway_open(invocation, invocation->flags->cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    pulling.reader = sse_reader_new(on_event, &pulling);
    bool ok = stream(&pulling, gateway, &err);
    enum exit_status status = print(&pulling);
    if (!ok)
        status = output_complain(exit_status_of(err.code), &err);
    sse_reader_free(pulling.reader);
    text_done(&pulling.printed);
    return status;
}
