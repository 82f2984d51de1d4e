#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is kept on disk, one record each.  The numbers are part of the store's format, and records are
 * loaded in their order. */
enum entity_kind {
    ENTITY_CONFIG = 1,
    ENTITY_JOB = 2,
    ENTITY_HOST = 3,
    ENTITY_TASK = 4,
    ENTITY_REQUEST = 5,
    ENTITY_KIND_COUNT
};

/* The first member of everything that has a record. */
struct entity {
    enum entity_kind kind;
    bool is_changed; /* it is in the list of changes */
    bool is_deleted; /* gone from all indexes; freed when its deletion has been written down */
    struct entity *next_change;
};

/* Entities that differ from what is on disk, in the order of their first change. */
struct change_list {
    struct entity *first, **last;
    size_t count;
};

void change_list_init(struct change_list *list);
void change_list_add(struct change_list *list, struct entity *entity);
struct entity *change_list_take(struct change_list *list); /* NULL: empty */

/* Frees an entity of any kind (state.c knows them all). */
void entity_free(void *entity);
