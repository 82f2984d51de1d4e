#include "launcher/docker_reply.h"

#include "unit/test.h"

/* -- references ----------------------------------------------------------------------------------- */

static const struct reference_case {
    const char *name, *reference, *image, *tag, *registry;
} references[] = {
    { "a tag", "busybox:1.0", "busybox", "1.0", "docker.io" },
    { "no tag", "busybox", "busybox", "latest", "docker.io" },
    { "a folder", "library/busybox:1", "library/busybox", "1", "docker.io" },
    { "a host", "registry.example.org/a/b:1", "registry.example.org/a/b", "1",
      "registry.example.org" },
    { "a host with a port and no tag", "127.0.0.1:5000/a", "127.0.0.1:5000/a", "latest",
      "127.0.0.1:5000" },
    { "localhost", "localhost/a:2", "localhost/a", "2", "localhost" },
    { "a digest", "h:5000/a@sha256:00", "h:5000/a@sha256:00", "", "h:5000" },
};

static void splits(void **state)
{
    const struct reference_case *c = *state;
    struct arena *arena = arena_new();
    const char *name, *tag;
    docker_reference_split(c->reference, arena, &name, &tag);
    assert_string_equal(name, c->image);
    assert_string_equal(tag, c->tag);
    assert_string_equal(docker_reference_registry(c->reference, arena), c->registry);
    arena_free(arena);
}

/* -- answers -------------------------------------------------------------------------------------- */

static void an_image_tells_its_digest_user_and_environment(void **state)
{
    struct arena *arena = arena_new();
    struct docker_image_facts facts;
    struct error err;
    (void)state;
    assert_true(
        docker_reply_image(SLICE("{\"RepoDigests\":[\"other/a@sha256:11\",\"h:5000/a@sha256:22\"],"
                                 "\"Config\":{\"User\":\"1000\",\"Env\":[\"A=1\",\"B=2\"]}}"),
                           "h:5000/a:1.0", arena, &facts, &err));
    assert_string_equal(facts.digest, "sha256:22");
    assert_string_equal(facts.user, "1000");
    assert_int_equal(facts.environment_count, 2);
    assert_string_equal(facts.environment[1], "B=2");
    assert_true(docker_reply_image(SLICE("{}"), "a@sha256:33", arena, &facts, &err));
    assert_string_equal(facts.digest, "sha256:33");
    assert_string_equal(facts.user, "");
    assert_int_equal(facts.environment_count, 0);
    assert_false(docker_reply_image(SLICE("nonsense"), "a", arena, &facts, &err));
    arena_free(arena);
}

static void a_container_tells_how_it_is(void **state)
{
    struct arena *arena = arena_new();
    struct docker_container_state now;
    struct error err;
    (void)state;
    assert_true(docker_reply_container(
        SLICE("{\"State\":{\"Running\":true,\"Pid\":42,\"ExitCode\":0,\"OOMKilled\":false}}"),
        arena, &now, &err));
    assert_true(now.is_running && now.pid == 42);
    assert_true(docker_reply_container(
        SLICE("{\"State\":{\"Running\":false,\"Pid\":0,\"ExitCode\":137,\"OOMKilled\":true,"
              "\"Error\":\"bad\\nthing\"}}"),
        arena, &now, &err));
    assert_true(!now.is_running && now.pid == 0 && now.is_out_of_memory && now.exit_code == 137);
    assert_string_equal(now.error, "bad thing");
    arena_free(arena);
}

static void an_id_is_hexadecimal(void **state)
{
    struct arena *arena = arena_new();
    const char *id = "";
    struct error err = { 0 };
    (void)state;
    assert_true(docker_reply_created(SLICE("{\"Id\":\"0af\"}"), arena, &id, &err));
    assert_string_equal(id, "0af");
    assert_false(docker_reply_created(SLICE("{\"Id\":\"../x\"}"), arena, &id, &err));
    assert_false(docker_reply_created(SLICE("{}"), arena, &id, &err));
    arena_free(arena);
}

static void refusals_say_what_the_engine_said(void **state)
{
    struct error err = { 0 };
    (void)state;
    assert_false(docker_reply_refuse(404, SLICE("{\"message\":\"No such image: x\"}"), &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_string_equal(err.message, "the Docker engine answered: No such image: x");
    assert_false(docker_reply_refuse(500, SLICE("<html>"), &err));
    assert_string_equal(err.message, "the Docker engine answered with status 500");
}

static void a_pull_may_fail_in_the_middle(void **state)
{
    struct error err = { 0 };
    (void)state;
    assert_true(docker_reply_pull_line(SLICE("{\"status\":\"Pulling\"}\r"), &err));
    assert_true(docker_reply_pull_line(SLICE(""), &err));
    assert_true(docker_reply_pull_line(SLICE("nonsense"), &err));
    assert_false(docker_reply_pull_line(SLICE("{\"error\":\"toomanyrequests\"}"), &err));
    assert_non_null(strstr(err.message, "toomanyrequests"));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(an_image_tells_its_digest_user_and_environment),
        cmocka_unit_test(a_container_tells_how_it_is),
        cmocka_unit_test(an_id_is_hexadecimal),
        cmocka_unit_test(refusals_say_what_the_engine_said),
        cmocka_unit_test(a_pull_may_fail_in_the_middle),
    };
    return RUN_CASES(references, splits) + cmocka_run_group_tests(others, NULL, NULL);
}
