#include "launcher/docker_reply.h"

/* What something at the end of the Docker socket may answer. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct slice body = { (const char *)data, size };
    struct docker_container_state state;
    struct docker_image_facts facts;
    struct error err;
    const char *id;
    bool ok = docker_reply_created(body, arena, &id, &err);
    ok = docker_reply_container(body, arena, &state, &err) || ok;
    ok = docker_reply_image(body, "host:5000/a/b:1.0", arena, &facts, &err) || ok;
    ok = docker_reply_pull_line(body, &err) || ok;
    ok = docker_reply_refuse(500, body, &err) || ok;
    (void)ok;
    arena_free(arena);
    return 0;
}
