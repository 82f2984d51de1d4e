#include "base/cleanup.h"
#include "conformance/conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

/* One case: its inputs as flags of `eos config compile`. */

#define MAX_ARGUMENTS 200

extern char **environ;

struct command {
    char *items[MAX_ARGUMENTS];
    size_t count;
};

static void add(struct command *command, const char *text)
{
    if (command->count + 1 < MAX_ARGUMENTS)
        command->items[command->count++] = strdup(text);
}

static void add_pair(struct command *command, const char *flag, const char *name, const char *value)
{
    struct text text = TEXT_INIT;
    text_printf(&text, "%s=%s", name, value);
    add(command, flag);
    add(command, text.ptr);
    text_done(&text);
}

static void add_selector(struct command *command, json_t *select)
{
    static const char *const parts[] = { "cluster", "role", "env", "name" };
    struct text text = TEXT_INIT;
    if (!select)
        return;
    for (size_t i = 0; i < 4; i++) {
        const char *part = json_string_value(json_object_get(select, parts[i]));
        text_printf(&text, "%s%s", i ? "/" : "", part ? part : "");
    }
    add(command, "--select");
    add(command, text.ptr);
    text_done(&text);
}

static void add_instances(struct command *command, json_t *instances)
{
    struct text text = TEXT_INIT;
    size_t i;
    json_t *item;
    json_array_foreach(instances, i, item)
        text_printf(&text, "%s%.0f", i ? "," : "", json_number_value(item));
    if (text.len) {
        add(command, "--instances");
        add(command, text.ptr);
    }
    text_done(&text);
}

static void add_inputs(struct command *command, json_t *args)
{
    const char *name;
    size_t i;
    json_t *item;
    add_selector(command, json_object_get(args, "select"));
    json_array_foreach(json_object_get(args, "bind"), i, item)
    {
        add(command, "--bind");
        add(command, json_string_value(item));
    }
    json_object_foreach(json_object_get(args, "environ"), name, item)
        add_pair(command, "--env", name, json_string_value(item));
    if (json_is_true(json_object_get(args, "json")))
        add(command, "--json");
    if (json_is_false(json_object_get(args, "tier_backfill")))
        add(command, "--no-tier-backfill");
    add_instances(command, json_object_get(args, "instances"));
}

static json_t *load(const char *name, const char *suffix, struct text *why)
{
    struct text path = TEXT_INIT;
    json_error_t error;
    text_printf(&path, "%s%s", name, suffix);
    json_t *json = json_load_file(path.ptr, CASE_JSON, &error);
    if (!json)
        text_printf(why, "could not read %s: %s", path.ptr, error.text);
    text_done(&path);
    return json;
}

json_t *case_expected(const char *name, struct text *why)
{
    return load(name, ".expected.json", why);
}

static void build_command(struct command *command, const char *program, const char *name)
{
    struct text path = TEXT_INIT, unused = TEXT_INIT;
    add(command, program);
    add(command, "config");
    add(command, "compile");
    text_printf(&path, "%s.aurora", name);
    add(command, path.ptr);
    static const char *const fixed[] = {
        "--user", "tester", "--allow-read", ".", "--output", "json"
    };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        add(command, fixed[i]);
    json_t *args = load(name, ".args", &unused);
    add_inputs(command, args);
    json_decref(args);
    text_done(&path);
    text_done(&unused);
}

static bool read_all(int fd, struct text *out)
{
    for (;;) {
        text_reserve(out, 65536);
        ssize_t got = read(fd, out->ptr + out->len, 65536);
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        out->len += got > 0 ? (size_t)got : 0;
    }
}

/* The program's standard output; its messages for people are dropped. */
static bool run(char **argv, struct text *out)
{
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int status = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    bool is_read = status == 0 && read_all(ends[0], out);
    close(ends[0]);
    if (status == 0)
        waitpid(pid, &status, 0);
    return is_read;
}

json_t *case_compile(const char *program, const char *name, struct text *why)
{
    struct command command = { 0 };
    struct text out = TEXT_INIT;
    json_error_t error;
    json_t *json = NULL;
    build_command(&command, program, name);
    command.items[command.count] = NULL;
    if (!run(command.items, &out))
        text_printf(why, "could not run %s", program);
    else if (!(json = json_loadb(out.ptr, out.len, CASE_JSON, &error)))
        text_printf(why, "the answer is not JSON: %s", error.text);
    for (size_t i = 0; i < command.count; i++)
        free(command.items[i]);
    text_done(&out);
    return json;
}
