#include "executor/logs.h"

#include "executor/files.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

static const char *const names[] = { "stdout", "stderr" };

static const Eos__Executor__V1__LoggerPlan *logger_of(const Eos__Executor__V1__ProcessPlan *process)
{
    static const Eos__Executor__V1__LoggerPlan standard = EOS__EXECUTOR__V1__LOGGER_PLAN__INIT;
    return process->logger ? process->logger : &standard;
}

bool logs_prepare(const Eos__Executor__V1__TaskPlan *plan, struct error *err)
{
    if (mkdir(plan->log_directory, 0755) < 0)
        return errno == EEXIST || error_set_errno(err, errno, "could not make log directory \"%s\"",
                                                  plan->log_directory);
    if (plan->user && geteuid() == 0 &&
        lchown(plan->log_directory, plan->user->uid, plan->user->gid) < 0)
        return error_set_errno(err, errno, "could not change the owner of \"%s\"",
                               plan->log_directory);
    return true;
}

bool logs_need_pump(const Eos__Executor__V1__ProcessPlan *process)
{
    const Eos__Executor__V1__LoggerPlan *logger = logger_of(process);
    switch (logger->destination) {
    case EOS__EXECUTOR__V1__LOGGER_PLAN__DESTINATION__FILE:
        return logger->rotate_bytes > 0;
    case EOS__EXECUTOR__V1__LOGGER_PLAN__DESTINATION__BOTH:
        return true;
    default:
        return false;
    }
}

/* ---- files ---------------------------------------------------------------------------------- */

static bool enter(int *fd, const char *name, struct error *err)
{
    if (mkdirat(*fd, name, 0755) < 0 && errno != EEXIST)
        return error_set_errno(err, errno, "could not make log directory \"%s\"", name);
    int next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return error_set_errno(err, errno, "could not open log directory \"%s\"", name);
    close(*fd);
    *fd = next;
    return true;
}

static bool open_directory(const Eos__Executor__V1__TaskPlan *plan,
                           const Eos__Executor__V1__ProcessPlan *process, int run, int *ret_fd,
                           struct error *err)
{
    cleanup_free char *run_name = xasprintf("%d", run);
    cleanup_close int fd = open(plan->log_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", plan->log_directory);
    if (!enter(&fd, process->name, err) || !enter(&fd, run_name, err))
        return false;
    *ret_fd = TAKE_FD(fd);
    return true;
}

/* The task may have put something else where its next log goes, such as a pipe that nobody reads. */
static bool open_log(int dir_fd, const char *name, int *ret_fd, struct error *err)
{
    struct stat status;
    cleanup_close int fd =
        openat(dir_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
               0644);
    if (fd < 0)
        return error_set_errno(err, errno, "could not open log file \"%s\"", name);
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return error_set(err, ERROR_FAILED_PRECONDITION, "log file \"%s\" is no regular file",
                         name);
    if (fcntl(fd, F_SETFL, O_APPEND) < 0)
        return error_set_errno(err, errno, "could not use log file \"%s\"", name);
    *ret_fd = TAKE_FD(fd);
    return true;
}

static bool redirect_to_files(const Eos__Executor__V1__TaskPlan *plan,
                              const Eos__Executor__V1__ProcessPlan *process, int run,
                              struct error *err)
{
    cleanup_close int dir_fd = -1;
    if (!open_directory(plan, process, run, &dir_fd, err))
        return false;
    for (int i = 0; i < 2; i++) {
        cleanup_close int fd = -1;
        if (!open_log(dir_fd, names[i], &fd, err))
            return false;
        if (dup2(fd, i + 1) < 0)
            return error_set_errno(err, errno, "could not redirect %s", names[i]);
    }
    return true;
}

static bool redirect_to_nothing(struct error *err)
{
    cleanup_close int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        return error_set_errno(err, errno, "could not redirect output to \"/dev/null\"");
    return true;
}

bool logs_redirect(const Eos__Executor__V1__TaskPlan *plan,
                   const Eos__Executor__V1__ProcessPlan *process, int run, struct error *err)
{
    switch (logger_of(process)->destination) {
    case EOS__EXECUTOR__V1__LOGGER_PLAN__DESTINATION__CONSOLE:
        return true;
    case EOS__EXECUTOR__V1__LOGGER_PLAN__DESTINATION__NONE:
        return redirect_to_nothing(err);
    default:
        return redirect_to_files(plan, process, run, err);
    }
}

/* ---- the pump ------------------------------------------------------------------------------- */

struct output {
    int input, dir_fd, file, console; /* console: -1 when not wanted */
    const char *name;
    int64_t size, limit; /* limit 0: no rotation */
    int backups;
};

/* stdout.1 is the newest of the old ones. */
static bool rotate(struct output *output)
{
    for (int i = output->backups - 1; i >= 0; i--) {
        cleanup_free char *from = i ? xasprintf("%s.%d", output->name, i) : xstrdup(output->name);
        cleanup_free char *to = xasprintf("%s.%d", output->name, i + 1);
        if (renameat(output->dir_fd, from, output->dir_fd, to) < 0 && errno != ENOENT)
            return false;
    }
    int file = -1;
    struct error ignored;
    if (!open_log(output->dir_fd, output->name, &file, &ignored))
        return false;
    close(output->file);
    output->file = file;
    output->size = 0;
    return true;
}

/* What cannot be written, because the disk is full, is lost; the process goes on. */
static void carry(struct output *output)
{
    char bytes[65536];
    ssize_t count = read(output->input, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR)
        return;
    if (count <= 0) {
        output->input = -1; /* poll() passes over it */
        return;
    }
    if (output->console >= 0)
        (void)write_all(output->console, bytes, (size_t)count);
    (void)write_all(output->file, bytes, (size_t)count);
    output->size += count;
    if (output->limit && output->size >= output->limit)
        (void)rotate(output);
}

static bool output_open(struct output *output, int index, int dir_fd, int input,
                        const Eos__Executor__V1__LoggerPlan *logger, struct error *err)
{
    bool is_both = logger->destination == EOS__EXECUTOR__V1__LOGGER_PLAN__DESTINATION__BOTH;
    *output = (struct output){
        .input = input,
        .dir_fd = dir_fd,
        .file = -1,
        .console = is_both ? index + 1 : -1,
        .name = names[index],
        .limit = logger->rotate_bytes,
        .backups = logger->rotate_backups,
    };
    return open_log(dir_fd, names[index], &output->file, err);
}

bool logs_pump(const Eos__Executor__V1__TaskPlan *plan,
               const Eos__Executor__V1__ProcessPlan *process, int run, const int inputs[2],
               int *ready_fd, struct error *err)
{
    struct output outputs[2];
    cleanup_close int dir_fd = -1;
    if (!open_directory(plan, process, run, &dir_fd, err))
        return false;
    for (int i = 0; i < 2; i++)
        if (!output_open(&outputs[i], i, dir_fd, inputs[i], logger_of(process), err))
            return false;
    close(*ready_fd);
    *ready_fd = -1;
    while (outputs[0].input >= 0 || outputs[1].input >= 0) {
        struct pollfd pollers[2] = { { outputs[0].input, POLLIN, 0 },
                                     { outputs[1].input, POLLIN, 0 } };
        if (poll(pollers, 2, -1) < 0 && errno != EINTR)
            break;
        for (int i = 0; i < 2; i++)
            if (outputs[i].input >= 0 && pollers[i].revents)
                carry(&outputs[i]);
    }
    return true;
}
