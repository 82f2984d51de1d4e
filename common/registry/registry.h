#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "registry/mirrors.h"
#include "registry/reference.h"

#include <stdint.h>
#include <uv.h>

/* A client of Docker and OCI registries (distribution-spec v2), used by the binder to resolve and by
 * the launcher to pull.  Belongs to one loop; nothing blocks. */
struct registry_client;

struct registry_options {
    const char *docker_config; /* a config.json, or a directory with one; NULL: none */
    const char *netrc;         /* NULL: none */
    const char *certs_dir;     /* authorities and client certificates; NULL: CERTIFICATES_DEFAULT */
    bool has_default_files;    /* what is NULL of the first two is the user's own, if it is there */
    /* "host[:port]" that may speak plain HTTP besides loopback. */
    const char *const *insecure_registries;
    size_t insecure_registry_count;
};

/* The user's own files, for programs that are not told others: $DOCKER_CONFIG/config.json or
 * ~/.docker/config.json; $NETRC or ~/.netrc.  NULL when there is none; release with free(). */
char *registry_default_docker_config(void);
char *registry_default_netrc(void);

/* Blocks while it reads the files.  They are read again when a registry refuses what they say, so that
 * who logs in or adds an authority does not have to start the program again; when they are malformed
 * then, the former ones stay. */
struct registry_client *registry_client_open(uv_loop_t *loop,
                                             const struct registry_options *options,
                                             struct error *err) MUST_CHECK;

/* Fails what is in flight with CANCELLED. */
void registry_client_close(struct registry_client *client);

/* Where something is.  What is borrowed is needed only until a call has begun, but for `mirrors`. */
struct registry_target {
    const char *base_url;          /* "https://registry.example.org", "http://127.0.0.1:5000" */
    const char *repository;        /* "library/alpine" */
    const char *reference;         /* tag or "sha256:…" */
    const struct mirrors *mirrors; /* asked before the registry; NULL: none */
    const char *const *urls;       /* of a blob, by its manifest: asked after the registry, without
                                      any authorization */
    size_t url_count;
};

/* Where the image of a reference is: at the host that it names, else at `default_url` (the cluster's
 * docker_registry; NULL: Docker's).  In `arena`, without mirrors.  INVALID_ARGUMENT: `default_url` is no
 * base URL. */
bool registry_locate(const struct registry_client *client, const struct image_reference *reference,
                     const char *default_url, struct arena *arena,
                     struct registry_target *ret_target, struct error *err) MUST_CHECK;

struct registry_manifest {
    const char *digest; /* of `bytes`, computed */
    const char *media_type;
    const char *bytes;
    size_t len;
    const char *platform;       /* "linux/amd64" when chosen out of an index, else "" */
    const char *index_digest;   /* of the index it was chosen from, or "" */
    const char *authentication; /* "anonymous", "basic" or "bearer" */
    const char *source;         /* who gave it: the target's base URL, or a mirror's */
};

struct registry_call;

/* `manifest` is NULL when `err` is set; both are valid until the callback returns. */
typedef void registry_manifest_fn(void *user, const struct registry_manifest *manifest,
                                  const struct error *err);

/* `digest` and `size` are checked while the bytes stream.  `on_data` is called from the loop; when it
 * returns false the transfer ends with the error that it set. */
typedef bool registry_data_fn(void *user, const char *bytes, size_t len, struct error *err);
typedef void registry_done_fn(void *user, const struct error *err);

/* Manifest by tag or digest.  With `choose_platform`, an index is followed to this machine's
 * manifest; without, the index itself is the answer.  Both call back exactly once, later.
 *
 * What has mirrors is asked of them in their order, and then of the registry, until one has it; a mirror
 * that had trouble a moment ago is asked last.  The error is the registry's, and names the mirrors too.
 *
 * Errors name the registry, the image and what the registry answered:
 *   INVALID_ARGUMENT     the target is malformed
 *   FAILED_PRECONDITION  plain HTTP to a host that may not, an answer that is no image's manifest
 *   NOT_FOUND            no such image or blob; no image for this machine in an index
 *   UNAUTHENTICATED, PERMISSION_DENIED  credentials are missing or refused; they do not suffice
 *   UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED  after repetitions; may work later
 *   UNIMPLEMENTED        a manifest of schema 1
 *   DATA_LOSS            the bytes are not what their digest, size or header says
 *   CANCELLED            the client was closed */
struct registry_call *registry_get_manifest(struct registry_client *client,
                                            const struct registry_target *target,
                                            bool choose_platform, uint32_t deadline_ms,
                                            registry_manifest_fn *done, void *user,
                                            struct error *err) MUST_CHECK;

/* Whether a tag is still what it was.  When the registry says so in the answer to a HEAD, `manifest` has
 * the digest `known_digest`, whose bytes were checked when it became known, and neither bytes nor media
 * type ("" and 0); in every other case it is as of registry_get_manifest(), without a choice of platform:
 * no digest is taken from a header. */
struct registry_call *registry_check_manifest(struct registry_client *client,
                                              const struct registry_target *target,
                                              const char *known_digest, uint32_t deadline_ms,
                                              registry_manifest_fn *done, void *user,
                                              struct error *err) MUST_CHECK;

/* A small document of a repository, as it is: a manifest of any kind, a list of referrers, a configuration. */
struct registry_document_request {
    const char *path;   /* behind "/v2/<repository>/": "manifests/1.0", "referrers/sha256:…" */
    const char *accept; /* NULL: anything */
    const char *digest; /* that the bytes must have; NULL: none */
    size_t max_bytes;   /* more is FAILED_PRECONDITION */
};

struct registry_document {
    const char *bytes;
    size_t len;
    const char *content_type;
};

typedef void registry_document_fn(void *user, const struct registry_document *document,
                                  const struct error *err);

/* As registry_get_manifest(), without looking at what comes but for its digest.  `target->reference` is
 * not used. */
struct registry_call *registry_get_document(struct registry_client *client,
                                            const struct registry_target *target,
                                            const struct registry_document_request *document,
                                            uint32_t deadline_ms, registry_document_fn *done,
                                            void *user, struct error *err) MUST_CHECK;

/* `size` < 0: not known. */
struct registry_call *registry_get_blob(struct registry_client *client,
                                        const struct registry_target *target, const char *digest,
                                        int64_t size, uint32_t deadline_ms,
                                        registry_data_fn *on_data, registry_done_fn *done,
                                        void *user, struct error *err) MUST_CHECK;

/* Stop and go on reading: back-pressure for a slow consumer.  While paused no data come; the end of the
 * call may. */
void registry_call_pause(struct registry_call *call);
void registry_call_resume(struct registry_call *call);

/* No further callback. */
void registry_call_cancel(struct registry_call *call);
