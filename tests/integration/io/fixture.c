#include "fixture.h"

#include "base/alloc.h"
#include "base/text.h"
#include "io/metrics.h"

#include "eos/config/v1/config.pb-c.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

int fixture_open(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    snprintf(f->directory, sizeof f->directory, "/tmp/eos-rpc.XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->url, sizeof f->url, "ipc://%s/s", f->directory);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    *state = f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

int fixture_close(void **state)
{
    struct fixture *f = *state;
    rpc_client_close(f->client);
    echo_close(&f->echo);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    nftw(f->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

void fixture_serve(struct fixture *f, const char *url, const struct cluster_key *key)
{
    struct error err;
    if (!echo_open(&f->echo, &f->loop, url ? url : f->url, key, &err))
        fail_msg("%s", err.message);
    snprintf(f->url, sizeof f->url, "%s", rpc_server_url(f->echo.server));
}

struct rpc_client *fixture_dial(struct fixture *f, const struct cluster_key *key)
{
    struct rpc_client_options options = { .url = f->url, .caller = "test", .key = key };
    struct error err;
    struct rpc_client *client = rpc_client_open(&f->loop, &options, &err);
    if (!client)
        fail_msg("%s", err.message);
    return client;
}

static void on_limit(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

void run_until(struct fixture *f, const bool *flag, uint64_t limit_ms)
{
    bool is_late = false;
    uv_timer_t limit;
    limit.data = &is_late;
    uv_timer_init(&f->loop, &limit);
    uv_timer_start(&limit, on_limit, limit_ms, 0);
    while (!*flag && !is_late)
        uv_run(&f->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_true(*flag);
}

void run_for(struct fixture *f, uint64_t ms)
{
    bool is_over = false;
    uv_timer_t timer;
    timer.data = &is_over;
    uv_timer_init(&f->loop, &timer);
    uv_timer_start(&timer, on_limit, ms, 0);
    while (!is_over)
        uv_run(&f->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void on_reply(void *user, const ProtobufCMessage *message, const struct error *err)
{
    struct outcome *outcome = user;
    const Eos__Config__V1__CompileResponse *response =
        (const Eos__Config__V1__CompileResponse *)message;
    assert_false(outcome->is_done);
    outcome->is_done = true;
    outcome->ended_ms = uv_now(outcome->loop);
    if (err) {
        outcome->code = err->code;
        outcome->is_unanswered = err->is_unanswered;
        snprintf(outcome->message, sizeof outcome->message, "%s", err->message);
    } else {
        outcome->len = strlen(response->printed);
        slice_to_u64(slice_of(response->printed), UINT64_MAX, &outcome->number);
    }
    if (outcome->left && --*outcome->left == 0)
        *outcome->all_done = true;
}

uint64_t answer_number(const ProtobufCMessage *message)
{
    uint64_t number = UINT64_MAX;
    slice_to_u64(slice_of(((const Eos__Config__V1__CompileResponse *)message)->printed), UINT64_MAX,
                 &number);
    return number;
}

size_t answer_len(const ProtobufCMessage *message)
{
    return strlen(((const Eos__Config__V1__CompileResponse *)message)->printed);
}

bool call_echo(struct fixture *f, struct rpc_client *client, const char *user, size_t bytes,
               uint32_t deadline_ms, struct outcome *outcome, struct error *err)
{
    outcome->loop = &f->loop;
    return call_message(f, client, user, bytes, deadline_ms, on_reply, outcome, err);
}

bool call_message(struct fixture *f, struct rpc_client *client, const char *user, size_t bytes,
                  uint32_t deadline_ms, rpc_reply_fn *reply, void *reply_user, struct error *err)
{
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    Eos__Config__V1__SourceFile file = EOS__CONFIG__V1__SOURCE_FILE__INIT, *files[] = { &file };
    struct rpc_call_options options = { .deadline_ms = deadline_ms };
    uint8_t *content = xcalloc(1, bytes + 1);
    file.content = (ProtobufCBinaryData){ bytes, content };
    request.user = (char *)user;
    request.files = files;
    request.n_files = 1;
    (void)f;
    bool ok = rpc_call(client, &eos__config__v1__config__descriptor, "Compile", &request.base,
                       &options, reply, reply_user, err) != NULL;
    free(content);
    return ok;
}

pid_t serve_process(const char *url, const char *key_file)
{
    char *argv[] = { "test_rpc", "--serve", (char *)url, (char *)key_file, NULL };
    int out[2];
    pid_t pid;
    char ready;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    assert_int_equal(read(out[0], &ready, 1), 1);
    close(out[0]);
    return pid;
}

void kill_process(pid_t pid, int signal)
{
    assert_int_equal(kill(pid, signal), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

struct cluster_key *make_key(struct fixture *f, const char *name, char digit)
{
    char path[128], text[65];
    struct error err;
    snprintf(path, sizeof path, "%s/%s", f->directory, name);
    memset(text, digit, 64);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, 64), 64);
    close(fd);
    struct cluster_key *key = cluster_key_read(path, &err);
    if (!key)
        fail_msg("%s", err.message);
    return key;
}

double metric_of(const char *line)
{
    cleanup_text struct text all = TEXT_INIT;
    metrics_format(&all);
    const char *at = strstr(text_string(&all), line);
    return at ? strtod(at + strlen(line), NULL) : -1;
}
