#include "client/image_use.h"

#include "client/output.h"
#include "json/message_json.h"

#include <assert.h>

typedef Eos__Job__V1__ImageBinding binding_message;
typedef Eos__Job__V1__ScheduledTask task_message;
typedef Eos__Job__V1__Container container_message;

/* -- what runs ------------------------------------------------------------------------------------ */

/* A bound reference may stand anywhere in a task: its digest is what to look for. */
static bool mentions(const task_message *task, const char *digest)
{
    struct text json = TEXT_INIT;
    if (!task->assigned_task || !task->assigned_task->task)
        return false;
    message_to_json(&task->assigned_task->task->base, &json);
    bool is_there = strstr(text_string(&json), digest) != NULL;
    text_done(&json);
    return is_there;
}

static struct image_use use_of_binding(const binding_message *binding, task_message *const *tasks,
                                       size_t task_count)
{
    struct image_use use = { .binding = binding,
                             .reference = binding->reference,
                             .state = binding->tag[0] ? IMAGE_CURRENT : IMAGE_FIXED,
                             .now = binding->tag[0] ? "" : binding->digest };
    for (size_t i = 0; binding->digest[0] && i < task_count; i++)
        use.instances += mentions(tasks[i], binding->digest);
    return use;
}

/* The tag that a container names; NULL when it names none. */
static const char *tag_of(const task_message *task, struct arena *arena)
{
    const container_message *container = task->assigned_task && task->assigned_task->task
                                             ? task->assigned_task->task->container
                                             : NULL;
    if (!container)
        return NULL;
    if (container->container_case == EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER)
        return strchr(container->docker->image, '@') ? NULL : container->docker->image;
    if (container->container_case != EOS__JOB__V1__CONTAINER__CONTAINER_MESOS ||
        !container->mesos->image ||
        container->mesos->image->image_case != EOS__JOB__V1__IMAGE__IMAGE_DOCKER)
        return NULL;
    const Eos__Job__V1__DockerImage *image = container->mesos->image->docker;
    if (strchr(image->tag, ':') || strchr(image->name, '@'))
        return NULL;
    return arena_printf(arena, "%s%s%s", image->name, image->tag[0] ? ":" : "", image->tag);
}

static void count_tag(const char *tag, struct image_use *uses, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (!uses[i].binding && strcmp(uses[i].reference, tag) == 0) {
            uses[i].instances++;
            return;
        }
    uses[(*count)++] =
        (struct image_use){ .reference = tag, .instances = 1, .state = IMAGE_UNPINNED, .now = "" };
}

struct image_use *image_uses(binding_message *const *bindings, size_t binding_count,
                             task_message *const *tasks, size_t task_count, struct arena *arena,
                             size_t *ret_count)
{
    struct image_use *uses = arena_array(arena, binding_count + task_count, sizeof *uses);
    size_t count = 0;
    for (size_t i = 0; i < binding_count; i++) {
        struct image_use use = use_of_binding(bindings[i], tasks, task_count);
        if (use.instances > 0)
            uses[count++] = use;
    }
    for (size_t i = 0; i < task_count; i++) {
        const char *tag = tag_of(tasks[i], arena);
        if (tag)
            count_tag(tag, uses, &count);
    }
    *ret_count = count;
    return uses;
}

/* -- asking again --------------------------------------------------------------------------------- */

/* A host without a dot or port would be taken for the first part of a repository. */
char *image_tag_reference(const binding_message *binding, struct arena *arena)
{
    const char *behind = strstr(binding->registry, "://");
    const char *host = behind ? behind + 3 : binding->registry;
    int len = (int)strcspn(host, "/");
    bool is_plain = strncmp(binding->registry, "http:", 5) == 0;
    bool is_clear = memchr(host, '.', (size_t)len) || memchr(host, ':', (size_t)len);
    return arena_printf(arena, "%.*s%s/%s:%s", len, host,
                        is_clear   ? ""
                        : is_plain ? ":80"
                                   : ":443",
                        binding->repository, binding->tag);
}

bool image_is_outdated(const struct image_use *use)
{
    return use->state == IMAGE_MOVED || use->state == IMAGE_GONE;
}

/* -- telling -------------------------------------------------------------------------------------- */

static const char *const state_names[IMAGE_STATE_COUNT] = {
    [IMAGE_CURRENT] = "current", [IMAGE_MOVED] = "moved",       [IMAGE_GONE] = "gone",
    [IMAGE_FIXED] = "fixed",     [IMAGE_UNPINNED] = "unpinned",
};

void image_uses_add(struct text *out, const struct image_use *uses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!image_is_outdated(&uses[i]))
            continue;
        output_add_printable(out, uses[i].reference);
        text_printf(out, " (%zu instance%s)\n  runs: ", uses[i].instances,
                    uses[i].instances == 1 ? "" : "s");
        output_add_printable(out, uses[i].binding->digest);
        text_add(out, "\n  now:  ");
        output_add_printable(out, uses[i].state == IMAGE_GONE ? "there is no such tag any more"
                                                              : uses[i].now);
        text_add_char(out, '\n');
    }
}

static void add_member(struct text *out, const char *name, const char *value)
{
    text_printf(out, ", \"%s\": ", name);
    text_add_json_string(out, slice_of(value));
}

void image_uses_add_json(struct text *out, const struct image_use *uses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct image_use *use = &uses[i];
        assert(use->state < IMAGE_STATE_COUNT);
        text_printf(out, "%s\n  {\"state\": \"%s\", \"instances\": %zu", i > 0 ? "," : "",
                    state_names[use->state], use->instances);
        add_member(out, "reference", use->reference);
        add_member(out, "registry", use->binding ? use->binding->registry : "");
        add_member(out, "repository", use->binding ? use->binding->repository : "");
        add_member(out, "tag", use->binding ? use->binding->tag : "");
        add_member(out, "digest", use->binding ? use->binding->digest : "");
        add_member(out, "now", use->now);
        text_add_char(out, '}');
    }
}
