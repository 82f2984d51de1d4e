#include "launcher/image_pins.h"

#include "base/alloc.h"
#include "base/map.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* One owner's pin of one name. */
struct pin {
    struct pin *next;
    uint64_t owner;
};

struct pinned {
    struct pin *pins; /* one at least */
};

struct image_pins {
    pthread_mutex_t mutex;
    struct map *by_name; /* struct pinned */
    uint64_t last_owner;
};

#define KEY_MAX_BYTES 256

static struct slice key_of(int folder, const char *name, char bytes[KEY_MAX_BYTES])
{
    int len = snprintf(bytes, KEY_MAX_BYTES, "%d/%s", folder, name);
    assert(len > 0 && len < KEY_MAX_BYTES);
    return (struct slice){ bytes, (size_t)len };
}

static void lock(struct image_pins *pins)
{
    int status = pthread_mutex_lock(&pins->mutex);
    assert(status == 0);
}

static void unlock(struct image_pins *pins)
{
    int status = pthread_mutex_unlock(&pins->mutex);
    assert(status == 0);
}

struct image_pins *image_pins_new(void)
{
    struct image_pins *pins = xcalloc(1, sizeof *pins);
    int status = pthread_mutex_init(&pins->mutex, NULL);
    assert(status == 0);
    pins->by_name = map_new();
    return pins;
}

void image_pins_free(struct image_pins *pins)
{
    if (!pins)
        return;
    assert(map_count(pins->by_name) == 0);
    map_free(pins->by_name);
    pthread_mutex_destroy(&pins->mutex);
    free(pins);
}

uint64_t image_pins_new_owner(struct image_pins *pins)
{
    lock(pins);
    uint64_t owner = ++pins->last_owner;
    unlock(pins);
    return owner;
}

static bool has_owner(const struct pinned *pinned, uint64_t owner)
{
    const struct pin *pin = pinned->pins;
    while (pin && pin->owner != owner)
        pin = pin->next;
    return pin;
}

static struct pinned *find_or_make(struct image_pins *pins, struct slice key)
{
    struct pinned *pinned = map_get(pins->by_name, key);
    if (pinned)
        return pinned;
    pinned = xcalloc(1, sizeof *pinned);
    map_put(pins->by_name, key, pinned);
    return pinned;
}

void image_pins_add(struct image_pins *pins, uint64_t owner, int folder, const char *name)
{
    char bytes[KEY_MAX_BYTES];
    lock(pins);
    struct pinned *pinned = find_or_make(pins, key_of(folder, name, bytes));
    if (!has_owner(pinned, owner)) {
        struct pin *pin = xcalloc(1, sizeof *pin);
        *pin = (struct pin){ pinned->pins, owner };
        pinned->pins = pin;
    }
    unlock(pins);
}

static void remove_owner(struct pinned *pinned, uint64_t owner)
{
    struct pin **at = &pinned->pins;
    while (*at && (*at)->owner != owner)
        at = &(*at)->next;
    struct pin *gone = *at;
    if (gone)
        *at = gone->next;
    free(gone);
}

/* All names are looked at: thousands at most, once at the end of a pull. */
void image_pins_drop(struct image_pins *pins, uint64_t owner)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    lock(pins);
    while (map_next(pins->by_name, &cursor, &key, &value)) {
        struct pinned *pinned = value;
        remove_owner(pinned, owner);
        if (pinned->pins)
            continue;
        map_remove(pins->by_name, key);
        free(pinned);
    }
    unlock(pins);
}

bool image_pins_has(struct image_pins *pins, int folder, const char *name)
{
    char bytes[KEY_MAX_BYTES];
    lock(pins);
    bool has = map_get(pins->by_name, key_of(folder, name, bytes));
    unlock(pins);
    return has;
}

bool image_pins_remove(struct image_pins *pins, int folder, const char *name,
                       void (*remove)(void *user), void *user)
{
    char bytes[KEY_MAX_BYTES];
    lock(pins);
    bool is_free = !map_get(pins->by_name, key_of(folder, name, bytes));
    if (is_free)
        remove(user);
    unlock(pins);
    return is_free;
}
