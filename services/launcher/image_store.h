#pragma once

#include "base/error.h"
#include "base/slice.h"
#include "launcher/image_web.h"

#include <stdint.h>
#include <uv.h>

/* The images of one host: blobs and unpacked layers, kept under their digests.
 *
 * Belongs to one loop; the work is done off it.  Each layer is fetched and unpacked once, however
 * many tasks wait for it. */
struct image_store;
struct mirrors;
struct registry_client;

struct image_store_options {
    const char *directory;            /* made when missing; mode 0700 */
    struct registry_client *registry; /* borrowed */
    const char *registry_url;         /* the cluster's docker_registry, or NULL; borrowed */
    const struct mirrors *mirrors;    /* the cluster's docker_mirrors, or NULL; borrowed */
    /* Where AppC images are: "/dir/", "file:///dir/" or "http(s)://…"; NULL: their names' hosts know. */
    const char *appc_simple_discovery_uri_prefix;
    bool appc_meta_discovery; /* their hosts are asked for what the prefix does not have, too */
    struct image_web_options web;
};

enum image_kind { IMAGE_DOCKER, IMAGE_APPC };

struct image_request {
    enum image_kind kind;
    const char *
        name; /* Docker: "repository" or "host[:port]/repository"; AppC: "example.org/hello[:version]" */
    const char *tag; /* Docker: "tag" or "sha256:…" */
    const char *id;  /* AppC: "sha512-…", may be empty */
};

/* What a container needs of an image.  Valid until the callback returns. */
struct image {
    const char *digest;        /* of the manifest, or AppC's id */
    const char *const *layers; /* host directories, lowest first */
    size_t layer_count;
    const char *const *environment; /* "NAME=value" */
    size_t environment_count;
    const char *working_directory; /* "" when none */
};

/* Removes what a crash left half made.  NULL with `err`. */
struct image_store *image_store_open(uv_loop_t *loop, const struct image_store_options *options,
                                     struct error *err) MUST_CHECK;

/* Fails what waits with CANCELLED, then closes. */
void image_store_close(struct image_store *store);

/* `image` is NULL when `err` is set.  Errors say which image, which registry, what it answered. */
typedef void image_fetch_fn(void *user, const struct image *image, const struct error *err);

/* Calls `done` exactly once, later.  Returns a ticket for image_store_cancel(), or NULL with `err`
 * (a malformed request), and then never calls `done`. */
struct image_fetch *image_store_fetch(struct image_store *store,
                                      const struct image_request *request, uint32_t deadline_ms,
                                      image_fetch_fn *done, void *user,
                                      struct error *err) MUST_CHECK;

/* `done` is not called any more.  What others wait for goes on. */
void image_store_cancel(struct image_fetch *fetch);
