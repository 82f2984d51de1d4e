#include "registry/fetch_state.h"

#include "base/alloc.h"
#include "base/map.h"

#include <assert.h>

/* Many fetches of one repository begin at the same time and learn at the same time that they need a
 * token.  One of them gets it. */
struct fetch_queue {
    char *key;
    struct fetch *leader; /* NULL: it has gone, and the others are being told */
    struct fetch *first, **last;
};

static struct fetch *take_first(struct fetch_queue *queue)
{
    struct fetch *fetch = queue->first;
    if (!fetch)
        return NULL;
    queue->first = fetch->next_in_queue;
    if (!queue->first)
        queue->last = &queue->first;
    fetch->queue = NULL;
    fetch->next_in_queue = NULL;
    return fetch;
}

static void append(struct fetch_queue *queue, struct fetch *fetch)
{
    fetch->queue = queue;
    fetch->next_in_queue = NULL;
    *queue->last = fetch;
    queue->last = &fetch->next_in_queue;
}

static void remove_from(struct fetch_queue *queue, struct fetch *fetch)
{
    struct fetch **at = &queue->first;
    while (*at != fetch)
        at = &(*at)->next_in_queue;
    *at = fetch->next_in_queue;
    if (queue->last == &fetch->next_in_queue)
        queue->last = at;
    fetch->queue = NULL;
    fetch->next_in_queue = NULL;
}

static void queue_free(struct fetch_queue *queue)
{
    free(queue->key);
    free(queue);
}

bool fetch_queue_lead(struct fetch *fetch)
{
    struct map *queues = fetch->client->queues;
    if (fetch->queue)
        return true;
    char *key = xasprintf("%s %s", fetch->request.base_url, fetch->request.repository);
    struct fetch_queue *queue = map_get(queues, slice_of(key));
    if (queue) {
        free(key);
        append(queue, fetch);
        return false;
    }
    queue = xcalloc(1, sizeof *queue);
    queue->key = key;
    queue->leader = fetch;
    queue->last = &queue->first;
    fetch->queue = queue;
    map_put(queues, slice_of(key), queue);
    return true;
}

bool fetch_queue_is_led_by(const struct fetch *fetch)
{
    return fetch->queue && fetch->queue->leader == fetch;
}

/* From here on a fetch that asks for the same begins a queue of its own. */
static struct fetch_queue *detach(struct fetch *fetch)
{
    struct fetch_queue *queue = fetch->queue;
    assert(queue->leader == fetch);
    map_remove(fetch->client->queues, slice_of(queue->key));
    queue->leader = NULL;
    fetch->queue = NULL;
    return queue;
}

void fetch_queue_granted(struct fetch *fetch)
{
    struct fetch_queue *queue = detach(fetch);
    struct fetch *next;
    fetch_send(fetch);
    while ((next = take_first(queue)))
        fetch_send(next);
    queue_free(queue);
}

/* What is told may cancel others: those leave the queue by themselves, and their memory lives on until
 * the loop turns. */
void fetch_queue_refused(struct fetch *fetch, const struct error *err)
{
    struct fetch_queue *queue = detach(fetch);
    struct error copy = *err;
    struct fetch *next;
    fetch_finish(fetch, &copy);
    while ((next = take_first(queue)))
        fetch_finish(next, &copy);
    queue_free(queue);
}

void fetch_queue_leave(struct fetch *fetch)
{
    struct fetch_queue *queue = fetch->queue;
    if (!queue)
        return;
    if (queue->leader != fetch) {
        remove_from(queue, fetch);
        return;
    }
    fetch->queue = NULL;
    queue->leader = take_first(queue);
    if (queue->leader) {
        queue->leader->queue = queue;
        fetch_wake(queue->leader);
    } else {
        map_remove(fetch->client->queues, slice_of(queue->key));
        queue_free(queue);
    }
}
