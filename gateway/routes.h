#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/text.h"

#include <protobuf-c/protobuf-c.h>

/* The public API as a table: which method and path is answered by which call of which service. */

enum route_answer {
    ROUTE_FORWARD,      /* one call to `backend`, its response as JSON */
    ROUTE_LAUNCHER,     /* the same, to the launcher that has the task */
    ROUTE_LOG,          /* a stream from the launcher that has the task */
    ROUTE_HOSTS,        /* one call to the launcher of {host}, or to all of them */
    ROUTE_HOSTS_STREAM, /* the same with a stream */
    ROUTE_CREATE_JOB,
    ROUTE_VERSION,
    ROUTE_HEALTH,
    ROUTE_METRICS,
    ROUTE_ANSWER_COUNT
};

enum backend { BACKEND_CONFIG, BACKEND_BINDER, BACKEND_SCHEDULER, BACKEND_COUNT };

/* "config", "binder", "scheduler". */
const char *backend_name(enum backend backend);

/* For a sentence: "the configuration compiler". */
const char *backend_title(enum backend backend);

struct route {
    const char *method;
    const char *path; /* "{a.b}" stands for one segment: the field of that name;
                         "{host}" for one of the cluster's hosts */
    enum route_answer answer;
    enum backend backend;
    const ProtobufCServiceDescriptor *service; /* NULL: no call */
    const char *call;
    const ProtobufCMessageDescriptor *request; /* what query, path and body make; NULL: nothing */
    const char *defaults; /* a query that stands for what the request leaves out; NULL: none */
    bool is_open;         /* answered without a token */
};

#define ROUTE_MAX_PARAMETERS 4

struct route_match {
    const struct route *route;
    struct {
        struct slice name; /* of the field, as in the row */
        const char *value; /* decoded */
    } parameters[ROUTE_MAX_PARAMETERS];
    size_t parameter_count;
};

/* HEAD finds the row of GET, except for streams.  NOT_FOUND when no row has the path; UNIMPLEMENTED
 * when the method is another one, and then `allowed` lists the methods, such as "GET, HEAD". */
bool route_find(struct slice method, struct slice path, struct arena *arena,
                struct route_match *ret_match, struct text *allowed, struct error *err) MUST_CHECK;

/* Makes the request message of the row from the path's parameters, the query and the JSON body ("" is
 * an empty object).  INVALID_ARGUMENT names the field. */
bool route_request(const struct route_match *match, struct slice query, struct slice body,
                   struct arena *arena, ProtobufCMessage **ret_request,
                   struct error *err) MUST_CHECK;

/* All rows, for tests and metrics; ends with a row without method. */
extern const struct route routes[];
