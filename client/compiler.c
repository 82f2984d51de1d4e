#include "client/compiler.h"

#include "base/cleanup.h"
#include "client/diagnostic.h"
#include "client/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

typedef Eos__Config__V1__CompileResponse compile_response;

#define MAX_ROUNDS         1000 /* one include() after the other */
#define MAX_RESPONSE_BYTES (64u << 20)
#define TIMEOUT_MS         60000

extern char **environ;

const char *program_beside(const char *name, struct arena *arena)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return name;
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    return arena_printf(arena, "%.*s/%s", slash ? (int)(slash - self) : 0, self, name);
}

bool compiler_is_local(void)
{
    struct arena *arena = arena_new();
    bool is_there = access(program_beside("eos-config", arena), X_OK) == 0;
    arena_free(arena);
    return is_there;
}

/* -- one run of eos-config ------------------------------------------------------------------------ */

/* A file without a name: unlike a pipe it takes everything at once, so the child may read it whenever
 * it likes. */
static int request_file(const Eos__Config__V1__CompileRequest *request, struct error *err)
{
    size_t len = eos__config__v1__compile_request__get_packed_size(request), written = 0;
    cleanup_free uint8_t *bytes = malloc(len ? len : 1);
    cleanup_close int fd = memfd_create("request", MFD_CLOEXEC);
    if (!bytes || fd < 0) {
        error_set_errno(err, errno, "could not make room for the configuration");
        return -1;
    }
    eos__config__v1__compile_request__pack(request, bytes);
    while (written < len) {
        ssize_t count = write(fd, bytes + written, len - written);
        if (count < 0) {
            error_set_errno(err, errno, "could not hand over the configuration");
            return -1;
        }
        written += (size_t)count;
    }
    lseek(fd, 0, SEEK_SET);
    return TAKE_FD(fd);
}

static bool spawn(const char *program, int input, int output, pid_t *ret_pid, struct error *err)
{
    char *argv[] = { (char *)program, "--once", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    int status = posix_spawn(ret_pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (status != 0)
        return error_set_errno(err, status, "could not start \"%.120s\"", program);
    return true;
}

static bool read_answer(int fd, struct text *ret_bytes, struct error *err)
{
    ssize_t len;
    do {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        int ready = poll(&wait, 1, TIMEOUT_MS);
        if (ready == 0)
            return error_set(err, ERROR_DEADLINE_EXCEEDED, "the compiler took over %d s",
                             TIMEOUT_MS / 1000);
        text_reserve(ret_bytes, 1 << 16);
        len = read(fd, ret_bytes->ptr + ret_bytes->len, 1 << 16);
        if (len < 0 && errno != EINTR)
            return error_set_errno(err, errno, "could not read the compiler's answer");
        ret_bytes->len += len > 0 ? (size_t)len : 0;
        if (ret_bytes->len > MAX_RESPONSE_BYTES)
            return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the compiler's answer is over %u MB",
                             MAX_RESPONSE_BYTES >> 20);
    } while (len != 0);
    return true;
}

static bool reap(pid_t pid, bool is_read, struct error *err)
{
    int status = 0;
    if (!is_read)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!is_read)
        return false;
    if (WIFSIGNALED(status))
        return error_set(err, ERROR_INTERNAL, "the compiler was ended by signal %d",
                         WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return error_set(err, ERROR_INTERNAL, "the compiler ended with status %d",
                         WEXITSTATUS(status));
    return true;
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *bytes)
{
    (void)arena;
    (void)bytes;
}

static bool decode(struct arena *arena, struct slice bytes, compile_response **ret_response,
                   struct error *err)
{
    ProtobufCAllocator allocator = { allocate, release, arena };
    compile_response *response =
        eos__config__v1__compile_response__unpack(&allocator, bytes.len,
                                                  (const uint8_t *)bytes.ptr);
    if (!response)
        return error_set(err, ERROR_DATA_LOSS, "could not understand the compiler's answer");
    *ret_response = response;
    return true;
}

static bool run_once(void *program, const struct source *source, compile_response **ret_response,
                     struct error *err)
{
    cleanup_text struct text answer = TEXT_INIT;
    int ends[2];
    pid_t pid;
    cleanup_close int input = request_file(&source->request, err);
    if (input < 0)
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, errno, "could not make a pipe");
    cleanup_close int output = ends[0];
    bool is_started = spawn(program, input, ends[1], &pid, err);
    close(ends[1]);
    if (!is_started)
        return false;
    bool is_read = read_answer(output, &answer, err);
    return reap(pid, is_read, err) && decode(source->arena, text_slice(&answer), ret_response, err);
}

/* -- both ways ------------------------------------------------------------------------------------ */

/* Compiles once, with the files that the source has; `by` is what does it. */
typedef bool round_fn(void *by, const struct source *source, compile_response **ret_response,
                      struct error *err);

static bool run_rounds(round_fn *run, void *by, struct source *source,
                       compile_response **ret_response, struct error *err)
{
    for (int round = 0; round < MAX_ROUNDS; round++) {
        compile_response *response = NULL;
        if (!run(by, source, &response, err))
            return false;
        if (response->n_needed_files == 0) {
            *ret_response = response;
            return true;
        }
        if (!source_add(source, response->needed_files, response->n_needed_files, err))
            return false;
    }
    return error_set(err, ERROR_RESOURCE_EXHAUSTED, "files include each other over %d deep",
                     MAX_ROUNDS);
}

bool compiler_run_local(struct source *source, compile_response **ret_response, struct error *err)
{
    const char *program = program_beside("eos-config", source->arena);
    return run_rounds(run_once, (void *)program, source, ret_response, err);
}

static bool run_on_gateway(void *gateway, const struct source *source,
                           compile_response **ret_response, struct error *err)
{
    ProtobufCMessage *message;
    if (!gateway_call(gateway, "POST", "/v1/compile", &source->request.base,
                      &eos__config__v1__compile_response__descriptor, source->arena, &message, err))
        return false;
    *ret_response = (compile_response *)message;
    return true;
}

bool compiler_run_on(struct gateway *gateway, struct source *source,
                     compile_response **ret_response, struct error *err)
{
    return source_restrict(source, err) &&
           run_rounds(run_on_gateway, gateway, source, ret_response, err);
}

/* -- what it found -------------------------------------------------------------------------------- */

static void add_all(struct text *out, Eos__Config__V1__Diagnostic **diagnostics, size_t count,
                    bool is_coloured)
{
    for (size_t i = 0; i < count; i++)
        diagnostic_add(out, diagnostics[i], is_coloured);
}

/* Jobs that one function made fail at one place. */
static void add_job_name(struct text *out, const char *key)
{
    if (!key[0])
        return;
    text_add(out, "  in job ");
    output_add_printable(out, key);
    text_add_char(out, '\n');
}

static bool add_job(struct text *out, const Eos__Config__V1__JobResult *job, bool is_coloured)
{
    add_all(out, job->warnings, job->n_warnings, is_coloured);
    if (job->error) {
        diagnostic_add(out, job->error, is_coloured);
        add_job_name(out, job->key);
    }
    return job->error != NULL;
}

bool compiler_report(const compile_response *response)
{
    cleanup_text struct text out = TEXT_INIT;
    bool is_coloured = output_has_colour(STDERR_FILENO), has_error = response->error != NULL;
    output_add_printable(&out, response->printed);
    add_all(&out, response->warnings, response->n_warnings, is_coloured);
    if (response->error)
        diagnostic_add(&out, response->error, is_coloured);
    add_all(&out, response->more_errors, response->n_more_errors, is_coloured);
    for (size_t i = 0; i < response->n_jobs; i++)
        has_error = add_job(&out, response->jobs[i], is_coloured) || has_error;
    if (out.len > 0)
        fwrite(out.ptr, 1, out.len, stderr);
    return has_error;
}
