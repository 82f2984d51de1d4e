#include "client/image_text.h"

#include "base/cleanup.h"
#include "decode.h"
#include "unit/test.h"

#include <stdlib.h>
#include <time.h>

#define BINDING                                                                                    \
    "\"reference\": \"{{docker.image[a/b][1]}}\", \"registry\": \"https://h.x\", "                 \
    "\"repository\": \"a/b\", \"tag\": \"1\", \"digest\": \"sha256:1\", "                          \
    "\"resolved\": \"h.x/a/b@sha256:1\", \"mediaType\": \"t\", \"sizeBytes\": 7, "                 \
    "\"resolvedAtMs\": 61000, \"authentication\": \"basic\""

static const struct record_case {
    const char *name, *binding, *expected;
} records[] = {
    { "an index that is signed",
      "{" BINDING ", \"platform\": \"linux/amd64,linux/arm64\", \"signedBy\": \"k.pub\", "
      "\"signingKeyId\": \"sha256:2\"}",
      "Images (1):\n\t{{docker.image[a/b][1]}}\n\t  bound to: h.x/a/b@sha256:1\n"
      "\t  registry: https://h.x, repository a/b, tag 1\n"
      "\t  manifest: t, 7 bytes, for linux/amd64,linux/arm64\n"
      "\t  resolved: 1970-01-01 00:01:01, authentication: basic\n"
      "\t  signed by: k.pub (sha256:2)\n" },
    { "a plain image", "{" BINDING "}",
      "Images (1):\n\t{{docker.image[a/b][1]}}\n\t  bound to: h.x/a/b@sha256:1\n"
      "\t  registry: https://h.x, repository a/b, tag 1\n\t  manifest: t, 7 bytes\n"
      "\t  resolved: 1970-01-01 00:01:01, authentication: basic\n" },
    { "it cannot steer the terminal", "{\"reference\": \"\\u001b[2J\"}",
      "Images (1):\n\t?[2J\n\t  bound to: \n\t  registry: , repository \n\t  manifest: , 0 bytes\n"
      "\t  resolved: 1970-01-01 00:00:00, authentication: \n" },
};

static void record_is_shown(void **state)
{
    const struct record_case *c = *state;
    struct arena *arena = arena_new();
    struct text out = TEXT_INIT;
    Eos__Job__V1__ImageBinding *binding =
        (Eos__Job__V1__ImageBinding *)decode(c->binding, &eos__job__v1__image_binding__descriptor,
                                             arena);
    image_records_add(&out, &binding, 1);
    assert_string_equal(text_string(&out), c->expected);
    text_done(&out);
    arena_free(arena);
}

static const struct details_case {
    const char *name, *image, *expected;
} details[] = {
    { "an index",
      "{\"binding\": {" BINDING "}, \"manifests\": [{\"platform\": \"linux/amd64\", \"digest\": "
      "\"sha256:2\"}, {\"digest\": \"sha256:3\", \"isAttestation\": true}, {\"digest\": "
      "\"sha256:4\"}], \"manifest\": {\"platform\": \"linux/amd64\", \"digest\": \"sha256:2\"}, "
      "\"configDigest\": \"sha256:5\", \"sizeBytes\": 1500000, \"layers\": [{\"digest\": "
      "\"sha256:6\", \"sizeBytes\": 999, \"mediaType\": \"l\"}], \"config\": {\"created\": "
      "\"2024\", \"user\": \"www\", \"entrypoint\": [\"/bin/x\", \"a b\"], \"cmd\": [\"go\"], "
      "\"env\": [\"A=b\", \"C=d\"], \"workingDir\": \"/srv\", \"labels\": [{\"name\": \"l\", "
      "\"value\": \"one\\ntwo\\u001b\"}], \"exposedPorts\": [\"80/tcp\"], \"volumes\": [\"/v\"], "
      "\"stopSignal\": \"SIGINT\"}}",
      "name         h.x/a/b@sha256:1\n"
      "digest       sha256:1\n"
      "type         t\n"
      "holds        linux/amd64 sha256:2\n"
      "             (attestation) sha256:3\n"
      "             (no platform) sha256:4\n"
      "platform     linux/amd64\n"
      "manifest     sha256:2\n"
      "config       sha256:5\n"
      "size         1.5 MB in 1 layer\n"
      "created      2024\n"
      "user         www\n"
      "directory    /srv\n"
      "entrypoint   [\"/bin/x\", \"a b\"]\n"
      "command      [\"go\"]\n"
      "stop signal  SIGINT\n"
      "environment  A=b\n"
      "             C=d\n"
      "ports        80/tcp\n"
      "volumes      /v\n"
      "labels       l=one two?\n"
      "layers       sha256:6 999 bytes l\n" },
    { "an index with nothing for the platform", "{\"binding\": {" BINDING "}}",
      "name         h.x/a/b@sha256:1\ndigest       sha256:1\ntype         t\n" },
    { "nothing", "{}", "" },
};

static void image_is_shown(void **state)
{
    const struct details_case *c = *state;
    struct arena *arena = arena_new();
    struct text out = TEXT_INIT;
    image_details_add(&out,
                      (Eos__Binder__V1__InspectResponse *)
                          decode(c->image, &eos__binder__v1__inspect_response__descriptor, arena),
                      arena);
    assert_string_equal(text_string(&out), c->expected);
    text_done(&out);
    arena_free(arena);
}

static void signature_is_shown(void **state)
{
    struct arena *arena = arena_new();
    struct text out = TEXT_INIT;
    (void)state;
    image_verified_add(
        &out,
        (Eos__Binder__V1__VerifyResponse *)decode(
            "{\"binding\": {" BINDING ", \"signedBy\": \"k.pub\", \"signingKeyId\": \"sha256:2\"}, "
            "\"policy\": \"h.x\", \"algorithm\": \"ed25519\", \"form\": \"bundle\", \"found\": "
            "\"referrer\", \"signatureDigest\": \"sha256:3\"}",
            &eos__binder__v1__verify_response__descriptor, arena));
    assert_string_equal(text_string(&out), "name         h.x/a/b@sha256:1\n"
                                           "signed by    k.pub\n"
                                           "key          sha256:2\n"
                                           "algorithm    ed25519\n"
                                           "form         bundle\n"
                                           "found as     referrer\n"
                                           "signature    sha256:3\n"
                                           "policy       h.x\n");
    text_done(&out);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(signature_is_shown) };
    setenv("TZ", "UTC", 1);
    tzset();
    return RUN_CASES(records, record_is_shown) + RUN_CASES(details, image_is_shown) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
