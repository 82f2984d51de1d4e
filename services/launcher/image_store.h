#pragma once

#include "base/error.h"
#include "base/slice.h"
#include "launcher/image_web.h"

#include "launcher/image_keeper.h"

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
    struct image_keeper_options keep;
};

enum image_kind { IMAGE_DOCKER, IMAGE_APPC };

struct image_request {
    enum image_kind kind;
    const char *
        name; /* Docker: "repository" or "host[:port]/repository"; AppC: "example.org/hello[:version]" */
    const char *tag; /* Docker: "tag" or "sha256:…" */
    const char *id;  /* AppC: "sha512-…", may be empty */
    bool is_fresh;   /* Docker: the registry is asked even when an imported image has the name */
};

/* Of the archives that are not there yet; zeros until they are known. */
struct image_progress {
    size_t archives, archives_done;
    int64_t bytes, bytes_done; /* as the registry has them */
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

/* How far it is: what it has to fetch and has fetched. */
struct image_progress image_store_progress(const struct image_fetch *fetch);

/* `done` is not called any more.  What others wait for goes on. */
void image_store_cancel(struct image_fetch *fetch);

/* -- what there is -------------------------------------------------------------------------------- */

/* From now on images that are not used go as `keep` says. */
void image_store_start_keeping(struct image_store *store, image_users_fn *users, void *user);

/* For lists and pruning.  Lives as long as the store. */
struct image_keeper *image_store_keeper(const struct image_store *store);

/* "eos/hello:1.0" as the index has it; INVALID_ARGUMENT.  A digest stays as it is. */
bool image_store_local_name(const struct image_store *store, const char *text, struct arena *arena,
                            const char **ret_name, struct error *err) MUST_CHECK;

/* -- import --------------------------------------------------------------------------------------- */

/* Makes an image of a manifest and of what was uploaded for it, under a name with a tag.  As
 * image_store_fetch(); FAILED_PRECONDITION says which blob is missing. */
struct image_fetch *image_store_import(struct image_store *store, const char *name,
                                       struct slice manifest, uint32_t deadline_ms,
                                       image_fetch_fn *done, void *user,
                                       struct error *err) MUST_CHECK;

/* Runs `work` in a worker thread and then, once, `done`; the store is not closed before. */
void image_store_run(struct image_store *store,
                     void (*work)(const struct image_directory *directory, void *user),
                     void (*done)(void *user), void *user);
