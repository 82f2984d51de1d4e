#include "client/dev/services.h"

#include <assert.h>

/* -- command lines -------------------------------------------------------------------------------- */

struct command {
    struct arena *arena;
    const struct dev_settings *settings;
    char **items;
    size_t count, capacity;
};

static void add_word(struct command *command, const char *word)
{
    if (command->count + 1 >= command->capacity) {
        size_t capacity = command->capacity ? 2 * command->capacity : 32;
        command->items = arena_grow(command->arena, command->items,
                                    command->capacity * sizeof(char *), capacity * sizeof(char *));
        command->capacity = capacity;
    }
    command->items[command->count++] = (char *)word;
}

/* Nothing when the value is NULL: the service's own default counts. */
static void add(struct command *command, const char *flag, const char *value)
{
    if (!value)
        return;
    add_word(command, flag);
    add_word(command, value);
}

static void add_list(struct command *command, const char *flag, const struct option_list *values)
{
    for (size_t i = 0; i < values->count; i++)
        add(command, flag, values->items[i]);
}

static void add_url(struct command *command, const char *flag, enum service_id id)
{
    add(command, flag, service_url(id, command->settings, command->arena));
}

static const char *cluster_url(const struct command *command)
{
    return arena_printf(command->arena, "ipc://%s/run/cluster.sock", command->settings->state_dir);
}

static const char *state_below(const struct command *command, const char *name)
{
    return arena_printf(command->arena, "%s/%s", command->settings->state_dir, name);
}

static void add_registry_flags(struct command *command)
{
    const struct flags *flags = command->settings->flags;
    add_list(command, "--clusters", &flags->clusters);
    add(command, "--docker-config", flags->docker_config);
    add(command, "--netrc", flags->netrc);
    add(command, "--certs-dir", flags->certs_dir);
    add_list(command, "--insecure-registry", &flags->insecure_registry);
}

static void add_scheduler(struct command *command)
{
    add_url(command, "--listen", SERVICE_SCHEDULER);
    add(command, "--listen-cluster", cluster_url(command));
    add(command, "--state-dir", state_below(command, "scheduler"));
    add(command, "--cluster", command->settings->cluster);
    /* Who starts a cluster of his own may do all this anyway. */
    add_word(command, "--allow-docker-parameters");
    add_word(command, "--allow-container-volumes");
}

static void add_config(struct command *command)
{
    add_url(command, "--listen", SERVICE_CONFIG);
}

static void add_binder(struct command *command)
{
    add_url(command, "--listen", SERVICE_BINDER);
    add_registry_flags(command);
}

static void add_launcher(struct command *command)
{
    const struct dev_settings *settings = command->settings;
    add(command, "--scheduler", cluster_url(command));
    add_url(command, "--listen", SERVICE_LAUNCHER);
    add(command, "--state-dir", state_below(command, "launcher"));
    add(command, "--cluster", settings->cluster);
    add(command, "--docker-socket", settings->flags->docker_socket);
    add(command, "--isolation", settings->flags->isolation);
    add(command, "--appc-simple-discovery-uri-prefix", settings->flags->appc_prefix);
    add_registry_flags(command);
}

static void add_gateway(struct command *command)
{
    add(command, "--http", command->settings->http);
    add_url(command, "--config", SERVICE_CONFIG);
    add_url(command, "--binder", SERVICE_BINDER);
    add_url(command, "--scheduler", SERVICE_SCHEDULER);
    add(command, "--cluster", command->settings->cluster);
    add(command, "--token-file", command->settings->flags->token_file);
}

/* -- the table ------------------------------------------------------------------------------------ */

static const struct service {
    const char *name;
    enum colour colour;
    bool has_socket;
    void (*add_flags)(struct command *command);
} services[SERVICE_COUNT] = {
    // clang-format off
    [SERVICE_SCHEDULER] = { "scheduler", COLOUR_BLUE,    true,  add_scheduler },
    [SERVICE_CONFIG]    = { "config",    COLOUR_MAGENTA, true,  add_config },
    [SERVICE_BINDER]    = { "binder",    COLOUR_CYAN,    true,  add_binder },
    [SERVICE_LAUNCHER]  = { "launcher",  COLOUR_YELLOW,  true,  add_launcher },
    [SERVICE_GATEWAY]   = { "gateway",   COLOUR_GREEN,   false, add_gateway },
    // clang-format on
};

const char *service_name(enum service_id id)
{
    assert(id < SERVICE_COUNT);
    return services[id].name;
}

enum colour service_colour(enum service_id id)
{
    assert(id < SERVICE_COUNT);
    return services[id].colour;
}

enum service_id service_stop_order(size_t at)
{
    static const enum service_id order[SERVICE_COUNT] = { SERVICE_GATEWAY, SERVICE_LAUNCHER,
                                                          SERVICE_BINDER, SERVICE_CONFIG,
                                                          SERVICE_SCHEDULER };
    assert(at < SERVICE_COUNT);
    return order[at];
}

const char *service_url(enum service_id id, const struct dev_settings *settings,
                        struct arena *arena)
{
    assert(id < SERVICE_COUNT);
    if (!services[id].has_socket)
        return NULL;
    return arena_printf(arena, "ipc://%s/run/%s.sock", settings->state_dir, services[id].name);
}

bool service_is_in_use(const char *sentence)
{
    static const char *const words[] = { " in use", "another launcher uses",
                                         "another process uses" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(sentence, words[i]))
            return true;
    return false;
}

char **service_command(enum service_id id, const struct dev_settings *settings, struct arena *arena)
{
    assert(id < SERVICE_COUNT);
    struct command command = { .arena = arena, .settings = settings };
    add_word(&command, arena_printf(arena, "%s/eos-%s", settings->bin, services[id].name));
    services[id].add_flags(&command);
    add(&command, "--drain-timeout", arena_printf(arena, "%dms", SERVICE_DRAIN_MS));
    add(&command, "--log-level", settings->flags->log_level);
    command.items[command.count] = NULL;
    return command.items;
}
