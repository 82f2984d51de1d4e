#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "binder/policy.h"
#include "registry/endpoint.h"
#include "registry/mirrors.h"

#include <stdint.h>

/* What a registry said of one image. */
struct finding {
    const char *digest;
    const char *media_type;
    const char *platforms; /* of an index, "linux/amd64,linux/arm64"; "" for a plain manifest */
    const char *authentication;
    const char *signed_by;      /* name of the key whose signature was checked; "" when none was */
    const char *signing_key_id; /* "sha256:…" of that key; or "" */
    int64_t size_bytes;
    int64_t found_at_ms; /* Unix time */
};

struct finding finding_copy(const struct finding *finding, struct arena *arena);

/* One image reference of a job or of a request, with where to ask for it. */
struct image {
    const char *reference; /* as it was written */
    const char *base_url;
    const struct mirrors *mirrors;  /* asked before it; NULL: none */
    const char *repository;         /* what the registry is asked for */
    const char *version;            /* tag or digest */
    const char *resolved_name;      /* what stands before '@' once it is bound */
    const struct policy_rule *rule; /* that asks for a signature, or NULL */
    struct finding finding;         /* all NULL until it is known */
};

/* What references mean where they stand. */
struct image_context {
    const char *registry_url; /* of the cluster; NULL: not known, and then `unknown` tells why */
    const struct error *unknown;
    const struct insecure_hosts *insecure;
    const struct policy *policy;   /* NULL: no image has to be signed */
    const struct mirrors *mirrors; /* of the cluster; NULL: none */
};

/* A `{{docker.image[name][tag]}}` as Aurora reads it: the name goes to the cluster's registry as it is.
 * Bound, it has the host of that registry in front, unless it is Docker's own.
 * INVALID_ARGUMENT: name or tag cannot be those of an image; or the context's error. */
bool image_from_template(const struct image_context *context, struct slice whole, struct slice name,
                         struct slice tag, struct arena *arena, struct image *ret_image,
                         struct error *err) MUST_CHECK;

/* "[host[:port]/]name[:tag][@digest]".  Without a host it is of the cluster's registry, and gets its host
 * in front as a template does. */
bool image_from_reference(const struct image_context *context, struct slice text,
                          struct arena *arena, struct image *ret_image,
                          struct error *err) MUST_CHECK;

/* As image_from_reference(), for what the Docker engine runs: without a host it is of Docker's registry,
 * whatever the cluster's is, and the name stays as it was written. */
bool image_from_engine_reference(const struct image_context *context, struct slice text,
                                 struct arena *arena, struct image *ret_image,
                                 struct error *err) MUST_CHECK;

/* Either of the first two. */
bool image_parse(const struct image_context *context, struct slice text, struct arena *arena,
                 struct image *ret_image, struct error *err) MUST_CHECK;

/* "name@digest"; the finding is known. */
char *image_resolved(const struct image *image, struct arena *arena);
