#include "executor/cgroup.h"

#include "executor/cgroup_values.h"
#include "executor/files.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define V1 EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V1
#define V2 EOS__EXECUTOR__V1__CGROUP_PLAN__VERSION__V2

#define MAX_CONTROL_FILE (1u << 20)
#define UNLIMITED        (INT64_C(1) << 62)

/* ---- finding -------------------------------------------------------------------------------- */

/* The controllers of version 1 that a container joins.  The others keep it where its launcher is. */
static const char *const joined[] = { "memory", "cpu", "cpuacct", "pids", "freezer" };
#define JOINED_COUNT (sizeof joined / sizeof joined[0])

static bool has_word(const char *list, const char *word, char separator)
{
    struct slice rest = slice_of(list);
    while (rest.ptr) {
        struct slice part = slice_split(&rest, separator);
        if (slice_is(slice_trim(part), word))
            return true;
    }
    return false;
}

/* "36 35 98:0 / /sys/fs/cgroup/memory rw shared:1 - cgroup cgroup rw,memory" */
static bool parse_mount(struct slice line, struct slice *ret_mount_point, struct slice *ret_type,
                        struct slice *ret_options)
{
    struct slice fields[5];
    for (size_t i = 0; i < 5; i++) {
        if (!line.ptr)
            return false;
        fields[i] = slice_split(&line, ' ');
    }
    while (line.ptr && !slice_is(slice_split(&line, ' '), "-"))
        ;
    if (!line.ptr)
        return false;
    *ret_mount_point = fields[4];
    *ret_type = slice_split(&line, ' ');
    if (!line.ptr)
        return false;
    slice_split(&line, ' ');
    *ret_options = line.ptr ? line : SLICE("");
    return true;
}

static struct cgroup_hierarchy *add_hierarchy(struct cgroup *cgroup, struct slice mount_point)
{
    struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[cgroup->count++];
    hierarchy->root = xmemdup0(mount_point.ptr, mount_point.len);
    hierarchy->path = xasprintf("%s/%s", hierarchy->root, cgroup->plan->path);
    return hierarchy;
}

static void find_v1(struct cgroup *cgroup, struct slice mount_point, struct slice options)
{
    cleanup_free char *list = xmemdup0(options.ptr, options.len);
    struct text controllers = TEXT_INIT;
    for (size_t i = 0; i < JOINED_COUNT; i++)
        if (has_word(list, joined[i], ','))
            text_printf(&controllers, "%s%s", controllers.len ? "," : "", joined[i]);
    bool is_known = controllers.len == 0 || cgroup->count == CGROUP_MAX_HIERARCHIES;
    for (size_t i = 0; i < cgroup->count; i++)
        is_known |= strcmp(cgroup->hierarchies[i].controllers, text_string(&controllers)) == 0;
    if (is_known)
        text_done(&controllers);
    else
        add_hierarchy(cgroup, mount_point)->controllers = text_take(&controllers);
}

/* Controllers are separated by spaces there, by commas here. */
static void find_v2(struct cgroup *cgroup, struct slice mount_point)
{
    if (cgroup->count > 0)
        return;
    struct cgroup_hierarchy *hierarchy = add_hierarchy(cgroup, mount_point);
    cleanup_free char *file = xasprintf("%s/cgroup.controllers", hierarchy->root);
    struct text controllers = TEXT_INIT;
    struct error ignored;
    if (!file_read(AT_FDCWD, file, MAX_CONTROL_FILE, &controllers, &ignored))
        text_clear(&controllers); /* a limit will miss its controller */
    for (size_t i = 0; i < controllers.len; i++)
        if (controllers.ptr[i] == ' ' || controllers.ptr[i] == '\n')
            controllers.ptr[i] = ',';
    hierarchy->controllers = text_take(&controllers);
}

static bool find_mounts(struct cgroup *cgroup, struct error *err)
{
    cleanup_text struct text mounts = TEXT_INIT;
    if (!file_read(AT_FDCWD, "/proc/self/mountinfo", 16u << 20, &mounts, err))
        return false;
    struct slice rest = text_slice(&mounts);
    while (rest.ptr) {
        struct slice mount_point, type, options;
        if (!parse_mount(slice_split(&rest, '\n'), &mount_point, &type, &options))
            continue;
        if (cgroup->version == V1 && slice_is(type, "cgroup"))
            find_v1(cgroup, mount_point, options);
        if (cgroup->version == V2 && slice_is(type, "cgroup2"))
            find_v2(cgroup, mount_point);
    }
    return true;
}

bool cgroup_find(struct cgroup *cgroup, const Eos__Executor__V1__CgroupPlan *plan,
                 struct error *err)
{
    *cgroup = (struct cgroup){ .version = plan ? plan->version : 0, .plan = plan };
    if (!cgroup->version)
        return true;
    if (!find_mounts(cgroup, err))
        return false;
    if (cgroup->count == 0)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "this host has no cgroup hierarchy of version %d",
                         cgroup->version == V1 ? 1 : 2);
    return true;
}

/* An engine mounts the container's own group where a host has the root of all groups. */
void cgroup_find_around(struct cgroup *cgroup)
{
    static const Eos__Executor__V1__CgroupPlan top = EOS__EXECUTOR__V1__CGROUP_PLAN__INIT;
    static const Eos__Executor__V1__CgroupPlan__Version versions[] = { V1, V2 };
    struct error ignored;
    *cgroup = (struct cgroup){ 0 };
    for (size_t i = 0; getpid() == 1 && cgroup->count == 0 && i < 2; i++) {
        *cgroup = (struct cgroup){ .version = versions[i], .plan = &top };
        (void)!find_mounts(cgroup, &ignored);
    }
}

void cgroup_done(struct cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->count; i++) {
        free(cgroup->hierarchies[i].controllers);
        free(cgroup->hierarchies[i].root);
        free(cgroup->hierarchies[i].path);
    }
    *cgroup = (struct cgroup){ 0 };
}

static const struct cgroup_hierarchy *with_controller(const struct cgroup *cgroup,
                                                      const char *controller)
{
    for (size_t i = 0; i < cgroup->count; i++)
        if (has_word(cgroup->hierarchies[i].controllers, controller, ','))
            return &cgroup->hierarchies[i];
    return NULL;
}

static bool write_control(const struct cgroup_hierarchy *hierarchy, const char *file,
                          const char *text, struct error *err)
{
    cleanup_free char *path = xasprintf("%s/%s", hierarchy->path, file);
    return file_write(AT_FDCWD, path, text, err);
}

static bool read_control(const struct cgroup_hierarchy *hierarchy, const char *file,
                         struct text *ret_contents)
{
    cleanup_free char *path = xasprintf("%s/%s", hierarchy->path, file);
    struct error ignored;
    return file_read(AT_FDCWD, path, MAX_CONTROL_FILE, ret_contents, &ignored);
}

/* ---- making --------------------------------------------------------------------------------- */

/* In version 2 a group has the controllers that its parent hands down. */
static bool hand_down(const struct cgroup *cgroup, const char *parent, struct error *err)
{
    struct cgroup_value values[CGROUP_MAX_VALUES];
    size_t count = cgroup_values(cgroup->plan, values);
    cleanup_free char *file = xasprintf("%s/cgroup.subtree_control", parent);
    cleanup_text struct text present = TEXT_INIT;
    if (cgroup->version != V2 || count == 0)
        return true;
    if (!file_read(AT_FDCWD, file, MAX_CONTROL_FILE, &present, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        cleanup_free char *change = xasprintf("+%s", values[i].controller);
        if (has_word(text_string(&present), values[i].controller, ' ') ||
            (i > 0 && strcmp(values[i].controller, values[i - 1].controller) == 0))
            continue;
        if (!file_write(AT_FDCWD, file, change, err))
            return error_prefix(err, "could not enable the %s controller", values[i].controller);
    }
    return true;
}

/* Removes a group that a crash has left, so that its counters start anew. */
static bool make_leaf(const char *path, struct error *err)
{
    if (mkdir(path, 0755) == 0)
        return true;
    if (errno == EEXIST && rmdir(path) == 0 && mkdir(path, 0755) == 0)
        return true;
    return error_set_errno(err, errno, "could not make cgroup \"%s\"", path);
}

static bool make_path(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
                      struct error *err)
{
    cleanup_free char *path = xstrdup(hierarchy->path);
    for (char *at = path + strlen(hierarchy->root); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return error_set_errno(err, errno, "could not make cgroup \"%s\"", path);
        if (!hand_down(cgroup, path, err))
            return false;
        *at = '/';
    }
    return make_leaf(path, err);
}

/* Another executor that ends may remove an empty parent in between, so that is tried again. */
static bool make_hierarchy(const struct cgroup *cgroup, const struct cgroup_hierarchy *hierarchy,
                           struct error *err)
{
    for (int attempt = 0; attempt < 20; attempt++)
        if (make_path(cgroup, hierarchy, err))
            return true;
        else if (err->code != ERROR_NOT_FOUND)
            return false;
    return false;
}

static bool check_controller(const struct cgroup *cgroup, const struct cgroup_value *value,
                             struct error *err)
{
    return with_controller(cgroup, value->controller) ||
           error_set(err, ERROR_FAILED_PRECONDITION,
                     "could not set %s: this host has no %s controller in cgroup version %d",
                     value->what, value->controller, cgroup->version == V1 ? 1 : 2);
}

static bool set_value(const struct cgroup *cgroup, const struct cgroup_value *value,
                      struct error *err)
{
    const struct cgroup_hierarchy *hierarchy = with_controller(cgroup, value->controller);
    if (write_control(hierarchy, value->file, value->text, err))
        return true;
    if (value->is_optional && err->code == ERROR_NOT_FOUND)
        return true;
    return error_prefix(err, "could not set %s", value->what);
}

static bool make_all(const struct cgroup *cgroup, struct error *err)
{
    struct cgroup_value values[CGROUP_MAX_VALUES];
    size_t count = cgroup->version ? cgroup_values(cgroup->plan, values) : 0;
    for (size_t i = 0; i < count; i++)
        if (!check_controller(cgroup, &values[i], err))
            return false;
    for (size_t i = 0; i < cgroup->count; i++)
        if (!make_hierarchy(cgroup, &cgroup->hierarchies[i], err))
            return false;
    for (size_t i = 0; i < count; i++)
        if (!set_value(cgroup, &values[i], err))
            return false;
    return true;
}

bool cgroup_make(const struct cgroup *cgroup, struct error *err)
{
    struct error reason;
    if (make_all(cgroup, &reason))
        return true;
    *err = reason;
    return false;
}

bool cgroup_open_directory(const struct cgroup *cgroup, int *ret_fd, struct error *err)
{
    *ret_fd = -1;
    if (cgroup->version != V2)
        return true;
    int fd = open(cgroup->hierarchies[0].path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open cgroup \"%s\"",
                               cgroup->hierarchies[0].path);
    *ret_fd = fd;
    return true;
}

/* A thread that moves itself, by "0" in the file for threads, needs no lock over all processes of the
 * host.  Any other way waits for it, which after a pause takes 5 to 15 ms. */
bool cgroup_join(const struct cgroup *cgroup, struct error *err)
{
    for (size_t i = 0; cgroup->version == V1 && i < cgroup->count; i++)
        if (!write_control(&cgroup->hierarchies[i], "tasks", "0", err))
            return error_prefix(err, "could not join the cgroup");
    return true;
}

/* ---- watching ------------------------------------------------------------------------------- */

static int watch_v1(const struct cgroup_hierarchy *hierarchy)
{
    cleanup_free char *path = xasprintf("%s/memory.oom_control", hierarchy->path);
    cleanup_close int control = open(path, O_RDONLY | O_CLOEXEC);
    cleanup_close int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    cleanup_free char *request = xasprintf("%d %d", event, control);
    struct error ignored;
    if (control < 0 || event < 0 ||
        !write_control(hierarchy, "cgroup.event_control", request, &ignored))
        return -1;
    return TAKE_FD(event);
}

static int watch_v2(const struct cgroup_hierarchy *hierarchy)
{
    cleanup_free char *path = xasprintf("%s/memory.events", hierarchy->path);
    cleanup_close int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0)
        return -1;
    return TAKE_FD(fd);
}

int cgroup_watch_memory(const struct cgroup *cgroup)
{
    const struct cgroup_hierarchy *hierarchy = with_controller(cgroup, "memory");
    if (!hierarchy)
        return -1;
    return cgroup->version == V1 ? watch_v1(hierarchy) : watch_v2(hierarchy);
}

/* The number behind `name` in a file of lines "name number". */
static int64_t read_counter(const struct cgroup *cgroup, const char *controller, const char *file,
                            const char *name)
{
    cleanup_text struct text contents = TEXT_INIT;
    const struct cgroup_hierarchy *hierarchy = with_controller(cgroup, controller);
    int64_t value = 0;
    if (!hierarchy || !read_control(hierarchy, file, &contents))
        return 0;
    struct slice rest = text_slice(&contents);
    while (rest.ptr) {
        struct slice line = slice_split(&rest, '\n');
        struct slice key = slice_split(&line, ' ');
        if (line.ptr && slice_is(key, name) && slice_to_i64(line, &value))
            return value;
    }
    return 0;
}

int64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
    const char *file = cgroup->version == V1 ? "memory.oom_control" : "memory.events";
    return read_counter(cgroup, "memory", file, "oom_kill");
}

int64_t cgroup_pids_refused(const struct cgroup *cgroup)
{
    return read_counter(cgroup, "pids", "pids.events", "max");
}

/* Without one there is "max", or in version 1 the largest number of pages. */
static int64_t read_limit(const struct cgroup *cgroup, const char *controller, const char *file)
{
    cleanup_text struct text contents = TEXT_INIT;
    const struct cgroup_hierarchy *hierarchy = with_controller(cgroup, controller);
    int64_t value = 0;
    if (!hierarchy || !read_control(hierarchy, file, &contents) ||
        !slice_to_i64(slice_trim(text_slice(&contents)), &value) || value >= UNLIMITED)
        return 0;
    return value;
}

int64_t cgroup_memory_limit(const struct cgroup *cgroup)
{
    return read_limit(cgroup, "memory",
                      cgroup->version == V1 ? "memory.limit_in_bytes" : "memory.max");
}

int64_t cgroup_pids_limit(const struct cgroup *cgroup)
{
    return read_limit(cgroup, "pids", "pids.max");
}

/* ---- ending --------------------------------------------------------------------------------- */

static int kill_listed(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)walk;
    cleanup_text struct text list = TEXT_INIT;
    cleanup_free char *file = xasprintf("%s/cgroup.procs", path);
    struct error ignored;
    if (type != FTW_D || !file_read(AT_FDCWD, file, MAX_CONTROL_FILE, &list, &ignored))
        return 0;
    struct slice rest = text_slice(&list);
    while (rest.ptr) {
        uint64_t pid;
        if (slice_to_u64(slice_split(&rest, '\n'), INT32_MAX, &pid) && pid > 1 &&
            (pid_t)pid != getpid())
            kill((pid_t)pid, SIGKILL);
    }
    return 0;
}

/* Frozen processes make no new ones, but die only once they are thawed. */
static void freeze(const struct cgroup *cgroup, const char *state)
{
    const struct cgroup_hierarchy *freezer = with_controller(cgroup, "freezer");
    struct error ignored;
    if (freezer)
        (void)write_control(freezer, "freezer.state", state, &ignored);
}

void cgroup_kill(const struct cgroup *cgroup)
{
    struct error ignored;
    if (cgroup->version == V2 &&
        write_control(&cgroup->hierarchies[0], "cgroup.kill", "1", &ignored))
        return;
    if (cgroup->version == V1)
        freeze(cgroup, "FROZEN");
    for (size_t i = 0; i < cgroup->count; i++)
        (void)nftw(cgroup->hierarchies[i].path, kill_listed, 8, FTW_PHYS | FTW_MOUNT);
    if (cgroup->version == V1)
        freeze(cgroup, "THAWED");
}

static int remove_group(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)walk;
    if (type == FTW_DP)
        (void)rmdir(path);
    return 0;
}

/* What the container has made below goes first; a parent goes with its last child. */
static bool remove_path(const struct cgroup_hierarchy *hierarchy)
{
    if (rmdir(hierarchy->path) < 0 && errno != ENOENT) {
        (void)nftw(hierarchy->path, remove_group, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        if (access(hierarchy->path, F_OK) == 0)
            return false;
    }
    cleanup_free char *path = xstrdup(hierarchy->path);
    size_t root = strlen(hierarchy->root);
    for (char *at = strrchr(path, '/'); at > path + root; at = strrchr(path, '/')) {
        *at = '\0';
        if (rmdir(path) < 0)
            break;
    }
    return true;
}

bool cgroup_remove(const struct cgroup *cgroup)
{
    bool is_gone = true;
    for (size_t i = 0; i < cgroup->count; i++)
        is_gone &= remove_path(&cgroup->hierarchies[i]);
    return is_gone;
}
