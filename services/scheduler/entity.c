#include "scheduler/entity.h"

void change_list_init(struct change_list *list)
{
    *list = (struct change_list){ 0 };
    list->last = &list->first;
}

void change_list_add(struct change_list *list, struct entity *entity)
{
    if (entity->is_changed)
        return;
    entity->is_changed = true;
    entity->next_change = NULL;
    *list->last = entity;
    list->last = &entity->next_change;
    list->count++;
}

struct entity *change_list_take(struct change_list *list)
{
    struct entity *entity = list->first;
    if (!entity)
        return NULL;
    list->first = entity->next_change;
    if (!list->first)
        list->last = &list->first;
    list->count--;
    entity->is_changed = false;
    return entity;
}
