#include "launcher/docker_reply.h"

#include "base/cleanup.h"
#include "json/message_json.h"

#include <jansson.h>

#define WORDS_MAX       180
#define ENVIRONMENT_MAX 4096u

DEFINE_CLEANUP(free_json, json_t *, json_decref)

/* The engine's words, printable and not too long. */
static const char *words(const char *text, char *buffer, size_t size)
{
    size_t len = 0;
    for (; text[len] && len + 1 < size; len++)
        buffer[len] = (unsigned char)text[len] < ' ' || text[len] == 127 ? ' ' : text[len];
    while (len > 0 && ((buffer[len - 1] & 0xc0) == 0x80 || (buffer[len - 1] & 0x80)) && text[len])
        len--; /* not in the middle of a character */
    buffer[len] = 0;
    return buffer;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static enum error_code code_of(unsigned status)
{
    switch (status) {
    case 400:
        return ERROR_INVALID_ARGUMENT;
    case 404:
        return ERROR_NOT_FOUND;
    case 409:
        return ERROR_ALREADY_EXISTS;
    default:
        return ERROR_INTERNAL;
    }
}

bool docker_reply_refuse(unsigned status, struct slice body, struct error *err)
{
    char buffer[WORDS_MAX];
    struct error ignored;
    CLEANUP(free_json) json_t *json = NULL;
    if (!json_parse(body, &json, &ignored))
        return error_set(err, code_of(status), "the Docker engine answered with status %u", status);
    return error_set(err, code_of(status), "the Docker engine answered: %s",
                     words(member(json, "message"), buffer, sizeof buffer));
}

static bool parse(struct slice body, json_t **ret_json, struct error *err)
{
    if (!json_parse(body, ret_json, err))
        return error_prefix(err, "the answer of the Docker engine");
    return true;
}

bool docker_reply_created(struct slice body, struct arena *arena, const char **ret_id,
                          struct error *err)
{
    CLEANUP(free_json) json_t *json = NULL;
    if (!parse(body, &json, err))
        return false;
    const char *id = member(json, "Id");
    if (!id[0] || strspn(id, "0123456789abcdef") != strlen(id))
        return error_set(err, ERROR_INTERNAL, "the Docker engine gave no container id");
    *ret_id = arena_strdup(arena, id);
    return true;
}

bool docker_reply_container(struct slice body, struct arena *arena,
                            struct docker_container_state *ret_state, struct error *err)
{
    CLEANUP(free_json) json_t *json = NULL;
    char buffer[WORDS_MAX];
    if (!parse(body, &json, err))
        return false;
    const json_t *state = json_object_get(json, "State");
    const json_t *labels = json_object_get(json_object_get(json, "Config"), "Labels");
    json_int_t pid = json_integer_value(json_object_get(state, "Pid"));
    ret_state->id = arena_strdup(arena, member(json, "Id"));
    ret_state->task_id = arena_strdup(arena, member(labels, DOCKER_LABEL_TASK));
    ret_state->host_id = arena_strdup(arena, member(labels, DOCKER_LABEL_HOST));
    ret_state->is_created = strcmp(member(state, "Status"), "created") == 0;
    ret_state->is_running = json_is_true(json_object_get(state, "Running"));
    ret_state->is_out_of_memory = json_is_true(json_object_get(state, "OOMKilled"));
    ret_state->pid = pid > 1 && pid <= INT32_MAX ? (int)pid : 0;
    ret_state->exit_code = (int)json_integer_value(json_object_get(state, "ExitCode"));
    ret_state->error = arena_strdup(arena, words(member(state, "Error"), buffer, sizeof buffer));
    return true;
}

/* -- images --------------------------------------------------------------------------------------- */

/* The digest of the repository that was asked for, out of "repository@sha256:…" each. */
static const char *find_digest(const json_t *list, const char *reference, struct arena *arena)
{
    const char *name, *tag, *at = strchr(reference, '@');
    if (at)
        return arena_strdup(arena, at + 1);
    docker_reference_split(reference, arena, &name, &tag);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *entry = json_string_value(json_array_get(list, i));
        const char *digest = entry ? strchr(entry, '@') : NULL;
        if (digest && slice_is((struct slice){ entry, (size_t)(digest - entry) }, name))
            return arena_strdup(arena, digest + 1);
    }
    const char *first = json_string_value(json_array_get(list, 0));
    const char *digest = first ? strchr(first, '@') : NULL;
    return digest ? arena_strdup(arena, digest + 1) : "";
}

bool docker_reply_image(struct slice body, const char *reference, struct arena *arena,
                        struct docker_image_facts *ret_facts, struct error *err)
{
    CLEANUP(free_json) json_t *json = NULL;
    if (!parse(body, &json, err))
        return false;
    const json_t *config = json_object_get(json, "Config");
    const json_t *environment = json_object_get(config, "Env");
    size_t count = json_array_size(environment);
    if (count > ENVIRONMENT_MAX)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the image sets more than %u variables",
                         ENVIRONMENT_MAX);
    ret_facts->digest = find_digest(json_object_get(json, "RepoDigests"), reference, arena);
    ret_facts->user = arena_strdup(arena, member(config, "User"));
    ret_facts->environment = arena_array(arena, count, sizeof *ret_facts->environment);
    ret_facts->environment_count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *variable = json_string_value(json_array_get(environment, i));
        if (variable)
            ret_facts->environment[ret_facts->environment_count++] = arena_strdup(arena, variable);
    }
    return true;
}

bool docker_reply_pull_line(struct slice line, struct error *err)
{
    CLEANUP(free_json) json_t *json = NULL;
    char buffer[WORDS_MAX];
    struct error ignored;
    if (slice_trim(line).len == 0 || !json_parse(line, &json, &ignored))
        return true;
    const char *message = member(json, "error");
    if (!message[0])
        return true;
    return error_set(err, ERROR_NOT_FOUND, "the Docker engine answered: %s",
                     words(message, buffer, sizeof buffer));
}

/* -- references ----------------------------------------------------------------------------------- */

void docker_reference_split(const char *reference, struct arena *arena, const char **ret_name,
                            const char **ret_tag)
{
    const char *slash = strrchr(reference, '/');
    const char *colon = strrchr(slash ? slash : reference, ':');

    *ret_name = arena_strdup(arena, reference);
    *ret_tag = strchr(reference, '@') ? "" : "latest";
    if (strchr(reference, '@') || !colon)
        return;
    *ret_name = arena_memdup0(arena, reference, (size_t)(colon - reference));
    *ret_tag = arena_strdup(arena, colon + 1);
}

/* The part before the first slash is a host when it looks like one. */
const char *docker_reference_registry(const char *reference, struct arena *arena)
{
    struct slice rest = slice_of(reference);
    struct slice first = slice_split(&rest, '/');
    bool is_host = rest.ptr && (memchr(first.ptr, '.', first.len) ||
                                memchr(first.ptr, ':', first.len) || slice_is(first, "localhost"));
    return is_host ? arena_memdup0(arena, first.ptr, first.len) : "docker.io";
}
