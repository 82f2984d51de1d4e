#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What may not be removed from the store just now: the files and layers that pulls under way have seen
 * or are about to make.  Workers and the loop use it at the same time.
 *
 * A pull pins a name before it looks whether it is there.  Who removes does so under the same lock.
 * So a pull either finds what it has pinned, or knows that it has to fetch it. */
struct image_pins;

struct image_pins *image_pins_new(void) __attribute__((returns_nonnull));
void image_pins_free(struct image_pins *pins); /* NULL is a no-op */

/* For a pull; never the same again. */
uint64_t image_pins_new_owner(struct image_pins *pins);

/* `folder` is one of enum image_folder.  Again by the same owner has no effect. */
void image_pins_add(struct image_pins *pins, uint64_t owner, int folder, const char *name);

/* Lets go of all that the owner has pinned. */
void image_pins_drop(struct image_pins *pins, uint64_t owner);

bool image_pins_has(struct image_pins *pins, int folder, const char *name);

/* Calls `remove` unless the name is pinned, and nobody can pin it meanwhile.  False: it is pinned. */
bool image_pins_remove(struct image_pins *pins, int folder, const char *name,
                       void (*remove)(void *user), void *user);
