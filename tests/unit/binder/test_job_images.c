#include "binder/job_images.h"
#include "unit/test.h"

#include "base/text.h"

#define D1       "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define TEMPLATE "{{docker.image[a/b][1]}}"
#define BOUND    "h.x/a/b@" D1

static const struct insecure_hosts insecure = { NULL, 0 };
static struct error unknown = { .code = ERROR_NOT_FOUND, .message = "Unknown cluster: x" };
static const struct image_context context = { "https://h.x", &unknown, &insecure, NULL, NULL };

/* A job with everything that may hold a string, out of which a test fills what it needs. */
struct job {
    Eos__Job__V1__JobConfiguration job;
    Eos__Job__V1__TaskConfig task;
    Eos__Job__V1__Container container;
    Eos__Job__V1__DockerContainer engine;
    Eos__Job__V1__DockerParameter parameter, *parameters[1];
    Eos__Job__V1__MesosContainer mesos;
    Eos__Job__V1__Image image;
    Eos__Job__V1__DockerImage native;
    Eos__Job__V1__Constraint constraint, *constraints[1];
    Eos__Job__V1__ValueConstraint value;
    char *values[2];
};

static void job_init(struct job *job)
{
    eos__job__v1__job_configuration__init(&job->job);
    eos__job__v1__task_config__init(&job->task);
    eos__job__v1__container__init(&job->container);
    eos__job__v1__docker_container__init(&job->engine);
    eos__job__v1__docker_parameter__init(&job->parameter);
    eos__job__v1__mesos_container__init(&job->mesos);
    eos__job__v1__image__init(&job->image);
    eos__job__v1__docker_image__init(&job->native);
    eos__job__v1__constraint__init(&job->constraint);
    eos__job__v1__value_constraint__init(&job->value);
    job->job.task_config = &job->task;
    job->task.container = &job->container;
}

static void use_engine(struct job *job, const char *image)
{
    job->container.container_case = EOS__JOB__V1__CONTAINER__CONTAINER_DOCKER;
    job->container.docker = &job->engine;
    job->engine.image = (char *)image;
}

static void use_native(struct job *job, const char *name, const char *tag)
{
    job->container.container_case = EOS__JOB__V1__CONTAINER__CONTAINER_MESOS;
    job->container.mesos = &job->mesos;
    job->mesos.image = &job->image;
    job->image.image_case = EOS__JOB__V1__IMAGE__IMAGE_DOCKER;
    job->image.docker = &job->native;
    job->native.name = (char *)name;
    job->native.tag = (char *)tag;
}

/* Collects, gives every image the digest D1, applies. */
static bool bind(struct job *job, enum job_pinning pinning, struct arena *arena, size_t *ret_count,
                 struct error *err)
{
    struct job_images images;
    if (!job_images_collect(&context, &job->job, pinning, arena, &images, err))
        return false;
    for (size_t i = 0; i < images.count; i++)
        images.items[i].finding = (struct finding){ D1, "type", "", "anonymous", "", "", 1, 2 };
    job_images_apply(&images, &job->job, arena);
    *ret_count = images.count;
    return true;
}

static const struct engine_case {
    const char *name; /* the image before */
    enum job_pinning pinning;
    const char *after;
    size_t count;
} engine_cases[] = {
    { TEMPLATE, JOB_TEMPLATES_ONLY, BOUND, 1 },
    { TEMPLATE, JOB_PIN_TAGS, BOUND, 1 },
    { "i.y/a:1", JOB_TEMPLATES_ONLY, "i.y/a:1", 0 },
    { "i.y/a:1", JOB_PIN_TAGS, "i.y/a@" D1, 1 },
    { "i.y/a@" D1, JOB_PIN_TAGS, "i.y/a@" D1, 0 },
    { "x" TEMPLATE "y" TEMPLATE, JOB_TEMPLATES_ONLY, "x" BOUND "y" BOUND, 1 },
    { "{{docker.image[a]}}", JOB_TEMPLATES_ONLY, "{{docker.image[a]}}", 0 },
};

static void engine_image_is_bound(void **state)
{
    const struct engine_case *c = *state;
    struct arena *arena = arena_new();
    struct job job;
    struct error err;
    size_t count = 0;
    job_init(&job);
    use_engine(&job, c->name);
    assert_true(bind(&job, c->pinning, arena, &count, &err));
    assert_string_equal(job.engine.image, c->after);
    assert_int_equal(count, c->count);
    arena_free(arena);
}

static const struct native_case {
    const char *name; /* the name before */
    const char *tag;
    enum job_pinning pinning;
    const char *name_after, *tag_after;
    size_t count;
} native_cases[] = {
    { TEMPLATE, "", JOB_TEMPLATES_ONLY, "h.x/a/b", D1, 1 },
    { TEMPLATE, "x", JOB_PIN_TAGS, "h.x/a/b", D1, 1 },
    { "a/b", "1", JOB_TEMPLATES_ONLY, "a/b", "1", 0 },
    { "a/b", "1", JOB_PIN_TAGS, "a/b", D1, 1 },
    { "a/b", "", JOB_PIN_TAGS, "a/b", D1, 1 },
    { "i.y/a/b", "1", JOB_PIN_TAGS, "i.y/a/b", D1, 1 },
    { "a/b", D1, JOB_PIN_TAGS, "a/b", D1, 0 },
    { "a/b@" D1, "", JOB_PIN_TAGS, "a/b", D1, 0 },
    { "a/b:1", "", JOB_PIN_TAGS, "a/b", D1, 1 },
    { "i.y:5000/a/b:1", "", JOB_PIN_TAGS, "i.y:5000/a/b", D1, 1 },
    { "no Name", "x", JOB_TEMPLATES_ONLY, "no Name", "x", 0 },
};

static void native_image_is_bound(void **state)
{
    const struct native_case *c = *state;
    struct arena *arena = arena_new();
    struct job job;
    struct error err;
    size_t count = 0;
    job_init(&job);
    use_native(&job, c->name, c->tag);
    assert_true(bind(&job, c->pinning, arena, &count, &err));
    assert_string_equal(job.native.name, c->name_after);
    assert_string_equal(job.native.tag, c->tag_after);
    assert_int_equal(count, c->count);
    arena_free(arena);
}

/* -- where images must be signed ------------------------------------------------------------------ */

#define D2 "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static const struct policy_rule rules[] = { { "h.x/a/", "h.x/a/", { NULL, 0 } } };
static const struct policy policy = { rules, 1 };
static const struct image_context strict = { "https://h.x", &unknown, &insecure, &policy, NULL };

static const struct rule_case {
    const char *name; /* the image before */
    const char *tag;  /* NULL: of the engine */
    const char *after, *tag_after;
    size_t count;
    const char *message; /* of the error; NULL: none */
} rule_cases[] = {
    { TEMPLATE, NULL, BOUND, NULL, 1, NULL },
    { "h.x/a/b:1", NULL, "h.x/a/b@" D1, NULL, 1, NULL },
    { "h.x/a/b", NULL, "h.x/a/b@" D1, NULL, 1, NULL },
    { "h.x/a/b@" D1, NULL, "h.x/a/b@" D1, NULL, 1, NULL },
    { "h.x/a/b:1@" D1, NULL, "h.x/a/b@" D1, NULL, 1, NULL },
    { "h.x/c/b:1", NULL, "h.x/c/b:1", NULL, 0, NULL },
    { "a/b:1", NULL, "a/b:1", NULL, 0, NULL }, /* of Docker's registry */
    { "h.x/a/b:1 ", NULL, NULL, NULL, 0, "image \"h.x/a/b:1 \"" },
    { "h.x/a/{{mesos.instance}}", NULL, NULL, NULL, 0, "byte" },
    { "a/b", "1", "a/b", D1, 1, NULL },
    { "a/b", D1, "a/b", D1, 1, NULL },
    { "a/b@" D1, "", "a/b", D1, 1, NULL },
    { "a/b@" D1, "x", "a/b", D1, 1, NULL },
    { "a/b:1", "", "a/b", D1, 1, NULL },
    { "c/b", "1", "c/b", "1", 0, NULL },
    { "c/b", D2, "c/b", D2, 0, NULL },
    { "i.y/a/b", "1", "i.y/a/b", "1", 0, NULL },
    { "A", "1", NULL, NULL, 0, "image \"A:1\"" },
};

/* Without being told to pin: a signature says something of a digest only. */
static void image_under_a_rule_is_bound(void **state)
{
    const struct rule_case *c = *state;
    struct arena *arena = arena_new();
    struct job_images images = { .count = 77 };
    struct job job;
    struct error err = { 0 };
    job_init(&job);
    if (c->tag)
        use_native(&job, c->name, c->tag);
    else
        use_engine(&job, c->name);
    bool ok = job_images_collect(&strict, &job.job, JOB_TEMPLATES_ONLY, arena, &images, &err);
    assert_int_equal(ok, c->message == NULL);
    for (size_t i = 0; ok && i < images.count; i++) {
        assert_ptr_equal(images.items[i].rule, &rules[0]);
        images.items[i].finding = (struct finding){ D1, "type", "", "anonymous", "", "", 1, 2 };
    }
    if (ok) {
        job_images_apply(&images, &job.job, arena);
        assert_int_equal(images.count, c->count);
        assert_string_equal(c->tag ? job.native.name : job.engine.image, c->after);
        if (c->tag)
            assert_string_equal(job.native.tag, c->tag_after);
    } else {
        assert_int_equal(images.count, 77);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

static void every_string_is_seen(void **state)
{
    struct arena *arena = arena_new();
    struct job job;
    struct error err;
    size_t count = 0;
    (void)state;
    job_init(&job);
    use_engine(&job, "i.y/z");
    job.parameter.value = TEMPLATE;
    job.parameters[0] = &job.parameter;
    job.engine.parameters = job.parameters;
    job.engine.n_parameters = 1;
    job.task.executor_data = "{\"cmdline\": \"" TEMPLATE " {{docker.image[c][2]}}\"}";
    job.values[0] = "plain";
    job.values[1] = TEMPLATE;
    job.value.values = job.values;
    job.value.n_values = 2;
    job.constraint.constraint_case = EOS__JOB__V1__CONSTRAINT__CONSTRAINT_VALUE;
    job.constraint.value = &job.value;
    job.constraints[0] = &job.constraint;
    job.task.constraints = job.constraints;
    job.task.n_constraints = 1;

    assert_true(bind(&job, JOB_TEMPLATES_ONLY, arena, &count, &err));

    assert_int_equal(count, 2);
    assert_string_equal(job.parameter.value, BOUND);
    assert_string_equal(job.task.executor_data, "{\"cmdline\": \"" BOUND " h.x/c@" D1 "\"}");
    assert_string_equal(job.values[0], "plain");
    assert_string_equal(job.values[1], BOUND);
    assert_string_equal(job.engine.image, "i.y/z");
    arena_free(arena);
}

static void number_is_bounded(void **state)
{
    struct arena *arena = arena_new();
    struct text text = TEXT_INIT;
    struct job job;
    struct error err = { 0 };
    size_t count = 0;
    (void)state;
    job_init(&job);
    for (unsigned i = 0; i < JOB_MAX_IMAGES; i++)
        text_printf(&text, "{{docker.image[a][%u]}}", i);
    job.task.executor_data = (char *)text_string(&text);
    assert_true(bind(&job, JOB_TEMPLATES_ONLY, arena, &count, &err));
    assert_int_equal(count, JOB_MAX_IMAGES);
    for (unsigned i = 0; i <= JOB_MAX_IMAGES; i++)
        text_printf(&text, "{{docker.image[a][%u]}}", i);
    job.task.executor_data = (char *)text_string(&text);
    assert_false(bind(&job, JOB_TEMPLATES_ONLY, arena, &count, &err));
    assert_non_null(strstr(err.message, "over 64 different image references"));
    text_clear(&text);
    for (unsigned i = 0; i <= JOB_MAX_TEMPLATES; i++)
        text_add(&text, TEMPLATE);
    job.task.executor_data = (char *)text_string(&text);
    assert_false(bind(&job, JOB_TEMPLATES_ONLY, arena, &count, &err));
    assert_non_null(strstr(err.message, "over 10000 image references"));
    text_done(&text);
    arena_free(arena);
}

static void record_is_whole(void **state)
{
    struct arena *arena = arena_new();
    struct image image = { .reference = "r",
                           .base_url = "https://h.x",
                           .repository = "a/b",
                           .version = "1",
                           .resolved_name = "h.x/a/b",
                           .finding = { D1, "type", "linux/amd64", "basic", "k.pub", "sha256:0", 7,
                                        8 } };
    (void)state;
    Eos__Job__V1__ImageBinding *binding = image_binding(&image, arena);
    assert_string_equal(binding->reference, "r");
    assert_string_equal(binding->registry, "https://h.x");
    assert_string_equal(binding->repository, "a/b");
    assert_string_equal(binding->tag, "1");
    assert_string_equal(binding->digest, D1);
    assert_string_equal(binding->resolved, BOUND);
    assert_string_equal(binding->media_type, "type");
    assert_string_equal(binding->platform, "linux/amd64");
    assert_string_equal(binding->authentication, "basic");
    assert_string_equal(binding->signed_by, "k.pub");
    assert_string_equal(binding->signing_key_id, "sha256:0");
    assert_int_equal(binding->size_bytes, 7);
    assert_int_equal(binding->resolved_at_ms, 8);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_string_is_seen),
        cmocka_unit_test(number_is_bounded),
        cmocka_unit_test(record_is_whole),
    };
    return RUN_CASES(engine_cases, engine_image_is_bound) +
           RUN_CASES(native_cases, native_image_is_bound) +
           RUN_CASES(rule_cases, image_under_a_rule_is_bound) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
