#include "client.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int64_t client_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Between two looks at something that has no event to wait for. */
static void pause_shortly(void)
{
    poll(NULL, 0, 10);
}

/* -- processes ------------------------------------------------------------------------------------ */

static int running[64]; /* process ids; 0: a free place */

static void note_process(int from, int to)
{
    for (size_t i = 0; i < sizeof running / sizeof running[0]; i++)
        if (running[i] == from) {
            running[i] = to;
            return;
        }
}

void process_stop_all(void)
{
    for (size_t i = 0; i < sizeof running / sizeof running[0]; i++)
        if (running[i] != 0) {
            kill(running[i], SIGKILL);
            waitpid(running[i], NULL, 0);
            running[i] = 0;
        }
}

void process_start(struct process *process, const char *folder, const char *name,
                   const char *const *flags)
{
    static unsigned count;
    const char *bin = getenv("EOS_BIN");
    cleanup_free char *program = xasprintf("%s/%s", bin ? bin : "build/bin", name);
    snprintf(process->log_path, sizeof process->log_path, "%s/%s-%u.log", folder, name, count++);

    const char *argv[48] = { program };
    for (size_t i = 0; flags[i] && i < 46; i++)
        argv[i + 1] = flags[i];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, process->log_path, O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    if (posix_spawn(&process->pid, program, &actions, NULL, (char **)argv, environ) != 0) {
        perror(program);
        abort();
    }
    posix_spawn_file_actions_destroy(&actions);
    note_process(0, process->pid);
}

static char *read_file(const char *path)
{
    cleanup_text struct text content = TEXT_INIT;
    cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t len = 1; fd >= 0 && len > 0;) {
        text_reserve(&content, 4096);
        len = read(fd, content.ptr + content.len, 4096);
        content.len += len > 0 ? (size_t)len : 0;
    }
    text_add_char(&content, '\0');
    return text_take(&content);
}

char *process_wait_for(const struct process *process, const char *pattern)
{
    for (int64_t end = client_now_ms() + CLIENT_DEADLINE_MS; client_now_ms() < end;
         pause_shortly()) {
        cleanup_free char *log = read_file(process->log_path);
        const char *found = strstr(log, pattern);
        if (found)
            return xstrdup(found);
    }
    return NULL;
}

int process_port(const struct process *process)
{
    cleanup_free char *line = process_wait_for(process, "\"http\":\"");
    struct slice rest = slice_of(line ? line + 8 : "");
    uint64_t port = 0;
    slice_split(&rest, ':');
    if (rest.ptr)
        slice_to_u64(slice_split(&rest, '"'), 65535, &port);
    return (int)port;
}

int process_wait(const struct process *process)
{
    int status = 0;
    bool has_ended = false;
    for (int64_t end = client_now_ms() + CLIENT_DEADLINE_MS; !has_ended && client_now_ms() < end;) {
        has_ended = waitpid(process->pid, &status, WNOHANG) == process->pid;
        if (!has_ended)
            pause_shortly();
    }
    if (!has_ended) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, &status, 0);
    }
    note_process(process->pid, 0);
    return has_ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void process_signal(const struct process *process, int signal)
{
    kill(process->pid, signal);
}

/* -- HTTP ----------------------------------------------------------------------------------------- */

int client_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

void client_send(int fd, const char *bytes)
{
    for (size_t len = strlen(bytes), sent = 0; sent < len;) {
        ssize_t n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* refused half-way: the answer tells */
        sent += (size_t)n;
    }
}

bool client_read(int fd, const char *pattern, struct text *out)
{
    int64_t end = client_now_ms() + CLIENT_DEADLINE_MS;
    while (!pattern || !strstr(text_string(out), pattern)) {
        struct pollfd poller = { .fd = fd, .events = POLLIN };
        int64_t left = end - client_now_ms();
        if (left <= 0 || poll(&poller, 1, (int)left) <= 0)
            return false;
        text_reserve(out, 65536);
        ssize_t len = read(fd, out->ptr + out->len, 65536);
        if (len <= 0)
            return len == 0 && !pattern;
        out->len += (size_t)len;
        out->ptr[out->len] = '\0';
    }
    return true;
}

bool client_ask(int port, const char *bytes, struct text *out)
{
    cleanup_close int fd = client_connect(port);
    if (fd < 0)
        return false;
    client_send(fd, bytes);
    return client_read(fd, NULL, out);
}
