#include "executor/environment.h"

#include <string.h>

/* The last one of a name wins, as in a shell. */
static bool is_overridden(const Eos__Executor__V1__TaskPlan *plan, const char *name, size_t from)
{
    for (size_t i = from; i < plan->n_environment; i++)
        if (strcmp(plan->environment[i]->name, name) == 0)
            return true;
    return false;
}

struct builder {
    const Eos__Executor__V1__TaskPlan *plan;
    struct arena *arena;
    char **items;
    size_t count;
};

static void add_default(struct builder *builder, const char *name, const char *value)
{
    if (value && value[0] && !is_overridden(builder->plan, name, 0))
        builder->items[builder->count++] = arena_printf(builder->arena, "%s=%s", name, value);
}

char **environment_make(const Eos__Executor__V1__TaskPlan *plan, const char *path, bool has_profile,
                        struct arena *arena)
{
    struct builder builder = { plan, arena,
                               arena_array(arena, plan->n_environment + 6, sizeof(char *)), 0 };
    const char *user = plan->user ? plan->user->name : NULL;

    add_default(&builder, "HOME", plan->sandbox);
    add_default(&builder, "LOGNAME", user);
    add_default(&builder, "USER", user);
    add_default(&builder, "PATH", path);
    if (has_profile)
        add_default(&builder, "BASH_ENV",
                    arena_printf(arena, "%s/" ENVIRONMENT_PROFILE, plan->sandbox));
    for (size_t i = 0; i < plan->n_environment; i++) {
        const Eos__Executor__V1__Variable *variable = plan->environment[i];
        if (!is_overridden(plan, variable->name, i + 1))
            builder.items[builder.count++] =
                arena_printf(arena, "%s=%s", variable->name, variable->value);
    }
    builder.items[builder.count] = NULL;
    return builder.items;
}
