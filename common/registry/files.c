#include "registry/files.h"
#include "registry/registry.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

typedef bool add_fn(struct credentials *credentials, struct slice content, struct error *err);

static bool add_file(struct credentials *credentials, const char *path, add_fn *add,
                     struct error *err)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct text content = TEXT_INIT;
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", path);
    bool ok = text_read(&content, fd, CREDENTIALS_MAX_FILE_BYTES) ||
              error_set_errno(err, errno, "could not read it");
    ok = ok && add(credentials, text_slice(&content), err);
    if (content.len > 0)
        explicit_bzero(content.ptr, content.len);
    text_done(&content);
    return ok || error_prefix(err, "file \"%s\"", path);
}

static char *config_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return xasprintf("%s/config.json", path);
    return xstrdup(path);
}

bool credentials_read(struct credentials *credentials, const char *docker_config, const char *netrc,
                      struct error *err)
{
    if (docker_config) {
        cleanup_free char *path = config_path(docker_config);
        if (!add_file(credentials, path, credentials_add_docker, err))
            return false;
    }
    return !netrc || add_file(credentials, netrc, credentials_add_netrc, err);
}

/* `below` what an environment variable says, if that file is there. */
static char *find_file(const char *variable, const char *below)
{
    const char *value = getenv(variable);
    if (!value || !value[0])
        return NULL;
    char *path = xasprintf("%s%s", value, below);
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *registry_default_docker_config(void)
{
    char *path = find_file("DOCKER_CONFIG", "/config.json");
    return path ? path : find_file("HOME", "/.docker/config.json");
}

char *registry_default_netrc(void)
{
    char *path = find_file("NETRC", "");
    return path ? path : find_file("HOME", "/.netrc");
}
