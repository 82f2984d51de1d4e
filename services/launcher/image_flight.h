#pragma once

#include "launcher/image_fill.h"

#include <uv.h>

/* Archives on their way into the store: one flight for each, however many wait for it, and at most
 * IMAGE_MAX_UNPACKING of them at a time; the others queue.  A flight ends when nobody waits for it.
 *
 * Each has three threads of its own, since they wait for the network, and buffers of 3 MB. */
#define IMAGE_MAX_UNPACKING 4

struct image_flights;
struct image_seat; /* one that waits */

struct image_flight_result {
    const char *digest;      /* of the archive; NULL when it failed */
    const struct error *err; /* NULL when it did not */
    bool is_registrys;       /* the error is the registry's, and names it */
    bool is_of_other_source; /* another's registry failed; one's own may not */
};
typedef void image_seat_fn(void *user, const struct image_flight_result *result);

/* Everything is borrowed. */
struct image_flights *image_flights_open(uv_loop_t *loop, const struct image_directory *directory,
                                         struct registry_client *registry,
                                         const struct image_places *places);

/* Everybody has left.  `on_closed` runs when the last worker has ended, perhaps at once. */
void image_flights_close(struct image_flights *flights, void (*on_closed)(void *user), void *user);

/* Calls `done` exactly once, later, unless image_seat_leave() comes first. */
struct image_seat *image_flight_join(struct image_flights *flights, const struct image_need *need,
                                     image_seat_fn *done, void *user);
void image_seat_leave(struct image_seat *seat);

/* Bytes that have come from the registry so far. */
int64_t image_seat_received(const struct image_seat *seat);
