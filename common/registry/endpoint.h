#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "registry/reference.h"

/* Where registries are, and which of them may be asked without TLS.
 *
 * Aurora's default: images of it are written without a host. */
#define REGISTRY_DEFAULT_URL "https://registry-1.docker.io"

/* The hosts that may speak plain HTTP besides loopback: "host" (any port) or "host:port". */
struct insecure_hosts {
    const char *const *items;
    size_t count;
};

/* An http or https URL up to its path. */
struct origin {
    struct slice scheme;    /* "http" or "https" */
    struct slice authority; /* "host:port", as written */
    struct slice host;      /* without brackets */
    unsigned port;          /* the scheme's when none is written */
    struct slice rest;      /* path and query, may be empty */
};

/* The parts point into `url`.  INVALID_ARGUMENT: not http(s), no host, a user name, a byte that does
 * not belong into a URL. */
bool origin_parse(struct slice url, struct origin *ret_origin, struct error *err) MUST_CHECK;

/* Same scheme, host and port: only then credentials may go along. */
bool origin_equal(const struct origin *a, const struct origin *b);

/* "localhost", below ".localhost", 127.0.0.0/8 or ::1. */
bool origin_is_loopback(const struct origin *origin);

/* Whether `url` may be asked at all: with TLS always, else FAILED_PRECONDITION unless it is loopback
 * or listed. */
bool origin_check_security(const struct origin *origin, const struct insecure_hosts *insecure,
                           struct error *err) MUST_CHECK;

/* A base URL of a registry, such as clusters.json's docker_registry: no path but "/". */
bool endpoint_check(struct slice base_url, struct error *err) MUST_CHECK;

/* One name for every way to write a host: lower case, without the port 443, "docker.io" for Docker's. */
char *endpoint_key(struct slice authority, struct arena *arena);

/* Which registry has an image, and what it is called there. */
struct endpoint {
    const char *base_url;   /* without a slash at the end */
    const char *repository; /* with "library/" where Docker's registry needs it */
};

/* A reference with a host goes there: with http when the host is loopback or listed as insecure, but
 * for port 443; and with the scheme of `default_url` when it is that host.  Docker's names for its
 * registry are understood.  One without a host goes to `default_url`, which has been checked. */
void endpoint_find(const struct image_reference *reference, const char *default_url,
                   const struct insecure_hosts *insecure, struct arena *arena,
                   struct endpoint *ret_endpoint);
