#include "scheduler/task.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

struct task *task_new(char *id, uint64_t serial, struct job *job, struct task_config *config,
                      int32_t instance)
{
    struct task *task = xcalloc(1, sizeof *task);
    task->entity.kind = ENTITY_TASK;
    task->id = id;
    task->serial = serial;
    task->job = job;
    task->config = config;
    task->instance = instance;
    task->status = TASK_INIT;
    return task;
}

void task_free(struct task *task)
{
    if (!task)
        return;
    for (size_t i = 0; i < task->event_count; i++)
        free(task->events[i].message);
    free(task->events);
    free(task->ports);
    free(task->ancestor_id);
    free(task->id);
    free(task);
}

char *task_id_make(const Eos__Job__V1__JobKey *key, int32_t instance, struct random *random)
{
    char uuid[37];
    random_uuid(random, uuid);
    char *id = xasprintf("%s-%s-%s-%d-%s", key->role, key->environment, key->name, instance, uuid);
    for (char *c = id; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            *c = '-';
    return id;
}

/* A copy of at most TASK_MESSAGE_MAX_BYTES that does not end within a character. */
static char *message_cut(const char *message)
{
    size_t len = strlen(message);
    if (len > TASK_MESSAGE_MAX_BYTES) {
        len = TASK_MESSAGE_MAX_BYTES;
        while (len > 0 && ((unsigned char)message[len] & 0xc0) == 0x80)
            len--;
    }
    return xmemdup0(message, len);
}

static void drop_event(struct task *task, size_t at)
{
    free(task->events[at].message);
    memmove(&task->events[at], &task->events[at + 1],
            (task->event_count - at - 1) * sizeof *task->events);
    task->event_count--;
}

void task_add_event(struct task *task, enum task_status status, const char *message, int64_t now_ms)
{
    if (task->event_count == TASK_EVENTS_MAX)
        drop_event(task, 1);
    task->events = xreallocarray(task->events, task->event_count + 1u, sizeof *task->events);
    task->events[task->event_count++] = (struct task_event){
        .at_ms = now_ms,
        .status = status,
        .message = is_set(message) ? message_cut(message) : NULL,
    };
    task->status = status;
}

bool task_set_message(struct task *task, const char *message)
{
    assert(task->event_count > 0 && is_set(message));
    struct task_event *last = &task->events[task->event_count - 1];
    if (last->message && strcmp(last->message, message) == 0)
        return false;
    free(last->message);
    last->message = message_cut(message);
    return true;
}

void task_fold_partitions(struct task *task)
{
    size_t n = task->event_count;
    if (n < 3 || task->events[n - 2].status != TASK_PARTITIONED ||
        task->events[n - 3].status != task->events[n - 1].status)
        return;
    drop_event(task, n - 1);
    drop_event(task, n - 2);
}

const struct task_event *task_last_event(const struct task *task)
{
    return task->event_count ? &task->events[task->event_count - 1] : NULL;
}

bool task_has_event(const struct task *task, enum task_status status)
{
    for (size_t i = 0; i < task->event_count; i++)
        if (task->events[i].status == status)
            return true;
    return false;
}

struct task_facts task_facts(const struct task *task)
{
    return (struct task_facts){
        .is_service = task->config->message->is_service,
        .was_killing = task_has_event(task, TASK_KILLING),
        .max_task_failures = task->config->message->max_task_failures,
        .failure_count = task->failure_count,
    };
}
