#include "client/task.h"

#include "base/cleanup.h"
#include "client/fetch.h"
#include "client/job.h"
#include "client/output.h"
#include "client/problem.h"
#include "client/sse_reader.h"
#include "client/table.h"
#include "client/task_state.h"
#include "json/message_json.h"

#include "eos/launcher/v1/launcher.pb-c.h"

#include <errno.h>
#include <inttypes.h>

typedef Eos__Job__V1__ScheduledTask scheduled_task;

#define SILENCE_MS 45000 /* three of the gateway's signs of life */
#define GIVE_UP_MS 60000 /* without a connection */
#define EVENTS     "text/event-stream"
#define BYTES      "application/octet-stream"

/* -- which task ----------------------------------------------------------------------------------- */

static int64_t started_ms(const scheduled_task *task)
{
    return task->n_task_events > 0 ? task->task_events[0]->timestamp_ms : 0;
}

/* The newest that was given to a host; one that still lives rather than one that is dead. */
static const scheduled_task *choose(scheduled_task *const *tasks, size_t count)
{
    const scheduled_task *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const scheduled_task *task = tasks[i];
        if (!task->assigned_task || !task->assigned_task->host_id[0])
            continue;
        bool is_active = task_state_is_active(task->status);
        bool best_is_active = best && task_state_is_active(best->status);
        if (!best || (is_active && !best_is_active) ||
            (is_active == best_is_active && started_ms(task) > started_ms(best)))
            best = task;
    }
    return best;
}

static bool find_task(struct gateway *gateway, const struct job_key *key, int32_t instance,
                      struct arena *arena, const char **ret_id, struct error *err)
{
    struct task_query query = { .key = key, .instances = { &instance, 1 } };
    scheduled_task **tasks;
    size_t count;
    if (!fetch_tasks(gateway, &query, arena, &tasks, &count, err))
        return false;
    const scheduled_task *task = choose(tasks, count);
    if (!task && count > 0)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "instance %d of %s has not been on a host yet", instance,
                         job_key_text(key, arena));
    if (!task)
        return error_set(err, ERROR_NOT_FOUND, "Job or instance %s/%d not found",
                         job_key_text(key, arena), instance);
    *ret_id = task->assigned_task->task_id;
    return true;
}

/* Who follows a task that still waits for a host wants to see it begin. */
static bool await_task(struct gateway *gateway, const struct job_key *key, int32_t instance,
                       bool is_followed, struct arena *arena, const char **ret_id,
                       struct error *err)
{
    struct arena *scratch = arena_new();
    const char *id = NULL;
    int pause_ms = 0;
    bool is_found;
    while (!(is_found = find_task(gateway, key, instance, scratch, &id, err)) && is_followed &&
           err->code == ERROR_FAILED_PRECONDITION) {
        if (pause_ms == 0)
            output_note("eos: %s, waiting", err->message);
        job_pause(&pause_ms);
        arena_reset(scratch);
    }
    if (is_found)
        *ret_id = arena_strdup(arena, id);
    arena_free(scratch);
    return is_found;
}

/* -- one log -------------------------------------------------------------------------------------- */

struct log {
    const struct flags *flags;
    struct gateway *gateway;
    const char *task_id;
    struct text position; /* the last event id: where to go on */
    struct error err;     /* of the stream itself */
    struct sse_reader *reader;
    bool has_ended, has_failed, is_broken, has_bytes, has_events;
};

static void add_parameter(struct text *path, const char *name, const char *value)
{
    text_printf(path, "&%s=", name);
    http_add_escaped(path, value);
}

static void add_path(struct text *path, const struct log *log)
{
    const struct flags *flags = log->flags;
    text_add(path, "/v1/tasks/");
    http_add_escaped(path, log->task_id);
    text_printf(path, "/log?run=%" PRId64 "&stream=%s", flags->run,
                flags->want_stderr ? "STDERR" : "STDOUT");
    if (flags->process)
        add_parameter(path, "process", flags->process);
    if (flags->bytes > 0)
        text_printf(path, "&offset=-%" PRId64, flags->bytes);
    if (flags->follow)
        text_add(path, "&follow=true");
}

/* A reader that went away (head, less) ends the command without a word. */
static bool write_out(struct log *log, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t count = write(STDOUT_FILENO, bytes.ptr, bytes.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            log->is_broken = true;
            if (errno != EPIPE)
                log->has_failed = !error_set_errno(&log->err, errno, "could not write the log");
            return false;
        }
        bytes.ptr += count;
        bytes.len -= (size_t)count;
    }
    return true;
}

static bool on_bytes(void *user, struct slice bytes)
{
    return write_out(user, bytes);
}

static enum exit_status read_whole(struct log *log, const char *path)
{
    struct http_request request = { .method = "GET",
                                    .path = path,
                                    .accept = BYTES,
                                    .silence_ms = SILENCE_MS,
                                    .on_data = on_bytes,
                                    .user = log };
    struct error err;
    if (!gateway_stream(log->gateway, &request, &err))
        return output_complain(exit_status_of(err.code), &err);
    return log->has_failed ? output_complain(STATUS_FATAL, &log->err) : STATUS_OK;
}

/* -- following ------------------------------------------------------------------------------------ */

static bool may_come_back(enum error_code code)
{
    return code == ERROR_UNAVAILABLE || code == ERROR_DEADLINE_EXCEEDED || code == ERROR_ABORTED ||
           code == ERROR_RESOURCE_EXHAUSTED;
}

/* The stream's last event tells why it ends; what comes without a last word is a break. */
static bool on_event(void *user, const struct sse_event *event)
{
    struct log *log = user;
    log->has_events = true;
    if (slice_is(event->name, "message")) {
        text_clear(&log->position);
        text_add_slice(&log->position, event->id);
        return write_out(log, event->data);
    }
    if (slice_is(event->name, "end"))
        log->has_ended = true;
    if (slice_is(event->name, "error")) {
        problem_parse(500, SLICE("application/problem+json"), event->data, &log->err);
        log->has_failed = !may_come_back(log->err.code);
    }
    return false;
}

/* Signs of life are no events, but they are life. */
static bool on_stream(void *user, struct slice bytes)
{
    struct log *log = user;
    log->has_bytes = true;
    return sse_reader_feed(log->reader, bytes);
}

/* One connection; false when there is no use in another one. */
static bool follow_once(struct log *log, const char *path, struct error *err)
{
    struct http_request request = { .method = "GET",
                                    .path = path,
                                    .accept = EVENTS,
                                    .last_event_id =
                                        log->position.len > 0 ? text_string(&log->position) : NULL,
                                    .silence_ms = SILENCE_MS,
                                    .on_data = on_stream,
                                    .user = log };
    log->reader = sse_reader_new(on_event, log);
    log->has_bytes = log->has_events = false;
    bool is_good = gateway_stream(log->gateway, &request, err);
    sse_reader_free(TAKE(log->reader));
    if (log->has_ended || log->has_failed || log->is_broken)
        return false;
    return is_good || may_come_back(err->code);
}

static enum exit_status follow(struct log *log, const char *path)
{
    int64_t alive_ms = job_now_ms();
    int pause_ms = 0;
    bool is_first = true;
    struct error err = { .code = ERROR_UNAVAILABLE, .message = "the connection broke" };
    while (follow_once(log, path, &err)) {
        if (log->has_bytes)
            alive_ms = job_now_ms();
        if (log->has_events)
            pause_ms = 0;
        if (job_now_ms() - alive_ms > GIVE_UP_MS || (is_first && !log->has_bytes))
            return output_complain(exit_status_of(err.code), &err);
        is_first = false;
        job_pause(&pause_ms);
    }
    if (log->has_failed)
        return output_complain(exit_status_of(log->err.code), &log->err);
    if (log->has_ended || log->is_broken)
        return STATUS_OK;
    return output_complain(exit_status_of(err.code), &err);
}

/* -- which logs there are ------------------------------------------------------------------------- */

static bool fetch_logs(const struct log *log, struct arena *arena,
                       Eos__Launcher__V1__ListLogsResponse **ret_logs, struct error *err)
{
    cleanup_text struct text path = TEXT_INIT;
    ProtobufCMessage *message;
    text_add(&path, "/v1/tasks/");
    http_add_escaped(&path, log->task_id);
    text_add(&path, "/logs");
    if (!gateway_call(log->gateway, "GET", text_string(&path), NULL,
                      &eos__launcher__v1__list_logs_response__descriptor, arena, &message, err))
        return false;
    *ret_logs = (Eos__Launcher__V1__ListLogsResponse *)message;
    return true;
}

/* People at a terminal are told that there is more than they see. */
static void mention_others(const struct log *log, struct arena *arena)
{
    cleanup_text struct text others = TEXT_INIT;
    Eos__Launcher__V1__ListLogsResponse *logs;
    struct error err;
    if (log->flags->process || !output_is_terminal(STDERR_FILENO) ||
        !fetch_logs(log, arena, &logs, &err))
        return;
    const char *previous = logs->n_files > 0 ? logs->files[0]->process : "";
    for (size_t i = 0; i < logs->n_files; i++) {
        const char *process = logs->files[i]->process;
        if (strcmp(process, previous) != 0)
            text_printf(&others, "%s%s", others.len > 0 ? ", " : "", process);
        previous = process;
    }
    if (others.len > 0)
        output_note("eos: this is the process %s; --process shows %s", logs->files[0]->process,
                    text_string(&others));
}

static enum exit_status print_list(const Eos__Launcher__V1__ListLogsResponse *logs, bool is_json,
                                   struct arena *arena)
{
    static const char *const headings[] = { "PROCESS", "RUN", "STREAM", "BYTES", NULL };
    cleanup_text struct text out = TEXT_INIT;
    if (is_json) {
        message_to_json_pretty(&logs->base, &out);
        return output_print(&out);
    }
    struct table *table = table_new(headings);
    for (size_t i = 0; i < logs->n_files; i++) {
        const Eos__Launcher__V1__LogFile *file = logs->files[i];
        bool is_stderr = file->stream == EOS__LAUNCHER__V1__LOG_STREAM__STDERR;
        table_add(table, file->process);
        table_add(table, arena_printf(arena, "%d", file->run));
        table_add(table, is_stderr ? "stderr" : "stdout");
        table_add(table, arena_printf(arena, "%" PRId64, file->size_bytes));
    }
    table_format(table, output_has_colour(STDOUT_FILENO), &out);
    table_free(table);
    return output_print(&out);
}

static enum exit_status list_logs(struct log *log, struct arena *arena)
{
    Eos__Launcher__V1__ListLogsResponse *logs;
    struct error err;
    if (!fetch_logs(log, arena, &logs, &err))
        return output_complain(exit_status_of(err.code), &err);
    return print_list(logs, flags_want_json(log->flags), arena);
}

enum exit_status task_logs(const struct invocation *invocation)
{
    struct job_key key;
    int32_t instance;
    struct error err;
    if (!task_instance_parse(invocation->arguments[0], invocation->arena, &key, &instance, &err))
        return output_complain(STATUS_SYNTAX, &err);
    cleanup_gateway struct gateway *gateway = gateway_open(invocation, key.cluster, &err);
    if (!gateway)
        return output_complain(STATUS_INVALID_CONFIGURATION, &err);
    struct log log = { .flags = invocation->flags, .gateway = gateway };
    if (!await_task(gateway, &key, instance, log.flags->follow, invocation->arena, &log.task_id,
                    &err))
        return output_complain(exit_status_of(err.code), &err);
    if (log.flags->list)
        return list_logs(&log, invocation->arena);
    cleanup_text struct text path = TEXT_INIT;
    add_path(&path, &log);
    mention_others(&log, invocation->arena);
    enum exit_status status =
        log.flags->follow ? follow(&log, text_string(&path)) : read_whole(&log, text_string(&path));
    text_done(&log.position);
    return status;
}
