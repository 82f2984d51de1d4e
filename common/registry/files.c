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
                     struct digest_stream *digest, struct error *err)
{
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct text content = TEXT_INIT;
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", path);
    bool ok = text_read(&content, fd, CREDENTIALS_MAX_FILE_BYTES) ||
              error_set_errno(err, errno, "could not read it");
    ok = ok && add(credentials, text_slice(&content), err);
    if (digest)
        digest_stream_add(digest, text_string(&content), content.len);
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

static bool add_files(struct credentials *credentials, const char *docker_config, const char *netrc,
                      struct digest_stream *digest, struct error *err)
{
    cleanup_free char *path = docker_config ? config_path(docker_config) : NULL;
    return (!path || add_file(credentials, path, credentials_add_docker, digest, err)) &&
           (!netrc || add_file(credentials, netrc, credentials_add_netrc, digest, err));
}

bool credentials_read(struct credentials *credentials, const char *docker_config, const char *netrc,
                      struct error *err)
{
    return add_files(credentials, docker_config, netrc, NULL, err);
}

static bool read_credentials(const struct registry_paths *paths, struct credentials *credentials,
                             struct digest_stream *digest, struct error *err)
{
    bool needs_config = !paths->docker_config && paths->has_defaults;
    bool needs_netrc = !paths->netrc && paths->has_defaults;
    cleanup_free char *config = needs_config ? registry_default_docker_config() : NULL;
    cleanup_free char *netrc = needs_netrc ? registry_default_netrc() : NULL;
    return add_files(credentials, config ? config : paths->docker_config,
                     netrc ? netrc : paths->netrc, digest, err);
}

bool registry_files_read(const struct registry_paths *paths, struct registry_files *ret_files,
                         struct error *err)
{
    struct digest_stream *digest = digest_stream_new(SLICE("sha256:"));
    struct registry_files files = {
        .credentials = credentials_new(),
        .certificates = certificates_read(paths->certs_dir, err),
    };
    bool ok = files.certificates && read_credentials(paths, files.credentials, digest, err);
    if (ok)
        certificates_add_to(files.certificates, digest);
    (void)digest_stream_end(digest, files.digest);
    digest_stream_free(digest);
    if (ok)
        *ret_files = files;
    else
        registry_files_done(&files);
    return ok;
}

void registry_files_done(struct registry_files *files)
{
    credentials_free(files->credentials);
    certificates_free(files->certificates);
    *files = (struct registry_files){ 0 };
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
