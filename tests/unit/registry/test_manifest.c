#include "registry/manifest.h"
#include "unit/test.h"

#define D1 "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define D2 "sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"
#define D3 "sha256:baa5a0964d3320fbc0c6a922140453c8513ea24ab8fd0577034804a967248096"

#define V2       "application/vnd.docker.distribution.manifest.v2+json"
#define LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCI      "application/vnd.oci.image.manifest.v1+json"
#define INDEX    "application/vnd.oci.image.index.v1+json"
#define V1       "application/vnd.docker.distribution.manifest.v1+prettyjws"
#define V2CONFIG "application/vnd.docker.container.image.v1+json"
#define OCICONF  "application/vnd.oci.image.config.v1+json"

#define CONFIG(type)  "\"config\":{\"mediaType\":\"" type "\",\"digest\":\"" D1 "\",\"size\":7}"
#define LAYER(digest) "{\"mediaType\":\"x\",\"digest\":\"" digest "\",\"size\":9}"
#define TYPE(type)    "\"mediaType\":\"" type "\""
#define IMAGE(type)   "{\"schemaVersion\":2," type CONFIG(V2CONFIG) ",\"layers\":[" LAYER(D2) "]}"

static const struct manifest_case {
    const char *name, *json, *content_type;
    const char *media_type; /* of the result */
    size_t count;           /* of layers or entries */
    enum error_code code;
    const char *message;
} cases[] = {
    { "schema 2", IMAGE(TYPE(V2) ","), V2, V2, 1, ERROR_OK, "" },
    { "schema 2 under a general header", IMAGE(TYPE(V2) ","), "application/json", V2, 1, ERROR_OK,
      "" },
    { "parameters of the header", IMAGE(TYPE(V2) ","), V2 "; charset=utf-8", V2, 1, ERROR_OK, "" },
    { "no header", IMAGE(TYPE(V2) ","), "", V2, 1, ERROR_OK, "" },
    { "OCI", "{\"schemaVersion\":2," CONFIG(OCICONF) ",\"layers\":[]}", OCI, OCI, 0, ERROR_OK, "" },
    { "OCI that says nothing", "{\"schemaVersion\":2," CONFIG(OCICONF) ",\"layers\":[]}", "", OCI,
      0, ERROR_OK, "" },
    { "list", "{\"schemaVersion\":2," TYPE(LIST) ",\"manifests\":[" LAYER(D1) "," LAYER(D2) "]}",
      LIST, LIST, 2, ERROR_OK, "" },
    { "index that says nothing", "{\"schemaVersion\":2,\"manifests\":[]}", "", INDEX, 0, ERROR_OK,
      "" },

    { "empty", "", V2, NULL, 0, ERROR_FAILED_PRECONDITION, "not a JSON object" },
    { "a web page", "<html></html>", "text/html", NULL, 0, ERROR_FAILED_PRECONDITION,
      "not a JSON object" },
    { "a list of numbers", "[1,2]", V2, NULL, 0, ERROR_FAILED_PRECONDITION, "not a JSON object" },
    { "other JSON", "{\"a\":1}", "application/json", NULL, 0, ERROR_FAILED_PRECONDITION,
      "no manifest of an image or index" },
    { "a key twice", "{\"schemaVersion\":2,\"schemaVersion\":2}", V2, NULL, 0,
      ERROR_FAILED_PRECONDITION, "not a JSON object" },
    { "schema 1 by header", "{\"schemaVersion\":1}", V1, NULL, 0, ERROR_UNIMPLEMENTED, "schema 1" },
    { "schema 1 by itself", "{\"schemaVersion\":1,\"fsLayers\":[]}", "application/json", NULL, 0,
      ERROR_UNIMPLEMENTED, "schema 1" },
    { "schema 3", "{\"schemaVersion\":3," TYPE(V2) "}", V2, NULL, 0, ERROR_FAILED_PRECONDITION,
      "\"schemaVersion\" of the manifest is not 2" },
    { "header and document differ", IMAGE(TYPE(V2) ","), OCI, NULL, 0, ERROR_FAILED_PRECONDITION,
      "is not that of the Content-Type" },
    { "unknown type in the document", IMAGE(TYPE("x") ","), V2, NULL, 0, ERROR_FAILED_PRECONDITION,
      "is not that of the Content-Type" },
    { "image with manifests",
      "{\"schemaVersion\":2," CONFIG(V2CONFIG) ",\"layers\":[],\"manifests\":[]}", V2, NULL, 0,
      ERROR_FAILED_PRECONDITION, "both an image and an index" },
    { "index with layers", "{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}", INDEX, NULL, 0,
      ERROR_FAILED_PRECONDITION, "both an image and an index" },
    { "no config", "{\"schemaVersion\":2,\"layers\":[]}", V2, NULL, 0, ERROR_FAILED_PRECONDITION,
      "no \"config\"" },
    { "an artifact",
      "{\"schemaVersion\":2," CONFIG("application/vnd.cncf.helm.config.v1+json") ",\"layers\":[]}",
      OCI, NULL, 0, ERROR_FAILED_PRECONDITION, "of an artifact" },
    { "layers are no list", "{\"schemaVersion\":2," CONFIG(V2CONFIG) ",\"layers\":{}}", V2, NULL, 0,
      ERROR_FAILED_PRECONDITION, "\"layers\" of the manifest is no list" },
    { "a layer is no object", "{\"schemaVersion\":2," CONFIG(V2CONFIG) ",\"layers\":[1]}", V2, NULL,
      0, ERROR_FAILED_PRECONDITION, "\"layers\" entry 1: a descriptor is no object" },
    { "a digest that leaves the directory",
      "{\"schemaVersion\":2," CONFIG(V2CONFIG) ",\"layers\":[" LAYER("../../x") "]}", V2, NULL, 0,
      ERROR_FAILED_PRECONDITION,
      "\"layers\" entry 1: a descriptor of the manifest: byte 1: a digest must" },
    { "a negative size",
      "{\"schemaVersion\":2," CONFIG(V2CONFIG) ",\"layers\":[{\"digest\":\"" D2 "\",\"size\":-1}]}",
      V2, NULL, 0, ERROR_FAILED_PRECONDITION, "\"size\" of a descriptor" },
    { "a size that is missing",
      "{\"schemaVersion\":2," CONFIG(V2CONFIG) ",\"layers\":[{\"digest\":\"" D2 "\"}]}", V2, NULL,
      0, ERROR_FAILED_PRECONDITION, "\"size\" of a descriptor" },
    { "a control character", "{\"schemaVersion\":2,\"mediaType\":\"a\\nb\"}", V2, NULL, 0,
      ERROR_FAILED_PRECONDITION, "control character" },
};

static void parses_or_explains(void **state)
{
    const struct manifest_case *c = *state;
    struct arena *arena = arena_new();
    struct manifest manifest = { .media_type = "untouched" };
    struct error err = { 0 };

    bool ok = manifest_parse(slice_of(c->json), slice_of(c->content_type), arena, &manifest, &err);

    assert_int_equal(err.code, c->code);
    assert_int_equal(ok, c->code == ERROR_OK);
    assert_string_equal(manifest.media_type, ok ? c->media_type : "untouched");
    assert_int_equal(manifest.layer_count + manifest.entry_count, c->count);
    assert_non_null(strstr(err.message, c->message));
    arena_free(arena);
}

#define ENTRY(digest, os, architecture, variant)                                                   \
    "{\"digest\":\"" digest "\",\"size\":1,\"platform\":{\"os\":\"" os                             \
    "\",\"architecture\":\"" architecture "\",\"variant\":\"" variant "\"}}"
#define ATTESTATION                                                                                \
    "{\"digest\":\"" D3 "\",\"size\":1,\"platform\":{\"os\":\"unknown\",\"architecture\":"         \
    "\"unknown\"},\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}}"

static const struct choice_case {
    const char *name, *entries;
    struct platform host;
    const char *digest; /* NULL: refused */
    const char *message;
} choices[] = {
    { "the only one", ENTRY(D1, "linux", "amd64", ""), { "linux", "amd64", "" }, D1, "" },
    { "the second",
      ENTRY(D1, "linux", "arm64", "") "," ENTRY(D2, "linux", "amd64", ""),
      { "linux", "amd64", "" },
      D2,
      "" },
    { "the first of two",
      ENTRY(D1, "linux", "amd64", "") "," ENTRY(D2, "linux", "amd64", ""),
      { "linux", "amd64", "" },
      D1,
      "" },
    { "arm64 v8 is the default",
      ENTRY(D1, "linux", "arm64", ""),
      { "linux", "arm64", "v8" },
      D1,
      "" },
    { "the highest arm that runs",
      ENTRY(D1, "linux", "arm", "v5") "," ENTRY(D2, "linux", "arm", "v6"),
      { "linux", "arm", "v7" },
      D2,
      "" },
    { "a newer arm does not run",
      ENTRY(D1, "linux", "arm", "v7"),
      { "linux", "arm", "v6" },
      NULL,
      "not there for linux/arm/v6, only for linux/arm/v7" },
    { "a newer amd64 does not run",
      ENTRY(D1, "linux", "amd64", "v3") "," ENTRY(D2, "linux", "amd64", ""),
      { "linux", "amd64", "" },
      D2,
      "" },
    { "attestations are passed over",
      ATTESTATION "," ENTRY(D1, "linux", "amd64", ""),
      { "linux", "amd64", "" },
      D1,
      "" },
    { "only attestations", ATTESTATION, { "linux", "amd64", "" }, NULL, "has no image" },
    { "none", "", { "linux", "amd64", "" }, NULL, "has no image" },
    { "another system",
      ENTRY(D1, "windows", "amd64", ""),
      { "linux", "amd64", "" },
      NULL,
      "only for windows/amd64" },
    { "alone without a platform", LAYER(D1) "," ATTESTATION, { "linux", "amd64", "" }, D1, "" },
    { "not alone without a platform",
      LAYER(D1) "," LAYER(D2),
      { "linux", "amd64", "" },
      NULL,
      "not there for linux/amd64" },
};

static void best_is_chosen(void **state)
{
    const struct choice_case *c = *state;
    struct arena *arena = arena_new();
    struct manifest index;
    const struct descriptor *entry = NULL;
    struct error err = { 0 };
    char *json = arena_printf(arena, "{\"schemaVersion\":2,\"manifests\":[%s]}", c->entries);

    assert_true(manifest_parse(slice_of(json), SLICE(INDEX), arena, &index, &err));
    bool ok = manifest_choose(&index, &c->host, &entry, &err);

    assert_int_equal(ok, c->digest != NULL);
    if (ok)
        assert_string_equal(entry->digest, c->digest);
    else
        assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, c->message));
    arena_free(arena);
}

#define URL(n) "\"https://h/" n "\","

static void urls_of_a_layer_are_kept(void **state)
{
    struct arena *arena = arena_new();
    struct manifest image;
    struct error err = { 0 };
    (void)state;
    assert_true(manifest_parse(SLICE("{\"schemaVersion\":2," CONFIG(
                                   V2CONFIG) ",\"layers\":[{\"digest\":\"" D2
                                             "\",\"size\":1,\"urls\":[" URL("1") URL("2") URL("3")
                                                 URL("4") URL("5") URL("6") URL("7")
                                                     URL("8") "\"https://h/9\"]}," LAYER(D3) "]}"),
                               SLICE(V2), arena, &image, &err));
    assert_int_equal(image.layers[0].url_count, MANIFEST_MAX_URLS);
    assert_string_equal(image.layers[0].urls[7], "https://h/8");
    assert_int_equal(image.layers[1].url_count, 0);
    assert_false(manifest_parse(SLICE("{\"schemaVersion\":2," CONFIG(
                                    V2CONFIG) ",\"layers\":[{\"digest\":\"" D2
                                              "\",\"size\":1,\"urls\":[1]}]}"),
                                SLICE(V2), arena, &image, &err));
    assert_non_null(strstr(err.message, "\"urls\" of the manifest is no string"));
    arena_free(arena);
}

static void platforms_are_listed(void **state)
{
    struct arena *arena = arena_new();
    struct manifest index;
    struct error err;
    (void)state;
    assert_true(manifest_parse(SLICE("{\"schemaVersion\":2,\"manifests\":[" ENTRY(
                                   D1, "linux", "amd64",
                                   "") "," ATTESTATION "," ENTRY(D2, "linux", "arm", "v7") "]}"),
                               SLICE(INDEX), arena, &index, &err));
    assert_string_equal(manifest_platforms(&index, arena), "linux/amd64,linux/arm/v7");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(platforms_are_listed),
                                        cmocka_unit_test(urls_of_a_layer_are_kept) };
    return RUN_CASES(cases, parses_or_explains) + RUN_CASES(choices, best_is_chosen) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
