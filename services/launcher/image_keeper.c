#include "launcher/image_keeper.h"

#include "base/alloc.h"
#include "io/log.h"
#include "io/wall_clock.h"

#include <assert.h>
#include <inttypes.h>

#define PERIOD_MS       (5 * 60 * 1000)
#define SOON_MS         2000 /* after a pull, so that many at once are one look */
#define UPLOAD_QUIET_MS 60000

struct ask {
    struct ask *next;
    struct arena *arena;
    struct image_keeper_wish wish;
    image_keeper_fn *done; /* NULL: by itself */
    void *user;
};

struct owner {
    struct owner *next;
    uint64_t number;
};

struct image_keeper {
    uv_loop_t *loop;
    const struct image_directory *directory;
    struct image_keeper_options options;
    image_users_fn *users; /* NULL: not started */
    void *users_user;
    uv_timer_t timer;
    struct ask *first, **last;
    size_t waiting;
    struct owner *owners; /* whose pins are to be dropped after this look */

    uv_work_t work;
    bool is_busy, is_closing, is_timer_closed;
    struct ask *now;
    const char **used;
    size_t used_count;
    struct image_collection result;
    struct error error;
    bool ok;
    void (*on_closed)(void *user);
    void *closed_user;
};

static void ask_free(struct ask *ask)
{
    arena_free(ask->arena);
    free(ask);
}

static void finish_close(struct image_keeper *keeper)
{
    if (!keeper->on_closed || keeper->is_busy || !keeper->is_timer_closed)
        return;
    void (*on_closed)(void *) = keeper->on_closed;
    void *user = keeper->closed_user;
    free(keeper);
    on_closed(user);
}

/* -- pins ----------------------------------------------------------------------------------------- */

void image_keeper_release(struct image_keeper *keeper, uint64_t owner)
{
    if (!keeper->is_busy) {
        image_pins_drop(keeper->directory->pins, owner);
        return;
    }
    struct owner *later = xcalloc(1, sizeof *later);
    *later = (struct owner){ keeper->owners, owner };
    keeper->owners = later;
}

static void release_all(struct image_keeper *keeper)
{
    for (struct owner *owner; (owner = keeper->owners);) {
        keeper->owners = owner->next;
        image_pins_drop(keeper->directory->pins, owner->number);
        free(owner);
    }
}

/* -- one look ------------------------------------------------------------------------------------- */

static void set_rules(const struct image_keeper *keeper, const struct ask *ask,
                      struct image_collect *collect)
{
    if (ask->done && !ask->wish.is_list)
        collect->rules[collect->rule_count++] = ask->wish.rule;
    if (ask->done)
        return;
    collect->rules[collect->rule_count++] = (struct gc_rule){ keeper->options.age_ms, 0 };
    collect->rules[collect->rule_count++] = (struct gc_rule){ 0, keeper->options.size_bytes };
}

/* Who asks for room gets that of pulls and imports which were broken off, too; what they might have
 * gone on with is fetched again.  Pulls under way have pinned what they need, but an import that is
 * being sent shows only in that something comes now and then. */
static void set_ages(const struct image_keeper *keeper, const struct ask *ask,
                     struct image_collect *collect)
{
    int64_t orphan_age_ms = keeper->options.orphan_age_ms, asked_ms = ask->wish.rule.age_ms;
    int64_t quiet_ms = orphan_age_ms < UPLOAD_QUIET_MS ? orphan_age_ms : UPLOAD_QUIET_MS;
    if (!ask->done || ask->wish.is_list || ask->wish.wanted_count > 0)
        return;
    collect->tree_age_ms = asked_ms < orphan_age_ms ? asked_ms : orphan_age_ms;
    collect->upload_quiet_ms = asked_ms > quiet_ms ? asked_ms : quiet_ms;
}

static void work(uv_work_t *request)
{
    struct image_keeper *keeper = request->data;
    const struct ask *ask = keeper->now;
    struct image_collect collect = {
        .directory = keeper->directory,
        .used = keeper->used,
        .used_count = keeper->used_count,
        .wanted = ask->wish.wanted,
        .wanted_count = ask->wish.wanted_count,
        .with_imported = ask->wish.with_imported,
        .is_dry = ask->wish.is_dry,
        .now_ms = wall_clock_ms(),
        .orphan_age_ms = keeper->options.orphan_age_ms,
        .tree_age_ms = keeper->options.orphan_age_ms,
        .upload_quiet_ms = INT64_MAX,
    };
    set_rules(keeper, ask, &collect);
    set_ages(keeper, ask, &collect);
    keeper->ok = image_collect(&collect, ask->arena, &keeper->result, &keeper->error);
}

static void take_next(struct image_keeper *keeper);

static void tell_log(const struct image_keeper *keeper)
{
    char bytes[32], left[32];
    if (!keeper->ok) {
        log_warning("could not tidy the image store", "reason", keeper->error.message);
        return;
    }
    for (size_t i = 0; i < keeper->result.image_count; i++)
        if (keeper->result.images[i].is_removed && !keeper->now->wish.is_dry)
            log_info("image removed", "digest", keeper->result.images[i].digest);
    if (keeper->result.freed_bytes <= 0 || keeper->now->wish.is_dry)
        return;
    snprintf(bytes, sizeof bytes, "%" PRId64, keeper->result.freed_bytes);
    snprintf(left, sizeof left, "%" PRId64, keeper->result.bytes);
    log_info("image store tidied", "freed_bytes", bytes, "left_bytes", left);
}

static void after_work(uv_work_t *request, int status)
{
    struct image_keeper *keeper = request->data;
    struct ask *ask = keeper->now;
    assert(status == 0);
    keeper->is_busy = false;
    release_all(keeper);
    tell_log(keeper);
    keeper->now = NULL;
    if (ask->done)
        ask->done(ask->user, keeper->ok ? &keeper->result : NULL,
                  keeper->ok ? NULL : &keeper->error);
    ask_free(ask);
    if (keeper->is_closing)
        finish_close(keeper);
    else
        take_next(keeper);
}

static void add_used(void *to, const char *digest)
{
    struct image_keeper *keeper = to;
    struct arena *arena = keeper->now->arena;
    size_t size = keeper->used_count * sizeof *keeper->used;
    keeper->used = arena_grow(arena, keeper->used, size, size + sizeof *keeper->used);
    keeper->used[keeper->used_count++] = arena_strdup(arena, digest);
}

static void take_next(struct image_keeper *keeper)
{
    if (keeper->is_busy || !keeper->first)
        return;
    struct ask *ask = keeper->now = keeper->first;
    keeper->first = ask->next;
    if (!keeper->first)
        keeper->last = &keeper->first;
    keeper->waiting--;
    keeper->used = arena_alloc(ask->arena, 0);
    keeper->used_count = 0;
    keeper->users(keeper->users_user, add_used, keeper);
    keeper->is_busy = true;
    keeper->work.data = keeper;
    int status = uv_queue_work(keeper->loop, &keeper->work, work, after_work);
    assert(status == 0);
}

/* -- asking --------------------------------------------------------------------------------------- */

static void add(struct image_keeper *keeper, const struct image_keeper_wish *wish,
                image_keeper_fn *done, void *user)
{
    struct ask *ask = xcalloc(1, sizeof *ask);
    ask->arena = arena_new();
    ask->wish = *wish;
    ask->done = done;
    ask->user = user;
    const char **wanted = arena_array(ask->arena, wish->wanted_count, sizeof *wanted);
    for (size_t i = 0; i < wish->wanted_count; i++)
        wanted[i] = arena_strdup(ask->arena, wish->wanted[i]);
    ask->wish.wanted = wanted;
    *keeper->last = ask;
    keeper->last = &ask->next;
    keeper->waiting++;
    take_next(keeper);
}

bool image_keeper_ask(struct image_keeper *keeper, const struct image_keeper_wish *wish,
                      image_keeper_fn *done, void *user, struct error *err)
{
    if (!keeper->users || keeper->is_closing)
        return error_set(err, ERROR_UNAVAILABLE, "the image store is not open");
    if (keeper->waiting >= IMAGE_KEEPER_MAX_WAITING)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "%d requests wait for the image store",
                         IMAGE_KEEPER_MAX_WAITING);
    add(keeper, wish, done, user);
    return true;
}

static void on_time(uv_timer_t *timer)
{
    struct image_keeper *keeper = timer->data;
    const struct image_keeper_wish wish = { 0 };
    if (keeper->waiting == 0)
        add(keeper, &wish, NULL, NULL);
    uv_timer_start(&keeper->timer, on_time, PERIOD_MS, 0);
}

void image_keeper_poke(struct image_keeper *keeper)
{
    if (keeper->users && !keeper->is_closing && uv_timer_get_due_in(&keeper->timer) > SOON_MS)
        uv_timer_start(&keeper->timer, on_time, SOON_MS, 0);
}

void image_keeper_start(struct image_keeper *keeper, image_users_fn *users, void *user)
{
    keeper->users = users;
    keeper->users_user = user;
    uv_timer_start(&keeper->timer, on_time, SOON_MS, 0);
}

/* -- opening and closing -------------------------------------------------------------------------- */

struct image_keeper *image_keeper_open(uv_loop_t *loop, const struct image_directory *directory,
                                       const struct image_keeper_options *options)
{
    struct image_keeper *keeper = xcalloc(1, sizeof *keeper);
    keeper->loop = loop;
    keeper->directory = directory;
    keeper->options = *options;
    keeper->last = &keeper->first;
    uv_timer_init(loop, &keeper->timer);
    keeper->timer.data = keeper;
    uv_unref((uv_handle_t *)&keeper->timer);
    return keeper;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct image_keeper *keeper = handle->data;
    keeper->is_timer_closed = true;
    finish_close(keeper);
}

void image_keeper_stop(struct image_keeper *keeper)
{
    struct error err = { 0 };
    error_set(&err, ERROR_CANCELLED, "the image store is closing");
    keeper->is_closing = true;
    for (struct ask *ask; (ask = keeper->first);) {
        keeper->first = ask->next;
        if (ask->done)
            ask->done(ask->user, NULL, &err);
        ask_free(ask);
    }
    uv_close((uv_handle_t *)&keeper->timer, on_timer_closed);
}

void image_keeper_close(struct image_keeper *keeper, void (*on_closed)(void *user), void *user)
{
    assert(keeper->is_closing);
    keeper->on_closed = on_closed;
    keeper->closed_user = user;
    finish_close(keeper);
}
