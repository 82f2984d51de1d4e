#pragma once

#include "launcher/docker_credentials.h"
#include "launcher/docker_engine.h"
#include "launcher/docker_http.h"
#include "launcher/docker_reply.h"

#include "base/arena.h"
#include "base/text.h"

/* One thing that is asked of the engine, in one or more requests. */

struct docker_engine {
    uv_loop_t *loop;
    char *socket;
    struct docker_credentials *credentials;
    struct docker_call *calls;
    bool has_answered, is_silent; /* ever, and the last time */
};

typedef void docker_answer_fn(struct docker_call *call, unsigned status, struct slice body);

struct docker_call {
    struct docker_engine *engine;
    struct docker_call *next, **place;
    struct arena *arena;
    struct docker_http *http;
    docker_answer_fn *answer;                                 /* to the request under way */
    void (*fail)(struct docker_call *, const struct error *); /* calls the owner back */
    void *user;

    /* fetch */
    docker_image_fn *on_image;
    const char *image;
    struct text line; /* of the progress that is not whole yet */
    bool has_pulled, has_pull_failed;
    struct error pull_error;

    /* run */
    docker_run_fn *on_run;
    const char *name, *container_id, *task_id, *host_id;
    struct text body;

    /* remove, explain */
    docker_done_fn *on_done;
};

struct docker_call *docker_call_new(struct docker_engine *engine, void *user,
                                    void (*fail)(struct docker_call *, const struct error *));

/* Ends the call before its owner is called back: nothing of it may be used after. */
void docker_call_free(struct docker_call *call);

struct docker_question {
    const char *method, *path, *headers;
    struct slice body;
    uint32_t silence_ms; /* 0: 30 s */
    void (*on_data)(void *call, struct slice bytes);
};

void docker_call_ask(struct docker_call *call, const struct docker_question *question,
                     docker_answer_fn *answer);

/* The engine's refusal, in front of it what was wanted. */
void docker_call_refuse(struct docker_call *call, unsigned status, struct slice body,
                        const char *what);

/* A path with "%s" replaced by a part that is escaped for URLs. */
const char *docker_call_path(struct docker_call *call, const char *format, const char *part);
