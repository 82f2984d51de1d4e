#pragma once

#include "base/arena.h"
#include "base/cleanup.h"
#include "client/http.h"
#include "client/verb.h"

#include <protobuf-c/protobuf-c.h>

/* Calls to the gateway of one cluster.  Blocking: this is a command line. */
struct gateway;

#define cleanup_gateway CLEANUP(gateway_closep)

/* The gateway of the cluster, or of the one that is meant when `cluster` is NULL.  The token is
 * --token-file's, EOS_TOKEN's, or that of the cluster's entry.  Whatever the error, it is the command
 * line's or the configuration's: STATUS_INVALID_CONFIGURATION. */
struct gateway *gateway_open(const struct invocation *invocation, const char *cluster,
                             struct error *err) MUST_CHECK;
void gateway_close(struct gateway *gateway); /* NULL is a no-op */

const char *gateway_cluster(const struct gateway *gateway);
const char *gateway_url(const struct gateway *gateway);

/* Sends `request` as JSON (NULL: without a body) and decodes the answer into the arena.  A connection
 * that fails is tried again for GATEWAY_RETRY_MS, so every request must bear repetition: those that
 * change something carry a request id. */
bool gateway_call(struct gateway *gateway, const char *method, const char *path,
                  const ProtobufCMessage *request, const ProtobufCMessageDescriptor *type,
                  struct arena *arena, ProtobufCMessage **ret_response,
                  struct error *err) MUST_CHECK;

/* Of the calls from now on, instead of GATEWAY_TIMEOUT_MS. */
void gateway_set_timeout(struct gateway *gateway, uint32_t timeout_ms);

#define GATEWAY_RETRY_MS   2000
#define GATEWAY_TIMEOUT_MS 120000

/* Streams the body of the answer; a status of 300 or above becomes an error. */
bool gateway_stream(struct gateway *gateway, const struct http_request *request,
                    struct error *err) MUST_CHECK;

/* A random id for a request that must have its effect once. */
char *gateway_request_id(struct arena *arena);

DEFINE_CLEANUP(gateway_closep, struct gateway *, gateway_close)
