#include "launcher/docker_body.h"
#include "launcher/docker_call.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#define PULL_SILENCE_MS (5 * 60 * 1000u)
#define LINE_MAX_BYTES  (1u << 20)
#define IMAGE_MAX_BYTES 1024u
#define SIGNAL_MAX      64 /* an engine that finds a container dead without a status says 255 */

struct docker_engine *docker_engine_open(uv_loop_t *loop,
                                         const struct docker_engine_options *options,
                                         struct error *err)
{
    struct docker_credentials *credentials = docker_credentials_open(options->docker_config, err);
    if (!credentials)
        return NULL;
    struct docker_engine *engine = xcalloc(1, sizeof *engine);
    engine->loop = loop;
    engine->socket = xstrdup(options->socket);
    engine->credentials = credentials;
    return engine;
}

void docker_engine_close(struct docker_engine *engine)
{
    struct error err;
    if (!engine)
        return;
    error_set(&err, ERROR_CANCELLED, "the launcher stops");
    while (engine->calls)
        engine->calls->fail(engine->calls, &err);
    docker_credentials_close(engine->credentials);
    free(engine->socket);
    free(engine);
}

bool docker_engine_is_away(const struct docker_engine *engine)
{
    return engine->has_answered && engine->is_silent;
}

void docker_cancel(struct docker_call *call)
{
    docker_call_free(call);
}

/* -- fetching ------------------------------------------------------------------------------------- */

static void fail_fetch(struct docker_call *call, const struct error *err)
{
    docker_image_fn *done = call->on_image;
    void *user = call->user;
    struct error copy = *err;
    docker_call_free(call);
    done(user, NULL, &copy);
}

static void inspect_image(struct docker_call *call);

static void on_line(void *user, struct slice bytes)
{
    struct docker_call *call = user;
    while (bytes.ptr) {
        struct slice part = slice_split(&bytes, '\n');
        if (call->line.len + part.len <= LINE_MAX_BYTES)
            text_add_slice(&call->line, part);
        if (!bytes.ptr)
            break;
        if (!call->has_pull_failed)
            call->has_pull_failed =
                !docker_reply_pull_line(text_slice(&call->line), &call->pull_error);
        text_clear(&call->line);
    }
}

/* A failure may come after a status of success, as one of the lines. */
static void on_pulled(struct docker_call *call, unsigned status, struct slice body)
{
    struct error err;
    if (status != 200) {
        docker_reply_refuse(status, body, &err);
    } else if (call->has_pull_failed) {
        err = call->pull_error;
    } else {
        inspect_image(call);
        return;
    }
    error_prefix(&err, "could not pull the image \"%.100s\"", call->image);
    call->fail(call, &err);
}

static void pull(struct docker_call *call)
{
    const char *name, *tag;
    call->has_pulled = true;
    docker_reference_split(call->image, call->arena, &name, &tag);
    const char *path = docker_call_path(call, "/images/create?fromImage=%s", name);
    if (tag[0])
        path = arena_printf(call->arena, "%s&%s", path, docker_call_path(call, "tag=%s", tag));
    docker_call_ask(call,
                    &(struct docker_question){
                        .method = "POST",
                        .path = path,
                        .headers = docker_credentials_header(
                            call->engine->credentials,
                            docker_reference_registry(call->image, call->arena), call->arena),
                        .silence_ms = PULL_SILENCE_MS,
                        .on_data = on_line },
                    on_pulled);
}

static void on_inspected(struct docker_call *call, unsigned status, struct slice body)
{
    struct docker_image_facts facts;
    struct error err;

    if (status == 404 && !call->has_pulled) {
        pull(call);
    } else if (status != 200) {
        docker_call_refuse(call, status, body, "could not look at the image");
    } else if (!docker_reply_image(body, call->image, call->arena, &facts, &err)) {
        call->fail(call, &err);
    } else {
        const struct docker_image image = {
            .digest = facts.digest,
            .user = facts.user,
            .environment = facts.environment,
            .environment_count = facts.environment_count,
        };
        call->on_image(call->user, &image, NULL);
        docker_call_free(call);
    }
}

static void inspect_image(struct docker_call *call)
{
    docker_call_ask(call,
                    &(struct docker_question){
                        .method = "GET",
                        .path = docker_call_path(call, "/images/%s/json", call->image) },
                    on_inspected);
}

struct docker_call *docker_fetch(struct docker_engine *engine, const char *image,
                                 docker_image_fn *done, void *user)
{
    struct docker_call *call = docker_call_new(engine, user, fail_fetch);
    call->on_image = done;
    call->image = arena_memdup0(call->arena, image,
                                strlen(image) < IMAGE_MAX_BYTES ? strlen(image) : IMAGE_MAX_BYTES);
    inspect_image(call);
    return call;
}

/* -- running -------------------------------------------------------------------------------------- */

static void fail_run(struct docker_call *call, const struct error *err)
{
    docker_run_fn *done = call->on_run;
    void *user = call->user;
    struct error copy = *err;
    docker_call_free(call);
    done(user, NULL, 0, &copy);
}

static void on_looked(struct docker_call *call, unsigned status, struct slice body)
{
    struct docker_container_state state;
    struct error err;
    if (status != 200) {
        docker_call_refuse(call, status, body, "could not look at the container");
        return;
    }
    if (!docker_reply_container(body, call->arena, &state, &err)) {
        call->fail(call, &err);
        return;
    }
    call->on_run(call->user, call->container_id, state.is_running ? state.pid : 0, NULL);
    docker_call_free(call);
}

static void on_started(struct docker_call *call, unsigned status, struct slice body)
{
    if (status != 204 && status != 304)
        docker_call_refuse(call, status, body, "could not start the container");
    else
        docker_call_ask(call,
                        &(struct docker_question){
                            .method = "GET",
                            .path =
                                docker_call_path(call, "/containers/%s/json", call->container_id) },
                        on_looked);
}

static void start(struct docker_call *call)
{
    docker_call_ask(call,
                    &(struct docker_question){
                        .method = "POST",
                        .path =
                            docker_call_path(call, "/containers/%s/start", call->container_id) },
                    on_started);
}

/* The launcher died between creating and noting it.  The container is taken over as it is, so that
 * nothing runs twice: to start one that has been started meanwhile does nothing. */
static void on_found(struct docker_call *call, unsigned status, struct slice body)
{
    struct docker_container_state state;
    struct error err;

    if (status != 200) {
        docker_call_refuse(call, status, body, "could not look at the container");
    } else if (!docker_reply_container(body, call->arena, &state, &err)) {
        call->fail(call, &err);
    } else if (strcmp(state.task_id, call->task_id) != 0 ||
               strcmp(state.host_id, call->host_id) != 0) {
        error_set(&err, ERROR_ALREADY_EXISTS,
                  "the Docker engine has a container \"%s\" that is not of this host's launcher",
                  call->name);
        call->fail(call, &err);
    } else {
        call->container_id = state.id;
        if (state.is_created)
            start(call);
        else
            on_looked(call, status, body);
    }
}

static void on_created(struct docker_call *call, unsigned status, struct slice body)
{
    struct error err;
    if (status == 409)
        docker_call_ask(call,
                        &(struct docker_question){
                            .method = "GET",
                            .path = docker_call_path(call, "/containers/%s/json", call->name) },
                        on_found);
    else if (status != 201)
        docker_call_refuse(call, status, body, "could not create the container");
    else if (!docker_reply_created(body, call->arena, &call->container_id, &err))
        call->fail(call, &err);
    else
        start(call);
}

static void create(struct docker_call *call)
{
    docker_call_ask(call,
                    &(struct docker_question){
                        .method = "POST",
                        .path = docker_call_path(call, "/containers/create?name=%s", call->name),
                        .body = text_slice(&call->body) },
                    on_created);
}

/* What is wrong with the parameters is known before anything is asked, and told in the same way. */
static void on_ping(struct docker_call *call, unsigned status, struct slice body)
{
    (void)status;
    (void)body;
    call->fail(call, &call->pull_error);
}

struct docker_call *docker_run(struct docker_engine *engine, const struct docker_run *run,
                               docker_run_fn *done, void *user)
{
    struct docker_call *call = docker_call_new(engine, user, fail_run);
    call->on_run = done;
    call->name = arena_printf(call->arena, DOCKER_NAME_PREFIX "%s", run->task_id);
    call->task_id = arena_strdup(call->arena, run->task_id);
    call->host_id = arena_strdup(call->arena, run->host_id);
    if (docker_body_make(run, &call->body, &call->pull_error))
        create(call);
    else
        docker_call_ask(call, &(struct docker_question){ .method = "GET", .path = "/_ping" },
                        on_ping);
    return call;
}

/* -- removing and explaining ---------------------------------------------------------------------- */

static void fail_done(struct docker_call *call, const struct error *err)
{
    docker_done_fn *done = call->on_done;
    void *user = call->user;
    struct error copy = *err;
    docker_call_free(call);
    done(user, &copy);
}

static void succeed(struct docker_call *call)
{
    docker_done_fn *done = call->on_done;
    void *user = call->user;
    docker_call_free(call);
    done(user, NULL);
}

static void on_removed(struct docker_call *call, unsigned status, struct slice body)
{
    if (status == 204 || status == 404)
        succeed(call);
    else
        docker_call_refuse(call, status, body, "could not remove the container");
}

static struct docker_call *ask_about(struct docker_engine *engine, const char *task_id,
                                     const char *method, const char *format,
                                     docker_answer_fn *answer, docker_done_fn *done, void *user)
{
    struct docker_call *call = docker_call_new(engine, user, fail_done);
    call->on_done = done;
    call->name = arena_printf(call->arena, DOCKER_NAME_PREFIX "%s", task_id);
    docker_call_ask(call,
                    &(struct docker_question){ .method = method,
                                               .path = docker_call_path(call, format, call->name) },
                    answer);
    return call;
}

struct docker_call *docker_remove(struct docker_engine *engine, const char *task_id,
                                  docker_done_fn *done, void *user)
{
    return ask_about(engine, task_id, "DELETE", "/containers/%s?v=1&force=1", on_removed, done,
                     user);
}

static void on_explained(struct docker_call *call, unsigned status, struct slice body)
{
    struct docker_container_state state;
    struct error err;
    if (status != 200) {
        docker_call_refuse(call, status, body, "could not look at the container");
        return;
    }
    if (docker_reply_container(body, call->arena, &state, &err)) {
        if (state.is_out_of_memory)
            error_set(&err, ERROR_RESOURCE_EXHAUSTED, "Memory limit exceeded.");
        else if (state.error[0])
            error_set(&err, ERROR_INTERNAL, "Failed to run docker container: %s", state.error);
        else if (state.exit_code > 128 && state.exit_code <= 128 + SIGNAL_MAX)
            error_set(&err, ERROR_UNKNOWN, "Container terminated with signal %d",
                      state.exit_code - 128);
        else
            error_set(&err, ERROR_UNKNOWN, "Container exited with status %d", state.exit_code);
    }
    call->fail(call, &err);
}

/* The engine learns of the end a moment after the kernel. */
static void on_waited(struct docker_call *call, unsigned status, struct slice body)
{
    (void)status;
    (void)body;
    docker_call_ask(call,
                    &(struct docker_question){
                        .method = "GET",
                        .path = docker_call_path(call, "/containers/%s/json", call->name) },
                    on_explained);
}

struct docker_call *docker_explain(struct docker_engine *engine, const char *task_id,
                                   docker_done_fn *done, void *user)
{
    return ask_about(engine, task_id, "POST", "/containers/%s/wait", on_waited, done, user);
}
