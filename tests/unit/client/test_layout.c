#include "client/import/layout.h"

#include "unit/test.h"

#include <string.h>

#define HEX16          "0123456789abcdef"
#define D              "sha256:" HEX16 HEX16 HEX16 HEX16
#define REF(name)      "\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
#define ENTRY(rest)    "{\"digest\":\"" D "\"" rest "}"
#define INDEX(entries) "{\"manifests\":[" entries "]}"

static const struct index_case {
    const char *name, *json;
    const char *names; /* of all images, joined by "|"; NULL: refused */
    const char *message;
} index_cases[] = {
    { "a tag", INDEX(ENTRY("," REF("1.0"))), "1.0", NULL },
    { "a whole name", INDEX(ENTRY("," REF("eos/hello:1.0"))), "eos/hello:1.0", NULL },
    { "no name", INDEX(ENTRY("")), "", NULL },
    { "Docker's own", INDEX(ENTRY("," REF("docker.io/library/hello:1"))), "hello:1", NULL },
    { "the engine's name says more",
      INDEX(ENTRY(",\"annotations\":{\"io.containerd.image.name\":\"docker.io/a/b:1\","
                  "\"org.opencontainers.image.ref.name\":\"1\"}")),
      "a/b:1", NULL },
    { "two", INDEX(ENTRY("," REF("a:1")) "," ENTRY("," REF("b:1"))), "a:1|b:1", NULL },
    { "attestations are passed over",
      INDEX(ENTRY("," REF("a:1")) "," ENTRY(
          ",\"annotations\":{\"vnd.docker.reference.type\":\"x\"}")),
      "a:1", NULL },
    { "empty", INDEX(""), NULL, "names no image" },
    { "no list", "{}", NULL, "names no image" },
    { "no JSON", "{", NULL, "index.json" },
    { "a digest that is a path", INDEX("{\"digest\":\"sha256:../../etc/passwd\"}"), NULL,
      "entry 1" },
    { "no digest", INDEX("{}"), NULL, "entry 1" },
    { "an entry that is no object", INDEX("3"), NULL, "entry 1" },
};

static void add_names(const struct layout *layout, struct text *out)
{
    for (size_t i = 0; i < layout->count; i++)
        for (size_t k = 0; k < layout->images[i].name_count; k++)
            text_printf(out, "%s%s", out->len > 0 ? "|" : "", layout->images[i].names[k]);
}

static void reads_an_index(void **state)
{
    const struct index_case *c = *state;
    struct arena *arena = arena_new();
    struct layout layout = { 0 };
    struct error err = { 0 };
    cleanup_text struct text names = TEXT_INIT;

    assert_int_equal(layout_parse_index(slice_of(c->json), arena, &layout, &err), c->names != NULL);

    add_names(&layout, &names);
    if (c->names)
        assert_string_equal(text_string(&names), c->names);
    else
        assert_non_null(strstr(err.message, c->message));
    arena_free(arena);
}

static const struct docker_case {
    const char *name, *json;
    const char *names, *config;
    size_t layers;
    const char *message;
} docker_cases[] = {
    { "old",
      "[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\",\"b:2\"],\"Layers\":[\"x/layer.tar\"]}]",
      "a:1|b:2", "c.json", 1, NULL },
    { "skopeo's",
      "[{\"Config\":\"c.json\",\"RepoTags\":[\"docker.io/library/a:1\"],\"Layers\":[]}]", "a:1",
      "c.json", 0, NULL },
    { "without names", "[{\"Config\":\"c.json\",\"RepoTags\":null,\"Layers\":[\"x\",\"y\"]}]", "",
      "c.json", 2, NULL },
    { "no config", "[{\"Layers\":[]}]", NULL, NULL, 0, "names no Config" },
    { "a layer that is no text", "[{\"Config\":\"c\",\"Layers\":[1]}]", NULL, NULL, 0, "a string" },
    { "empty", "[]", NULL, NULL, 0, "names no image" },
    { "an object", "{}", NULL, NULL, 0, "names no image" },
};

static void reads_what_docker_saves(void **state)
{
    const struct docker_case *c = *state;
    struct arena *arena = arena_new();
    struct layout layout = { 0 };
    struct error err = { 0 };
    cleanup_text struct text names = TEXT_INIT;

    assert_int_equal(layout_parse_docker(slice_of(c->json), arena, &layout, &err),
                     c->names != NULL);

    add_names(&layout, &names);
    if (c->names) {
        assert_string_equal(text_string(&names), c->names);
        assert_string_equal(layout.images[0].config_path, c->config);
        assert_int_equal(layout.images[0].layer_count, c->layers);
    } else {
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

#define ARM ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}"
#define AMD ",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}"

static const struct choose_case {
    const char *name, *json, *wanted;
    const char *choice; /* "image=name|…"; NULL: refused */
    const char *message;
} choose_cases[] = {
    { "all that have whole names",
      INDEX(ENTRY("," REF("a:1")) "," ENTRY("," REF("2")) "," ENTRY("," REF("c/d:3"))), NULL,
      "0=a:1|2=c/d:3", NULL },
    { "none has one", INDEX(ENTRY("," REF("1")) "," ENTRY("," REF("2"))), NULL, NULL,
      "\"1\", \"2\"" },
    { "by its name", INDEX(ENTRY("," REF("a:1")) "," ENTRY("," REF("b:1"))), "b:1", "1=b:1", NULL },
    { "by its tag", INDEX(ENTRY("," REF("1")) "," ENTRY("," REF("2"))), "x/y:2", "1=x/y:2", NULL },
    { "a port is no tag", INDEX(ENTRY("," REF("5000/x")) "," ENTRY("," REF("2"))), "h:5000/x", NULL,
      "no image of that name" },
    { "the only one may be called anything", INDEX(ENTRY("," REF("1"))), "x:9", "0=x:9", NULL },
    { "not one of several", INDEX(ENTRY("," REF("1")) "," ENTRY("," REF("2"))), "x:9", NULL,
      "no image of that name" },
    { "the one of this machine", INDEX(ENTRY(ARM) "," ENTRY(AMD)), "x:9", "1=x:9", NULL },
    { "of those with that name", INDEX(ENTRY("," REF("x:9") ARM) "," ENTRY("," REF("x:9") AMD)),
      "x:9", "1=x:9", NULL },
    { "what is not for it is for the host to refuse", INDEX(ENTRY(ARM)), "x:9", "0=x:9", NULL },
};

static void chooses(void **state)
{
    const struct choose_case *c = *state;
    const struct platform host = { "linux", "amd64", "" };
    struct arena *arena = arena_new();
    struct layout layout;
    struct layout_choice *choices;
    size_t count = 0;
    struct error err = { 0 };
    cleanup_text struct text found = TEXT_INIT;

    assert_true(layout_parse_index(slice_of(c->json), arena, &layout, &err));
    assert_int_equal(layout_choose(&layout, c->wanted, &host, arena, &choices, &count, &err),
                     c->choice != NULL);

    for (size_t i = 0; c->choice && i < count; i++)
        text_printf(&found, "%s%zu=%s", i > 0 ? "|" : "",
                    (size_t)(choices[i].image - layout.images), choices[i].name);
    if (c->choice)
        assert_string_equal(text_string(&found), c->choice);
    else
        assert_non_null(strstr(err.message, c->message));
    arena_free(arena);
}

static void makes_a_manifest_and_reads_a_config(void **state)
{
    const struct layout_blob config = { D, 7 }, layers[] = { { D, 8 }, { D, 9 } };
    struct arena *arena = arena_new();
    struct error err = { 0 };
    const char *const *diff_ids;
    size_t count;
    cleanup_text struct text manifest = TEXT_INIT;
    (void)state;
    layout_add_manifest(&config, layers, 2, &manifest);
    assert_non_null(strstr(text_string(&manifest), "\"size\":9,\"digest\":\"" D "\"}]}"));
    assert_true(layout_parse_config(SLICE("{\"rootfs\":{\"diff_ids\":[\"" D "\"]}}"), arena,
                                    &diff_ids, &count, &err));
    assert_int_equal(count, 1);
    assert_false(layout_parse_config(SLICE("{\"rootfs\":{\"diff_ids\":[\"x\"]}}"), arena, &diff_ids,
                                     &count, &err));
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest others[] = { cmocka_unit_test(
        makes_a_manifest_and_reads_a_config) };
    return RUN_CASES(index_cases, reads_an_index) +
           RUN_CASES(docker_cases, reads_what_docker_saves) + RUN_CASES(choose_cases, chooses) +
           cmocka_run_group_tests(others, NULL, NULL);
}
