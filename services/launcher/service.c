#include "launcher/service.h"

#include "launcher/host_file.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "clusters/clusters.h"
#include "io/daemon.h"
#include "io/log.h"
#include "io/uv_error.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define TICK_MS           5000
#define DRAIN_MS          5000
#define HOST_ID_MAX_BYTES 128u
#define IMAGE_DISK_PART   4
#define LOCK_TRIES        200
#define LOCK_PAUSE_US     10000

/* -- the state directory -------------------------------------------------------------------------- */

/* The users of tasks pass through to their sandboxes, and see nothing on the way. */
static bool make_state_directory(struct service *service, struct error *err)
{
    static const struct {
        const char *name;
        mode_t mode;
    } directories[] = { { "tasks", 0700 }, { "sandboxes", 0711 }, { "images", 0700 } };

    if (!host_directory_make(service->options->state_dir, 0711, err))
        return false;
    cleanup_free char *path = realpath(service->options->state_dir, NULL);
    if (!path)
        return error_set_errno(err, errno, "could not find the directory \"%s\"",
                               service->options->state_dir);
    service->settings.state_directory = arena_strdup(service->arena, path);
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        const char *directory = arena_printf(service->arena, "%s/%s", path, directories[i].name);
        if (!host_directory_make(directory, directories[i].mode, err))
            return false;
    }
    return true;
}

/* What a launcher that was killed has just started may hold the lock for a moment. */
static bool lock_in_time(int fd)
{
    bool is_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    for (int i = 0; !is_locked && i < LOCK_TRIES; i++) {
        usleep(LOCK_PAUSE_US);
        is_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    }
    return is_locked;
}

static bool lock_state_directory(struct service *service, struct error *err)
{
    const char *path = arena_printf(service->arena, "%s/lock", service->settings.state_directory);
    int fd = service->settings.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", path);
    return lock_in_time(fd) || error_set(err, ERROR_FAILED_PRECONDITION,
                                         "another launcher uses the state directory \"%s\"",
                                         service->settings.state_directory);
}

/* A sandbox is of no use to a user who cannot reach it. */
static void warn_of_closed_parents(const struct service *service)
{
    cleanup_free char *path = xstrdup(service->settings.state_directory);
    struct stat status;
    for (char *slash = strrchr(path, '/'); slash && slash > path; slash = strrchr(path, '/')) {
        *slash = 0;
        if (stat(path, &status) == 0 && !(status.st_mode & S_IXOTH))
            log_warning("users of tasks cannot reach their sandboxes: a directory above is closed "
                        "to others",
                        "directory", path);
    }
}

static bool make_random_text(char *text, size_t bytes, struct error *err)
{
    unsigned char random[32];
    int status = uv_random(NULL, NULL, random, bytes, 0, NULL);
    if (status < 0)
        return error_set_uv(err, status, "could not get random numbers");
    for (size_t i = 0; i < bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", random[i]);
    return true;
}

/* The host is known to the scheduler by it for as long as its state directory lives. */
static bool find_host_id(struct service *service, struct error *err)
{
    const char *path =
        arena_printf(service->arena, "%s/host_id", service->settings.state_directory);
    cleanup_text struct text content = TEXT_INIT;
    char made[33];

    if (host_file_read(path, HOST_ID_MAX_BYTES, &content, err)) {
        struct slice id = slice_trim(text_slice(&content));
        if (id.len == 0 || !slice_is_utf8(id))
            return error_set(err, ERROR_DATA_LOSS, "\"%s\" holds no host id", path);
        service->host_id = arena_memdup0(service->arena, id.ptr, id.len);
        return true;
    }
    if (err->code != ERROR_NOT_FOUND || !make_random_text(made, 16, err))
        return false;
    service->host_id = arena_strdup(service->arena, made);
    text_printf(&content, "%s\n", made);
    return host_file_replace(path, text_slice(&content), err);
}

/* -- what the host has ---------------------------------------------------------------------------- */

static bool measure(const struct service *service, char *hostname, size_t size,
                    struct host_size *ret_size, struct error *err)
{
    struct statvfs disk;
    int status = uv_os_gethostname(hostname, &size);
    if (status < 0)
        return error_set_uv(err, status, "could not get the name of the host");
    if (statvfs(service->settings.state_directory, &disk) < 0)
        return error_set_errno(err, errno, "could not measure the disk of \"%s\"",
                               service->settings.state_directory);
    *ret_size = (struct host_size){
        .hostname = hostname,
        .cpus = (double)sysconf(_SC_NPROCESSORS_ONLN),
        .ram_bytes = (int64_t)uv_get_total_memory(),
        .disk_bytes = (int64_t)(disk.f_blocks * disk.f_frsize),
    };
    return true;
}

static bool find_facts(struct service *service, struct error *err)
{
    struct host_size size;
    char *hostname = arena_alloc(service->arena, 256);
    return measure(service, hostname, 256, &size, err) &&
           host_facts_make(&service->options->wishes, &size, service->arena, &service->facts, err);
}

static bool find_executor(struct service *service, struct error *err)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *path = service->options->executor;

    if (!path && len > 0) {
        self[len] = 0;
        char *slash = strrchr(self, '/');
        path = arena_printf(service->arena, "%.*s/eos-executor", (int)(slash - self), self);
    }
    cleanup_free char *real = path ? realpath(path, NULL) : NULL;
    if (!real || access(real, X_OK) < 0)
        return error_set_errno(err, errno, "could not find the executor \"%s\", see --executor",
                               path ? path : "");
    service->settings.executor = arena_strdup(service->arena, real);
    return true;
}

/* -- what it talks to ----------------------------------------------------------------------------- */

static bool read_clusters(struct clusters *clusters, const struct service_options *options,
                          struct error *err)
{
    if (options->clusters.count == 0)
        return clusters_add_search_path(clusters, err);
    for (size_t i = 0; i < options->clusters.count; i++)
        if (!clusters_add_file(clusters, options->clusters.items[i], err))
            return false;
    return true;
}

/* Files that are not named but there are used, as the binder does it; what is named must be there. */
static const char *default_file(struct service *service, const char *named, char *(*find)(void))
{
    cleanup_free char *found = named ? NULL : find();
    return found ? arena_strdup(service->arena, found) : named;
}

/* A cluster that no file describes has Docker's registry, and no mirrors. */
static bool find_registry(struct service *service, const char **ret_url, struct error *err)
{
    struct clusters *clusters = clusters_new();
    bool ok = read_clusters(clusters, service->options, err);
    const struct cluster *cluster =
        ok ? clusters_find(clusters, slice_of(service->options->cluster)) : NULL;
    *ret_url = cluster && cluster->docker_registry[0]
                   ? arena_strdup(service->arena, cluster->docker_registry)
                   : NULL;
    if (ok) {
        service->mirrors =
            mirrors_parse(cluster ? cluster_json(cluster, "docker_mirrors") : NULL, err);
        ok = service->mirrors ||
             error_prefix(err, "docker_mirrors of cluster \"%s\"", service->options->cluster);
    }
    clusters_free(clusters);
    return ok;
}

/* Tasks whose image is not known hold everything. */
static void tell_used_images(void *user, void (*add)(void *to, const char *digest), void *to)
{
    const struct service *service = user;
    if (service->tasks)
        tasks_used_images(service->tasks, add, to);
    else
        add(to, "");
}

static bool find_image_size(struct service *service, struct error *err)
{
    struct statvfs disk;
    service->image_gc_bytes = service->options->image_gc_bytes;
    if (service->image_gc_bytes >= 0)
        return true;
    if (statvfs(service->settings.state_directory, &disk) < 0)
        return error_set_errno(err, errno, "could not measure the disk of \"%s\"",
                               service->settings.state_directory);
    service->image_gc_bytes = (int64_t)(disk.f_blocks * disk.f_frsize) / IMAGE_DISK_PART;
    return true;
}

static bool open_registry(struct service *service, struct error *err)
{
    const struct service_options *options = service->options;
    const struct registry_options registry = {
        .docker_config = options->docker_config,
        .netrc = options->netrc,
        .has_default_files = true,
        .certs_dir = options->certs_dir,
        .insecure_registries = options->insecure_registries.items,
        .insecure_registry_count = options->insecure_registries.count,
    };
    service->registry = registry_client_open(service->loop, &registry, err);
    return service->registry != NULL;
}

static void find_credentials(struct service *service)
{
    const struct service_options *options = service->options;
    service->docker_config =
        default_file(service, options->docker_config, registry_default_docker_config);
    service->netrc = default_file(service, options->netrc, registry_default_netrc);
}

static bool open_images(struct service *service, struct error *err)
{
    struct image_store_options store = {
        .directory = arena_printf(service->arena, "%s/images", service->settings.state_directory),
        .appc_simple_discovery_uri_prefix = service->options->appc_prefix,
        .appc_meta_discovery = service->options->appc_meta_discovery,
        .web = { .netrc = service->netrc,
                 .certs_dir = service->options->certs_dir,
                 .insecure_hosts = service->options->insecure_registries.items,
                 .insecure_host_count = service->options->insecure_registries.count },
    };
    if (!find_image_size(service, err))
        return false;
    store.keep =
        (struct image_keeper_options){ service->image_gc_bytes, service->options->image_gc_age_ms,
                                       IMAGE_ORPHAN_AGE_MS };
    if (!find_registry(service, &store.registry_url, err) || !open_registry(service, err))
        return false;
    store.registry = service->registry;
    store.mirrors = service->mirrors;
    service->images = image_store_open(service->loop, &store, err);
    return service->images != NULL;
}

static bool open_docker(struct service *service, struct error *err)
{
    const struct docker_engine_options docker = {
        .socket = service->options->docker_socket,
        .docker_config = service->docker_config,
    };
    service->docker = docker_engine_open(service->loop, &docker, err);
    return service->docker != NULL;
}

static void on_news(void *user)
{
    struct service *service = user;
    if (service->sync)
        sync_poke(service->sync);
}

static bool open_tasks(struct service *service, struct error *err)
{
    const struct tasks_options tasks = {
        .host = { .loop = service->loop,
                  .settings = &service->settings,
                  .images = service->images,
                  .docker = service->docker,
                  .updates = service->updates },
        .on_news = on_news,
        .user = service,
        .dead_max = (size_t)service->options->dead_tasks_max,
    };
    service->tasks = tasks_open(&tasks, err);
    return service->tasks != NULL;
}

/* The table of what is served has to outlive the server. */
static bool open_server(struct service *service, struct error *err)
{
    static struct rpc_service services[2];
    struct rpc_server_options server = { .services = services };
    services[0] =
        (struct rpc_service){ &eos__launcher__v1__launcher__descriptor, launcher_methods, service };
    service->server = rpc_server_open(service->loop, &server, err);
    return service->server &&
           rpc_server_listen(service->server, service->options->listen, service->key, err);
}

static bool open_sync(struct service *service, struct error *err)
{
    const struct sync_options sync = {
        .loop = service->loop,
        .scheduler = service->options->scheduler,
        .key = service->key,
        .host_id = service->host_id,
        .session = service->session,
        .endpoint =
            host_endpoint(rpc_server_url(service->server), service->facts.hostname, service->arena),
        .facts = &service->facts,
        .updates = service->updates,
        .tasks = service->tasks,
    };
    service->sync = sync_open(&sync, err);
    return service->sync != NULL;
}

/* -- figures -------------------------------------------------------------------------------------- */

static void on_tick(uv_timer_t *tick)
{
    struct service *service = tick->data;
    figures_update(service->figures, sync_is_connected(service->sync),
                   updates_count(service->updates), service->log_streams.count);
}

/* -- opening and closing -------------------------------------------------------------------------- */

static bool check_options(struct service *service, struct error *err)
{
    const struct service_options *options = service->options;
    service->settings.kill_grace_ms = (int)options->kill_grace_ms;
    if (!isolators_choose(options->isolation, &service->settings.isolators, err))
        return false;
    if (!options->cluster_key_file)
        return true;
    service->key = cluster_key_read(options->cluster_key_file, err);
    return service->key != NULL;
}

/* In this order, so that what is wrong with the flags is told before anything is made. */
static bool open_parts(struct service *service, struct error *err)
{
    find_credentials(service);
    return check_options(service, err) && make_state_directory(service, err) &&
           lock_state_directory(service, err) && find_host_id(service, err) &&
           find_facts(service, err) && find_executor(service, err) &&
           make_random_text(service->session, 16, err) && open_server(service, err) &&
           open_docker(service, err) && open_images(service, err);
}

bool service_open(uv_loop_t *loop, void *user, void **ret_service, struct error *err)
{
    struct service *service = xcalloc(1, sizeof *service);
    service->loop = loop;
    service->options = user;
    service->arena = arena_new();
    service->settings.lock = -1;
    service->updates = updates_new(service->session);
    service->tick.data = service;
    if (!open_parts(service, err) || !open_tasks(service, err) || !open_sync(service, err)) {
        service_close(service);
        return false;
    }
    service->figures = figures_open(loop, service->tasks, &service->settings.isolators);
    uv_timer_init(loop, &service->tick);
    service->has_tick = true;
    uv_timer_start(&service->tick, on_tick, 0, TICK_MS);
    warn_of_closed_parents(service);
    tasks_start(service->tasks);
    image_store_start_keeping(service->images, tell_used_images, service);
    log_info("serving", "host", service->facts.hostname, "endpoint",
             rpc_server_url(service->server), "scheduler", service->options->scheduler);
    *ret_service = service;
    return true;
}

static void on_drained(void *user)
{
    struct service *service = user;
    if (--service->draining == 0)
        daemon_drained();
}

void service_drain(void *ctx)
{
    struct service *service = ctx;
    service->draining = 2;
    sync_drain(service->sync, on_drained, service);
    rpc_server_drain(service->server, DRAIN_MS, on_drained, service);
}

static void release(void *user)
{
    struct service *service = user;
    updates_free(service->updates);
    cluster_key_free(service->key);
    mirrors_free(service->mirrors);
    if (service->settings.lock >= 0)
        close(service->settings.lock);
    arena_free(service->arena);
    free(service);
}

/* What the tasks use goes after them. */
static void on_tasks_closed(void *user)
{
    struct service *service = user;
    if (service->images)
        image_store_close(service->images);
    if (service->registry)
        registry_client_close(service->registry);
    docker_engine_close(service->docker);
    service->log_streams.on_empty = release;
    service->log_streams.user = service;
    if (service->log_streams.count == 0)
        release(service);
}

static void on_sync_closed(void *user)
{
    struct service *service = user;
    tasks_close(TAKE(service->tasks), on_tasks_closed, service);
}

static void on_tick_closed(uv_handle_t *tick)
{
    struct service *service = tick->data;
    sync_close(TAKE(service->sync), on_sync_closed, service);
}

/* Each part closes the next, so that nothing calls into what has gone. */
void service_close(void *ctx)
{
    struct service *service = ctx;
    rpc_server_close(TAKE(service->server));
    figures_close(TAKE(service->figures));
    if (service->has_tick)
        uv_close((uv_handle_t *)&service->tick, on_tick_closed);
    else if (service->sync)
        sync_close(TAKE(service->sync), on_sync_closed, service);
    else if (service->tasks)
        tasks_close(TAKE(service->tasks), on_tasks_closed, service);
    else
        on_tasks_closed(service);
}
