#include "launcher/docker_call.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#define SILENCE_MS 30000u

struct docker_call *docker_call_new(struct docker_engine *engine, void *user,
                                    void (*fail)(struct docker_call *, const struct error *))
{
    struct docker_call *call = xcalloc(1, sizeof *call);
    call->engine = engine;
    call->arena = arena_new();
    call->fail = fail;
    call->user = user;
    call->next = engine->calls;
    call->place = &engine->calls;
    if (call->next)
        call->next->place = &call->next;
    engine->calls = call;
    return call;
}

void docker_call_free(struct docker_call *call)
{
    *call->place = call->next;
    if (call->next)
        call->next->place = call->place;
    if (call->http)
        docker_http_cancel(call->http);
    text_done(&call->line);
    text_done(&call->body);
    arena_free(call->arena);
    free(call);
}

static void on_done(void *user, unsigned status, struct slice body, const struct error *err)
{
    struct docker_call *call = user;
    call->http = NULL;
    call->engine->is_silent = err != NULL;
    call->engine->has_answered |= !err;
    if (err)
        call->fail(call, err);
    else
        call->answer(call, status, body);
}

void docker_call_ask(struct docker_call *call, const struct docker_question *question,
                     docker_answer_fn *answer)
{
    const struct docker_http_request request = {
        .socket = call->engine->socket,
        .method = question->method,
        .path = question->path,
        .headers = question->headers,
        .body = question->body,
        .silence_ms = question->silence_ms > 0 ? question->silence_ms : SILENCE_MS,
        .on_data = question->on_data,
        .on_done = on_done,
        .user = call,
    };
    call->answer = answer;
    call->http = docker_http_start(call->engine->loop, &request);
}

void docker_call_refuse(struct docker_call *call, unsigned status, struct slice body,
                        const char *what)
{
    struct error err;
    docker_reply_refuse(status, body, &err);
    error_prefix(&err, "%s", what);
    call->fail(call, &err);
}

const char *docker_call_path(struct docker_call *call, const char *format, const char *part)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:@";
    cleanup_text struct text path = TEXT_INIT;
    const char *hole = strstr(format, "%s");

    text_add_bytes(&path, format, (size_t)(hole - format));
    for (; *part; part++)
        if (strchr(plain, *part))
            text_add_char(&path, *part);
        else
            text_printf(&path, "%%%02X", (unsigned char)*part);
    text_add(&path, hole + 2);
    return arena_strdup(call->arena, text_string(&path));
}
