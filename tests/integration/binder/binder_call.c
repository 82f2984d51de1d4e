#include "base/alloc.h"
#include "base/options.h"
#include "base/text.h"
#include "io/rpc_client.h"
#include "json/message_json.h"

#include "eos/binder/v1/binder.pb-c.h"
#include "eos/rpc/v1/rpc.pb-c.h"

#include <stdio.h>
#include <unistd.h>

/* Calls a method of the binder with the request that is on stdin as JSON.  Answers go to stdout, one
 * line each; errors to stderr, as "code=" and "error=". */

static struct {
    const char *url;
    int64_t repeat, deadline_ms, give_up_ms;
} options = { .repeat = 1 };

/* clang-format off */
static const struct option rows[] = {
    { .name = "url", .type = OPTION_STRING, .target = &options.url, .value = "URL", .help = "of the binder" },
    { .name = "repeat", .type = OPTION_INTEGER, .target = &options.repeat, .value = "COUNT", .help = "so many calls at once" },
    { .name = "deadline", .type = OPTION_DURATION, .target = &options.deadline_ms, .value = "DURATION", .help = "of each call" },
    { .name = "give-up", .type = OPTION_DURATION, .target = &options.give_up_ms, .value = "DURATION", .help = "cancel all calls after it" },
    { 0 },
};

static const struct method {
    const char *name;
    const ProtobufCServiceDescriptor *service;
    const ProtobufCMessageDescriptor *request;
} methods[] = {
    { "Resolve", &eos__binder__v1__binder__descriptor, &eos__binder__v1__resolve_request__descriptor },
    { "Bind", &eos__binder__v1__binder__descriptor, &eos__binder__v1__bind_request__descriptor },
    { "Inspect", &eos__binder__v1__binder__descriptor, &eos__binder__v1__inspect_request__descriptor },
    { "Verify", &eos__binder__v1__binder__descriptor, &eos__binder__v1__verify_request__descriptor },
    { "Metrics", &eos__rpc__v1__introspection__descriptor, &eos__rpc__v1__metrics_request__descriptor },
};
/* clang-format on */

static struct rpc_client *client;
static struct rpc_call **calls;
static uv_timer_t give_up;
static int64_t in_flight;
static int status;

static void end(const struct error *err)
{
    if (err) {
        fprintf(stderr, "code=%d\nerror=%s\n", (int)err->code, err->message);
        status = 1;
    }
    if (--in_flight > 0)
        return;
    uv_close((uv_handle_t *)&give_up, NULL);
    rpc_client_close(client);
}

static void on_reply(void *user, const ProtobufCMessage *response, const struct error *err)
{
    struct text out = TEXT_INIT;
    *(struct rpc_call **)user = NULL;
    if (response) {
        message_to_json(response, &out);
        puts(text_string(&out));
    }
    text_done(&out);
    end(err);
}

static void on_give_up(uv_timer_t *timer)
{
    (void)timer;
    struct error err;
    error_set(&err, ERROR_CANCELLED, "given up");
    for (int64_t i = 0; i < options.repeat; i++)
        if (calls[i]) {
            rpc_call_cancel(calls[i]);
            end(&err);
        }
}

static const struct method *find_method(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(name, methods[i].name) == 0)
            return &methods[i];
    return NULL;
}

static void read_all(struct text *out)
{
    ssize_t len;
    do {
        text_reserve(out, 65536);
        len = read(STDIN_FILENO, out->ptr + out->len, 65536);
        out->len += len > 0 ? (size_t)len : 0;
    } while (len > 0);
}

static bool start(uv_loop_t *loop, const struct method *method, const ProtobufCMessage *request,
                  struct error *err)
{
    struct rpc_client_options client_options = { .url = options.url, .caller = "test" };
    struct rpc_call_options call_options = { .deadline_ms = (uint32_t)options.deadline_ms };
    client = rpc_client_open(loop, &client_options, err);
    if (!client)
        return false;
    in_flight = options.repeat;
    for (int64_t i = 0; i < options.repeat; i++) {
        calls[i] = rpc_call(client, method->service, method->name, request, &call_options, on_reply,
                            &calls[i], err);
        if (!calls[i])
            end(err);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct error err;
    struct text input = TEXT_INIT;
    struct arena *arena = arena_new();
    ProtobufCMessage *request;
    int count;
    uv_loop_t loop;
    if (!options_parse(rows, argc, argv, &count, &err) || count != 1 || !options.url ||
        !find_method(argv[1])) {
        fprintf(stderr, "usage: binder_call --url URL [FLAG...] "
                        "Resolve|Bind|Inspect|Verify|Metrics < REQUEST\n");
        return 2;
    }
    const struct method *method = find_method(argv[1]);
    read_all(&input);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &give_up);
    calls = xcalloc((size_t)options.repeat, sizeof(struct rpc_call *));
    if (!message_from_json(text_slice(&input), method->request, MESSAGE_JSON_REJECT_UNKNOWN, arena,
                           &request, &err) ||
        !start(&loop, method, request, &err)) {
        fprintf(stderr, "code=%d\nerror=%s\n", (int)err.code, err.message);
        return 1;
    }
    if (options.give_up_ms > 0)
        uv_timer_start(&give_up, on_give_up, (uint64_t)options.give_up_ms, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    text_done(&input);
    arena_free(arena);
    free(calls);
    options_done(rows);
    return uv_loop_close(&loop) == 0 ? status : 3;
}
