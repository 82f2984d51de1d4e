#pragma once

#include "launcher/image_flight.h"
#include "launcher/image_name.h"

/* Getting one image, for all that wait for the same. */
struct image_pull;

struct image_pull_context {
    uv_loop_t *loop;
    const struct image_directory *directory;
    struct registry_client *registry;
    struct image_flights *flights;
};

/* What is wanted; copied. */
struct image_pull_request {
    enum image_kind kind;
    const char *label;  /* for messages: "eos/hello:1.0" */
    const char *origin; /* for messages: the registry's URL, or where AppC images are */
    struct registry_target target;
    struct image_aci_name name; /* AppC */
    const char *id;

    uint64_t owner; /* of pins */
    const char *local_name;
    bool is_fresh;
    bool is_import;
    struct slice manifest; /* of an import */
    const char *manifest_digest;
};

/* The pull is gone when it returns. */
typedef void image_pull_fn(void *user, const struct image *image, const struct error *err);

/* Calls `done` exactly once, later, unless image_pull_cancel() comes first. */
struct image_pull *image_pull_start(const struct image_pull_context *context,
                                    const struct image_pull_request *request, image_pull_fn *done,
                                    void *user) __attribute__((returns_nonnull));

/* `on_gone` runs when its worker has ended, perhaps at once. */
void image_pull_cancel(struct image_pull *pull, void (*on_gone)(void *user), void *user);

struct image_progress image_pull_progress(const struct image_pull *pull);

/* "fetching 2 of 5 layers": for a deadline's message. */
void image_pull_tell(const struct image_pull *pull, struct text *out);
