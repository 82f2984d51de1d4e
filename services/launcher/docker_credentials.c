#include "launcher/docker_credentials.h"

#include "launcher/host_file.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "registry/credentials.h"
#include "json/base64.h"

#include <sys/stat.h>

struct docker_credentials {
    struct credentials *list;
};

static bool read_config(struct credentials *list, const char *path, struct error *err)
{
    cleanup_text struct text content = TEXT_INIT;
    cleanup_free char *file = NULL;
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        path = file = xasprintf("%s/config.json", path);
    return host_file_read(path, CREDENTIALS_MAX_FILE_BYTES, &content, err) &&
           (credentials_add_docker(list, text_slice(&content), err) ||
            error_prefix(err, "\"%s\"", path));
}

struct docker_credentials *docker_credentials_open(const char *path, struct error *err)
{
    struct docker_credentials *credentials = xcalloc(1, sizeof *credentials);
    credentials->list = credentials_new();
    if (!path || read_config(credentials->list, path, err))
        return credentials;
    docker_credentials_close(credentials);
    return NULL;
}

void docker_credentials_close(struct docker_credentials *credentials)
{
    if (!credentials)
        return;
    credentials_free(credentials->list);
    free(credentials);
}

/* The engine wants base64 with the alphabet for URLs. */
static void encode(struct slice json, struct text *out)
{
    base64_encode(json, out);
    for (size_t i = 0; i < out->len; i++)
        out->ptr[i] = out->ptr[i] == '+' ? '-' : out->ptr[i] == '/' ? '_' : out->ptr[i];
}

const char *docker_credentials_header(const struct docker_credentials *credentials,
                                      const char *registry, struct arena *arena)
{
    const struct credential *found = credentials_find(credentials->list, slice_of(registry));
    cleanup_text struct text json = TEXT_INIT, encoded = TEXT_INIT;
    if (!found)
        return "";
    text_add(&json, "{\"serveraddress\":");
    text_add_json_string(&json, slice_of(registry));
    text_add(&json, found->identity_token[0] ? ",\"identitytoken\":" : ",\"username\":");
    text_add_json_string(&json,
                         slice_of(found->identity_token[0] ? found->identity_token : found->user));
    if (!found->identity_token[0]) {
        text_add(&json, ",\"password\":");
        text_add_json_string(&json, slice_of(found->password));
    }
    text_add(&json, "}");
    encode(text_slice(&json), &encoded);
    return arena_printf(arena, "X-Registry-Auth: %s\r\n", text_string(&encoded));
}
