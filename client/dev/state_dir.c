#include "client/dev/state_dir.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PASSABLE       0711
#define PRIVATE        0700
#define LONGEST_SOCKET "/run/scheduler.sock"

static const struct {
    const char *name;
    mode_t mode;
} folders[] = {
    { "run", PRIVATE },
    { "scheduler", PRIVATE },
    { "launcher", PASSABLE },
};

/* Parents that are missing are made as a user would make them. */
static bool make_parents(const char *path, struct error *err)
{
    char part[PATH_MAX];
    for (size_t i = 1; path[i]; i++) {
        if (path[i] != '/')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return error_set_errno(err, errno, "could not make the directory \"%.120s\"", part);
    }
    return true;
}

static bool make_folder(const char *path, mode_t mode, struct error *err)
{
    struct stat info;
    if (mkdir(path, mode) == 0)
        return chmod(path, mode) == 0 ||
               error_set_errno(err, errno, "could not set the mode of \"%.120s\"", path);
    if (errno != EEXIST)
        return error_set_errno(err, errno, "could not make the directory \"%.120s\"", path);
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "\"%.120s\" is not a directory", path);
    return true;
}

static const char *default_path(struct arena *arena)
{
    const char *home = getenv("HOME");
    if (geteuid() == 0)
        return "/var/lib/eos-dev";
    return arena_printf(arena, "%s/.local/share/eos/dev", home && *home ? home : "/tmp");
}

static bool check_length(const char *path, struct error *err)
{
    struct sockaddr_un address;
    size_t longest = sizeof address.sun_path - sizeof LONGEST_SOCKET;
    if (strlen(path) <= longest)
        return true;
    return error_set(err, ERROR_INVALID_ARGUMENT,
                     "the path of the state directory is %zu bytes long, sockets in it allow %zu",
                     strlen(path), longest);
}

static bool take_lock(struct state_dir *state, struct arena *arena, struct error *err)
{
    char owner[32] = "";
    const char *path = arena_printf(arena, "%s/lock", state->path);
    cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%.120s\"", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t len = read(fd, owner, sizeof owner - 1);
        owner[len > 0 ? strspn(owner, "0123456789") : 0] = '\0';
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the state directory \"%.120s\" is in use by another \"eos dev\"%s%s",
                         state->path, owner[0] ? ", process " : "", owner);
    }
    snprintf(owner, sizeof owner, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, owner, strlen(owner)) < 0)
        return error_set_errno(err, errno, "could not write \"%.120s\"", path);
    state->lock = TAKE_FD(fd);
    return true;
}

static bool make_folders(const struct state_dir *state, struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (!make_folder(arena_printf(arena, "%s/%s", state->path, folders[i].name),
                         folders[i].mode, err))
            return false;
    return true;
}

bool state_dir_open(struct state_dir *state, const char *given, struct arena *arena,
                    struct error *err)
{
    const char *path = given ? given : default_path(arena);
    *state = (struct state_dir){ .lock = -1 };
    if (strlen(path) >= PATH_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the path of the state directory is too long");
    if (!make_parents(path, err) || !make_folder(path, PASSABLE, err))
        return false;
    char *real = realpath(path, NULL);
    if (!real)
        return error_set_errno(err, errno, "could not find \"%.120s\"", path);
    state->path = arena_strdup(arena, real);
    free(real);
    return check_length(state->path, err) && take_lock(state, arena, err) &&
           make_folders(state, arena, err);
}

static void remove_sockets(const struct state_dir *state)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/run", state->path);
    DIR *run = opendir(path);
    for (const struct dirent *entry; run && (entry = readdir(run));) {
        size_t len = strlen(entry->d_name);
        if (len > 5 && strcmp(entry->d_name + len - 5, ".sock") == 0)
            unlinkat(dirfd(run), entry->d_name, 0);
    }
    if (run)
        closedir(run);
}

void state_dir_close(struct state_dir *state)
{
    if (state->lock < 0)
        return;
    remove_sockets(state);
    (void)!ftruncate(state->lock, 0);
    close(TAKE_FD(state->lock));
}

const char *state_dir_barrier(const struct state_dir *state, struct arena *arena)
{
    struct stat info;
    for (size_t i = 1; i == 1 || state->path[i - 1]; i++) {
        if (state->path[i] != '/' && state->path[i])
            continue;
        const char *part = arena_memdup0(arena, state->path, i);
        if (stat(part, &info) == 0 && !(info.st_mode & S_IXOTH))
            return part;
        if (!state->path[i])
            break;
    }
    return NULL;
}
