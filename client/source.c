#include "client/source.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "client/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

typedef Eos__Config__V1__SourceFile source_file;
typedef Eos__Config__V1__EnvironmentVariable variable;

/* -- files ---------------------------------------------------------------------------------------- */

static bool read_bytes(int fd, const char *path, struct text *ret_bytes, struct error *err)
{
    if (!text_read(ret_bytes, fd, SOURCE_MAX_FILE_BYTES))
        return error_set_errno(err, errno, "could not read \"%.120s\"", path);
    return ret_bytes->len <= SOURCE_MAX_FILE_BYTES ||
           error_set(err, ERROR_RESOURCE_EXHAUSTED, "\"%.120s\" is over %u MB", path,
                     SOURCE_MAX_FILE_BYTES >> 20);
}

bool source_read_file(const char *path, struct text *ret_bytes, struct error *err)
{
    struct stat info;
    cleanup_close int fd =
        strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0)
        return error_set_errno(err, errno, "could not read \"%.120s\"", path);
    if (S_ISDIR(info.st_mode))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "could not read \"%.120s\": it is a directory", path);
    return read_bytes(fd, path, ret_bytes, err);
}

/* Only regular files: a configuration must not make this program wait for a pipe.  The reason stands
 * alone: the compiler says which file it was. */
static bool read_included(const char *path, struct text *ret_bytes, struct error *err)
{
    struct stat info;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0)
        return error_set(err, ERROR_NOT_FOUND, "%s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return error_set(err, ERROR_INVALID_ARGUMENT, "not a file");
    return read_bytes(fd, path, ret_bytes, err);
}

static bool is_below(const char *path, const char *directory)
{
    char real_path[PATH_MAX], real_directory[PATH_MAX];
    if (!realpath(path, real_path) || !realpath(directory, real_directory))
        return false;
    size_t len = strlen(real_directory);
    if (strcmp(real_directory, "/") == 0)
        return true;
    return strncmp(real_path, real_directory, len) == 0 && real_path[len] == '/';
}

static bool may_open(const struct source *source, const char *path)
{
    const struct option_list *allowed = &source->flags->allow_read;
    for (size_t i = 0; i < allowed->count; i++)
        if (is_below(path, allowed->items[i]))
            return true;
    return false;
}

static source_file *add_file(struct source *source, const char *path)
{
    Eos__Config__V1__CompileRequest *request = &source->request;
    if (request->n_files == source->capacity) {
        size_t capacity = source->capacity ? 2 * source->capacity : 8;
        request->files =
            arena_grow(source->arena, request->files, source->capacity * sizeof(source_file *),
                       capacity * sizeof(source_file *));
        source->capacity = capacity;
    }
    source_file *file = arena_alloc(source->arena, sizeof *file);
    eos__config__v1__source_file__init(file);
    file->path = arena_strdup(source->arena, path);
    request->files[request->n_files++] = file;
    return file;
}

static bool set_content(struct source *source, source_file *file, struct slice bytes,
                        struct error *err)
{
    source->bytes += bytes.len;
    if (source->bytes > SOURCE_MAX_BYTES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "the configuration and its files are over %u MB", SOURCE_MAX_BYTES >> 20);
    file->content.data = (uint8_t *)arena_memdup0(source->arena, bytes.ptr, bytes.len);
    file->content.len = bytes.len;
    return true;
}

static bool has_file(const struct source *source, const char *path)
{
    for (size_t i = 0; i < source->request.n_files; i++)
        if (strcmp(source->request.files[i]->path, path) == 0)
            return true;
    return false;
}

static bool read_needed(struct source *source, const char *path, struct text *ret_bytes,
                        struct error *err)
{
    if (source->only_below && !is_below(path, source->only_below) && !may_open(source, path))
        return error_set(err, ERROR_PERMISSION_DENIED,
                         "it is not below the folder of the configuration; --allow-read DIR "
                         "lets it be sent to the cluster");
    return read_included(path, ret_bytes, err);
}

static bool add_needed(struct source *source, const char *path, struct error *err)
{
    cleanup_text struct text bytes = TEXT_INIT;
    struct error why;
    if (source->request.n_files == SOURCE_MAX_FILES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the configuration needs over %u files",
                         SOURCE_MAX_FILES);
    source_file *file = add_file(source, path);
    file->is_readable = may_open(source, path);
    if (read_needed(source, path, &bytes, &why))
        return set_content(source, file, text_slice(&bytes), err);
    file->is_missing = true;
    if (++source->missing > SOURCE_MAX_MISSING)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                         "the configuration asks for over %u files that cannot be read",
                         SOURCE_MAX_MISSING);
    return set_content(source, file, slice_of(why.message), err);
}

bool source_add(struct source *source, char *const *paths, size_t count, struct error *err)
{
    size_t before = source->request.n_files;
    for (size_t i = 0; i < count; i++)
        if (!has_file(source, paths[i]) && !add_needed(source, paths[i], err))
            return false;
    if (source->request.n_files == before)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the compiler asks for files that it was given");
    return true;
}

bool source_restrict(struct source *source, struct error *err)
{
    char directory[PATH_MAX];
    const char *path = source->request.files[0]->path, *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    snprintf(directory, sizeof directory, "%.*s", slash ? (int)(len ? len : 1) : 1,
             slash ? path : ".");
    char *real = realpath(directory, NULL);
    if (!real)
        return error_set_errno(err, errno, "could not find the folder of \"%.120s\"", path);
    source->only_below = arena_strdup(source->arena, real);
    free(real);
    return true;
}

/* -- who and with what ---------------------------------------------------------------------------- */

static void add_variable(struct source *source, const char *name, size_t name_len,
                         const char *value)
{
    Eos__Config__V1__CompileRequest *request = &source->request;
    variable *entry = arena_alloc(source->arena, sizeof *entry);
    eos__config__v1__environment_variable__init(entry);
    entry->name = arena_memdup0(source->arena, name, name_len);
    entry->value = (char *)value;
    request->environment[request->n_environment++] = entry;
}

/* The user's four names are there always; of the rest of the environment only what is asked for, so
 * that a configuration means the same wherever it is compiled. */
static bool set_environment(struct source *source, struct error *err)
{
    static const char *const names[] = { "USER", "LOGNAME", "LNAME", "USERNAME" };
    const struct option_list *env = &source->flags->env;
    source->request.environment =
        arena_array(source->arena, 4 + env->count, sizeof *source->request.environment);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_variable(source, names[i], strlen(names[i]), source->request.user);
    for (size_t i = 0; i < env->count; i++) {
        const char *equals = strchr(env->items[i], '=');
        size_t len = equals ? (size_t)(equals - env->items[i]) : strlen(env->items[i]);
        const char *value = equals ? equals + 1 : getenv(env->items[i]);
        if (len == 0)
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "flag --env: expected NAME=VALUE or NAME");
        if (value)
            add_variable(source, env->items[i], len, value);
    }
    return true;
}

static bool set_bindings(struct source *source, struct error *err)
{
    const struct option_list *bind = &source->flags->bind;
    for (size_t i = 0; i < bind->count; i++)
        if (!strchr(bind->items[i], '=') || bind->items[i][0] == '=')
            return error_set(err, ERROR_INVALID_ARGUMENT, "flag --bind: expected NAME=VALUE");
    source->request.bindings = (char **)bind->items;
    source->request.n_bindings = bind->count;
    return true;
}

static void set_select(struct source *source, const struct job_key *select)
{
    Eos__Config__V1__JobSelector *selector = arena_alloc(source->arena, sizeof *selector);
    eos__config__v1__job_selector__init(selector);
    selector->cluster = (char *)select->cluster;
    selector->role = (char *)select->role;
    selector->environment = (char *)select->environment;
    selector->name = (char *)select->name;
    source->request.select = selector;
}

static bool set_instances(struct source *source, struct error *err)
{
    struct instance_list instances = { 0 };
    if (!source->flags->instances)
        return true;
    if (!instances_parse(slice_of(source->flags->instances), source->arena, &instances, err))
        return error_prefix(err, "flag --instances");
    source->request.instances = instances.ids;
    source->request.n_instances = instances.count;
    return true;
}

bool source_init(struct source *source, struct arena *arena, const struct flags *flags,
                 const struct job_key *select, struct error *err)
{
    *source = (struct source){ .arena = arena,
                               .request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT,
                               .flags = flags };
    source->request.files = arena_alloc(arena, 0);
    source->request.user = (char *)(flags->user ? flags->user : user_name());
    source->request.is_json = flags->is_json;
    source->request.skip_tier_backfill = flags->no_tier_backfill;
    if (select)
        set_select(source, select);
    return set_environment(source, err) && set_bindings(source, err) && set_instances(source, err);
}

bool source_read(struct source *source, const char *path, struct error *err)
{
    cleanup_text struct text bytes = TEXT_INIT;
    return source_read_file(path, &bytes, err) &&
           set_content(source, add_file(source, path), text_slice(&bytes), err);
}
