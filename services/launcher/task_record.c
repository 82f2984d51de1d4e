#include "launcher/host_file.h"
#include "launcher/task.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/log.h"

#include <assert.h>

/* The checkpoint is written whole each time.  One write is under way at most; what changes meanwhile
 * goes into the next one.
 *
 * Only an end waits for the disk.  What a power failure takes before that ends the task as well, and
 * the scheduler, who is told nothing of it then, takes it for lost. */

#define RETRY_MS 1000

typedef Eos__Launcher__V1__Checkpoint checkpoint_message;

static void pack(struct task *task)
{
    struct arena *arena = arena_new();
    checkpoint_message checkpoint = EOS__LAUNCHER__V1__CHECKPOINT__INIT;
    Eos__Launcher__V1__ExecutorProcess executor = EOS__LAUNCHER__V1__EXECUTOR_PROCESS__INIT;

    executor.pid = task->pid;
    executor.start_ticks = task->start_ticks;
    executor.boot_id = task->host->boot_id;
    checkpoint.task = task->assigned;
    checkpoint.cluster = task->cluster;
    checkpoint.executor = task->pid > 0 ? &executor : NULL;
    checkpoint.container_kind = (char *)container_kind_name(task->kind);
    checkpoint.image_digest = task->image_digest;
    checkpoint.docker_container_id = task->docker_id;
    checkpoint.is_kill_wanted = task->is_kill_wanted;
    checkpoint.kill_message = task->kill_message;
    checkpoint.is_lost_wanted = task->is_lost_wanted;
    checkpoint.status = task->status;
    checkpoint.message = task->message;
    checkpoint.n_updates =
        updates_of_task(task->host->updates, task->id, arena, &checkpoint.updates);
    checkpoint.is_clean = task->is_clean;
    checkpoint.ended_at_ms = task->ended_at_ms;
    task->record_len = protobuf_c_message_get_packed_size(&checkpoint.base);
    task->record_bytes = xreallocarray(task->record_bytes, task->record_len + 1, 1);
    protobuf_c_message_pack(&checkpoint.base, (uint8_t *)task->record_bytes);
    task->is_record_durable = task->has_ended && !task->is_clean;
    arena_free(arena);
}

static void write_record(uv_work_t *work)
{
    struct task *task = work->data;
    struct slice content = { task->record_bytes, task->record_len };
    bool ok = host_directory_make(task->paths.task, 0700, &task->record_error);
    if (ok && task->is_record_durable)
        ok = host_file_replace(task->paths.checkpoint, content, &task->record_error);
    else if (ok)
        ok = host_file_write(task->paths.checkpoint, content, &task->record_error);
    task->has_record_failed = !ok;
}

static void begin(struct task *task);

/* A checkpoint that cannot be written holds the task where it is; nothing else would be safe. */
static void after_failure(struct task *task)
{
    log_error("could not record a task", "task", task->id, "reason", task->record_error.message);
    task->record_written = task->record_wanted - 1;
    if (!task->is_closing)
        task_set_timer(task, RETRY_MS);
}

static void on_written(uv_work_t *work, int status)
{
    struct task *task = work->data;
    (void)status;
    task->is_recording = false;
    if (task->is_closing) {
        task_close_continue(task);
        return;
    }
    if (task->has_record_failed) {
        after_failure(task);
        return;
    }
    task->is_known = true;
    bool is_awaited = task->record_awaited > 0 && task->record_written >= task->record_awaited;
    if (task->record_written < task->record_wanted)
        begin(task);
    if (!is_awaited)
        return;
    task->record_awaited = 0;
    task_event(task, EVENT_RECORDED);
}

static void begin(struct task *task)
{
    if (task->is_recording)
        return;
    task->is_recording = true;
    task->record_written = task->record_wanted;
    pack(task);
    task->record_work.data = task;
    int status = uv_queue_work(task->host->loop, &task->record_work, write_record, on_written);
    assert(status == 0);
}

void task_record(struct task *task, enum record_wait wait)
{
    if (task->is_closing)
        return;
    task->record_wanted++;
    if (wait == RECORD_AWAIT)
        task->record_awaited = task->record_wanted;
    begin(task);
}

void task_record_again(struct task *task)
{
    if (task->record_written < task->record_wanted)
        begin(task);
}
