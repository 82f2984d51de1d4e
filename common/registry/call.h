#pragma once

#include "registry/client.h"
#include "registry/digest.h"
#include "registry/fetch.h"

/* A call asks one source after the other, until one of them has what is wanted: the mirrors, the
 * registry itself, and for a blob the URLs of its manifest.  Each try at a source is a fetch. */

enum source_kind { SOURCE_MIRROR, SOURCE_REGISTRY, SOURCE_FOREIGN };

struct source {
    enum source_kind kind;
    const char *base_url, *repository;
    const char *foreign_url; /* NULL but for SOURCE_FOREIGN */
};

struct registry_call {
    struct registry_client *client;
    struct registry_call *previous, *next;
    struct arena *arena;
    struct registry_target target;
    struct fetch *fetch;
    uint64_t deadline_at_ms;
    void *user;

    /* Begins at the source at hand; false when it cannot even begin. */
    bool (*start)(struct registry_call *call, struct error *err);
    struct source *sources;
    size_t source_count, at;
    struct error failure; /* the registry's, else the first */
    bool has_failure;
    struct text others;    /* who else failed: "https://mirror (not found)" */
    const char *reference; /* what is being fetched */
    int64_t expected_size; /* by the index, or by the caller; -1: not known */
    bool is_paused;

    /* of a manifest */
    registry_manifest_fn *on_manifest;
    bool choose_platform;
    unsigned depth;
    const char *known_digest; /* NULL: not to be asked about with HEAD */
    const char *platform;
    const char *index_digest;

    /* of a document */
    registry_document_fn *on_document;
    struct registry_document_request document;

    /* of a blob */
    registry_data_fn *on_data;
    registry_done_fn *on_done;
    struct digest_stream *digest;
    int64_t received;
    bool is_spoilt; /* what was given to on_data cannot go on with another source */
};

/* A call that is in the client's list; nothing begins yet.  NULL: it is malformed or there are too many. */
struct registry_call *call_new(struct registry_client *client, const struct registry_target *target,
                               uint32_t deadline_ms, void *user, struct error *err) MUST_CHECK;
void call_free(struct registry_call *call);

/* The end, with an error. */
void call_fail(struct registry_call *call, const struct error *err);

/* Begins with the first source that can; false when none can. */
bool call_begin(struct registry_call *call, struct error *err) MUST_CHECK;

/* The source at hand failed: goes on to the next, or ends with an error that names them all. */
void call_try_next(struct registry_call *call, const struct error *err);

/* What a fetch at the source at hand begins with. */
const struct source *call_source(const struct registry_call *call);
struct fetch_request call_request(const struct registry_call *call);
uint32_t call_time_left_ms(const struct registry_call *call);

/* What a document gets of it, so that something is left for the sources behind this one. */
uint32_t call_part_of_time_ms(const struct registry_call *call);

/* Starts it for the call. */
bool call_fetch(struct registry_call *call, const struct fetch_request *request,
                struct error *err) MUST_CHECK;

/* "sha256:…" rather than a tag. */
bool call_is_digest(const char *reference);
