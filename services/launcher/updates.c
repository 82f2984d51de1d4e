#include "launcher/updates.h"

#include "base/alloc.h"
#include "base/map.h"

#include <inttypes.h>
#include <stdlib.h>

typedef Eos__Scheduler__V1__TaskUpdate task_update;

struct update {
    char *id, *task_id, *message;
    Eos__Job__V1__ScheduleStatus status;
    int64_t timestamp_ms;
    bool is_sent;
};

struct updates {
    const char *session;
    struct map *by_id; /* in the order of their coming */
    uint64_t last_number;
    size_t unsent_count;
};

struct updates *updates_new(const char *session)
{
    struct updates *updates = xcalloc(1, sizeof *updates);
    updates->session = session;
    updates->by_id = map_new();
    return updates;
}

static void update_free(struct update *update)
{
    free(update->id);
    free(update->task_id);
    free(update->message);
    free(update);
}

void updates_free(struct updates *updates)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    if (!updates)
        return;
    while (map_next(updates->by_id, &cursor, &key, &value))
        update_free(value);
    map_free(updates->by_id);
    free(updates);
}

size_t updates_count(const struct updates *updates)
{
    return map_count(updates->by_id);
}

bool updates_has_news(const struct updates *updates)
{
    return updates->unsent_count > 0;
}

static void put(struct updates *updates, const char *id, const task_update *message)
{
    struct update *update = xcalloc(1, sizeof *update);
    update->id = xstrdup(id);
    update->task_id = xstrdup(message->task_id);
    update->message = xstrdup(message->message);
    update->status = message->status;
    update->timestamp_ms = message->timestamp_ms;
    updates->unsent_count++;
    struct update *old = map_put(updates->by_id, slice_of(id), update);
    if (!old)
        return;
    updates->unsent_count -= !old->is_sent;
    update_free(old);
}

static struct update *find_unsent(const struct updates *updates, const char *task_id,
                                  Eos__Job__V1__ScheduleStatus status)
{
    size_t cursor = 0;
    struct slice key;
    void *value;

    while (map_next(updates->by_id, &cursor, &key, &value)) {
        struct update *update = value;
        if (!update->is_sent && update->status == status && strcmp(update->task_id, task_id) == 0)
            return update;
    }
    return NULL;
}

void updates_add(struct updates *updates, const char *task_id, Eos__Job__V1__ScheduleStatus status,
                 const char *message, int64_t now_ms)
{
    struct update *same = find_unsent(updates, task_id, status);
    if (same) {
        free(same->message);
        same->message = xstrdup(message);
        return;
    }
    task_update update = EOS__SCHEDULER__V1__TASK_UPDATE__INIT;
    char id[256];
    snprintf(id, sizeof id, "%s-%" PRIu64, updates->session, ++updates->last_number);
    update.task_id = (char *)task_id;
    update.status = status;
    update.message = (char *)message;
    update.timestamp_ms = now_ms;
    put(updates, id, &update);
}

void updates_restore(struct updates *updates, const task_update *update)
{
    put(updates, update->update_id, update);
}

const char *updates_acknowledge(struct updates *updates, const char *update_id, struct arena *arena)
{
    struct update *update = map_remove(updates->by_id, slice_of(update_id));
    if (!update)
        return NULL;
    updates->unsent_count -= !update->is_sent;
    const char *task_id = arena_strdup(arena, update->task_id);
    update_free(update);
    return task_id;
}

static task_update *to_message(const struct update *update, struct arena *arena)
{
    task_update *message = arena_alloc(arena, sizeof *message);
    eos__scheduler__v1__task_update__init(message);
    message->update_id = arena_strdup(arena, update->id);
    message->task_id = arena_strdup(arena, update->task_id);
    message->status = update->status;
    message->message = arena_strdup(arena, update->message);
    message->timestamp_ms = update->timestamp_ms;
    return message;
}

size_t updates_of_task(const struct updates *updates, const char *task_id, struct arena *arena,
                       task_update ***ret_list)
{
    size_t cursor = 0, count = 0;
    struct slice key;
    void *value;

    task_update **list = arena_array(arena, map_count(updates->by_id), sizeof *list);
    while (map_next(updates->by_id, &cursor, &key, &value))
        if (strcmp(((struct update *)value)->task_id, task_id) == 0)
            list[count++] = to_message(value, arena);
    *ret_list = list;
    return count;
}

size_t updates_to_send(struct updates *updates, struct arena *arena, task_update ***ret_list)
{
    size_t cursor = 0, count = 0;
    struct slice key;
    void *value;

    task_update **list = arena_array(arena, UPDATES_MAX_SENT, sizeof *list);
    while (count < UPDATES_MAX_SENT && map_next(updates->by_id, &cursor, &key, &value)) {
        struct update *update = value;
        updates->unsent_count -= !update->is_sent;
        update->is_sent = true;
        list[count++] = to_message(update, arena);
    }
    *ret_list = list;
    return count;
}
