#include "launcher/image_manifest.h"

#include "base/text.h"
#include "unit/test.h"

#include <string.h>

#define A64    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DOCKER "application/vnd.docker.distribution.manifest.v2+json"
#define OCI    "application/vnd.oci.image.manifest.v1+json"
#define INDEX  "application/vnd.oci.image.index.v1+json"

#define CONFIG(type)                                                                               \
    "\"config\":{\"mediaType\":\"" type "\",\"size\":7,\"digest\":\"sha256:" A64 "\"}"
#define DCONFIG CONFIG("application/vnd.docker.container.image.v1+json")
#define OCONFIG CONFIG("application/vnd.oci.image.config.v1+json")
#define LAYER(type, size, digest)                                                                  \
    "{\"mediaType\":\"" type "\",\"size\":" size ",\"digest\":\"" digest "\"}"
#define DLAYER         LAYER("application/vnd.docker.image.rootfs.diff.tar.gzip", "9", "sha256:" B64)
#define OLAYER         LAYER("application/vnd.oci.image.layer.v1.tar+zstd", "9", "sha256:" B64)
#define LAYERS(...)    "\"layers\":[" __VA_ARGS__ "]"
#define DOC(own, rest) "{\"schemaVersion\":2,\"mediaType\":\"" own "\"," rest "}"

static const struct manifest_case {
    const char *name, *media_type, *json;
    size_t layer_count; /* 0: refused */
    enum error_code code;
    const char *message;
} cases[] = {
    { "docker", DOCKER, DOC(DOCKER, DCONFIG "," LAYERS(DLAYER "," DLAYER)), 2, 0, NULL },
    { "OCI, zstd", OCI, DOC(OCI, OCONFIG "," LAYERS(OLAYER)), 1, 0, NULL },
    { "OCI without type", OCI, "{\"schemaVersion\":2," OCONFIG "," LAYERS(OLAYER) "}", 1, 0, NULL },
    { "no type anywhere", "", "{\"schemaVersion\":2," OCONFIG "," LAYERS(OLAYER) "}", 1, 0, NULL },
    { "type is null", OCI,
      "{\"schemaVersion\":2,\"mediaType\":null," OCONFIG "," LAYERS(OLAYER) "}", 1, 0, NULL },
    { "not JSON", OCI, "<html>", 0, ERROR_FAILED_PRECONDITION, "not a JSON object" },
    { "not an object", OCI, "[]", 0, ERROR_FAILED_PRECONDITION, "not a JSON object" },
    { "types differ", OCI, DOC(DOCKER, DCONFIG "," LAYERS(DLAYER)), 0, ERROR_FAILED_PRECONDITION,
      "mediaType" },
    { "index", INDEX, DOC(INDEX, "\"manifests\":[]"), 0, ERROR_FAILED_PRECONDITION,
      "an index of several" },
    { "both", OCI, DOC(OCI, OCONFIG "," LAYERS(OLAYER) ",\"manifests\":[]"), 0,
      ERROR_FAILED_PRECONDITION, "both an image and an index" },
    { "schema 1", DOCKER, "{\"schemaVersion\":1,\"fsLayers\":[]}", 0, ERROR_FAILED_PRECONDITION,
      "\"schemaVersion\"" },
    { "artifact", OCI, DOC(OCI, CONFIG("application/vnd.oci.empty.v1+json") "," LAYERS(OLAYER)), 0,
      ERROR_FAILED_PRECONDITION, "artifact" },
    { "no config", OCI, DOC(OCI, LAYERS(OLAYER)), 0, ERROR_FAILED_PRECONDITION, "no \"config\"" },
    { "config is text", OCI, DOC(OCI, "\"config\":\"x\"," LAYERS(OLAYER)), 0,
      ERROR_FAILED_PRECONDITION, "\"config\"" },
    { "no layers", OCI, DOC(OCI, OCONFIG "," LAYERS("")), 0, ERROR_FAILED_PRECONDITION,
      "no layers" },
    { "layer is text", OCI, DOC(OCI, OCONFIG "," LAYERS("1")), 0, ERROR_FAILED_PRECONDITION,
      "\"layers\" entry 1" },
    { "foreign kind", OCI,
      DOC(OCI,
          OCONFIG "," LAYERS(OLAYER "," LAYER("application/vnd.oci.image.layer.v1.tar+encrypted",
                                              "9", "sha256:" B64))),
      0, ERROR_UNIMPLEMENTED, "layer 2" },
    { "path as digest", OCI,
      DOC(OCI, OCONFIG
          "," LAYERS(LAYER("application/vnd.oci.image.layer.v1.tar", "9", "sha256:../../x"))),
      0, ERROR_FAILED_PRECONDITION, "\"layers\" entry 1" },
    { "negative size", OCI,
      DOC(OCI,
          OCONFIG "," LAYERS(LAYER("application/vnd.oci.image.layer.v1.tar", "-1", "sha256:" B64))),
      0, ERROR_FAILED_PRECONDITION, "\"size\"" },
    { "no size", OCI,
      DOC(OCI, OCONFIG
          "," LAYERS(LAYER("application/vnd.oci.image.layer.v1.tar", "null", "sha256:" B64))),
      0, ERROR_FAILED_PRECONDITION, "\"size\"" },
    { "huge layer", OCI,
      DOC(OCI, OCONFIG "," LAYERS(
                   LAYER("application/vnd.oci.image.layer.v1.tar", "99999999999", "sha256:" B64))),
      0, ERROR_OUT_OF_RANGE, "68719476736" },
};

static void parses_or_explains(void **state)
{
    const struct manifest_case *c = *state;
    struct arena *arena = arena_new();
    struct manifest manifest = { .layer_count = 99 };
    struct error err = { 0 };

    bool ok = image_manifest_parse(slice_of(c->json), c->media_type, arena, &manifest, &err);

    if (ok != (c->layer_count > 0))
        print_message("%s\n", err.message);
    assert_int_equal(ok, c->layer_count > 0);
    assert_int_equal(manifest.layer_count, ok ? c->layer_count : 99);
    if (ok) {
        assert_string_equal(manifest.config.digest, "sha256:" A64);
        assert_int_equal(manifest.config.size, 7);
        assert_string_equal(manifest.layers[c->layer_count - 1].digest, "sha256:" B64);
        assert_int_equal(manifest.layers[0].size, 9);
    } else {
        assert_int_equal(err.code, c->code);
        assert_non_null(strstr(err.message, c->message));
    }
    arena_free(arena);
}

static void limits_the_layers(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct manifest manifest;
    struct error err = { 0 };
    struct text json = TEXT_INIT;
    text_add(&json, "{\"schemaVersion\":2," OCONFIG ",\"layers\":[" OLAYER);
    for (int i = 1; i < 500; i++)
        text_add(&json, "," OLAYER);
    size_t len = json.len;
    text_add(&json, "]}");
    assert_true(image_manifest_parse(text_slice(&json), OCI, arena, &manifest, &err));
    assert_int_equal(manifest.layer_count, 500);
    json.len = len;
    text_add(&json, "," OLAYER "]}");
    assert_false(image_manifest_parse(text_slice(&json), OCI, arena, &manifest, &err));
    assert_non_null(strstr(err.message, "501 layers, more than 500"));
    text_reserve(&json, 4 << 20);
    memset(json.ptr + json.len, ' ', 4 << 20);
    json.len += 4 << 20;
    assert_false(image_manifest_parse(text_slice(&json), OCI, arena, &manifest, &err));
    assert_non_null(strstr(err.message, "4194304 bytes"));
    text_done(&json);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest limits[] = { cmocka_unit_test(limits_the_layers) };
    return RUN_CASES(cases, parses_or_explains) +
           cmocka_run_group_tests_name("limits", limits, NULL, NULL);
}
