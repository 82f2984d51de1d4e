#include "binder/job_images.h"
#include "binder/template.h"

#include <assert.h>

/* A string of a job with templates in it, up to the job that is bound. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bind(Eos__Job__V1__JobConfiguration *job, struct arena *arena)
{
    static const struct insecure_hosts insecure = { NULL, 0 };
    static const struct image_context context = { "https://registry.example", NULL, &insecure, NULL,
                                                  NULL };
    struct job_images images;
    struct error err;
    if (!job_images_collect(&context, job, JOB_PIN_TAGS, arena, &images, &err))
        return;
    for (size_t i = 0; i < images.count; i++)
        images.items[i].finding = (struct finding){ "sha256:0", "", "", "", "", "", 0, 0 };
    job_images_apply(&images, job, arena);
    for (size_t i = 0; i < images.count; i++)
        assert(image_binding(&images.items[i], arena)->digest[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Eos__Job__V1__JobConfiguration job = EOS__JOB__V1__JOB_CONFIGURATION__INIT;
    Eos__Job__V1__TaskConfig task = EOS__JOB__V1__TASK_CONFIG__INIT;
    Eos__Job__V1__Container container = EOS__JOB__V1__CONTAINER__INIT;
    Eos__Job__V1__DockerContainer engine = EOS__JOB__V1__DOCKER_CONTAINER__INIT;
    struct arena *arena = arena_new();
    char *text = arena_memdup0(arena, data, size);
    struct image_template template;
    size_t at = 0;

    job.task_config = &task;
    task.executor_data = text;
    task.container = &container;
    container.container_case = EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER;
    container.docker = &engine;
    engine.image = arena_strdup(arena, text);
    bind(&job, arena);
    while (template_next(slice_of(text), &at, &template))
        assert(template.name.len > 0 && template.tag.len > 0 && at <= strlen(text));
    arena_free(arena);
    return 0;
}
