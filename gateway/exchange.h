#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "gateway/http_reader.h"
#include "gateway/routes.h"

#include <uv.h>

/* One request and its answer, as the handlers see it.
 *
 * A handler ends each exchange exactly once, with exchange_reply…(), exchange_fail…() or
 * exchange_stream_end(), at once or later; it is gone after that.  When the client goes first, `abort`
 * is called instead: then the handler cancels what it has under way, and the exchange is gone. */
struct exchange;

const struct http_request *exchange_request(const struct exchange *exchange);
const struct route_match *exchange_match(const struct exchange *exchange);
struct arena *exchange_arena(struct exchange *exchange); /* dies with the exchange */
uv_loop_t *exchange_loop(const struct exchange *exchange);
const char *exchange_traceparent(const struct exchange *exchange); /* always valid */

/* Makes the request message of the route; see route_request(). */
bool exchange_decode(struct exchange *exchange, ProtobufCMessage **ret_request,
                     struct error *err) MUST_CHECK;

void exchange_on_abort(struct exchange *exchange, void (*on_abort)(void *user), void *user);

/* -- whole answers -------------------------------------------------------------------------------- */

void exchange_reply(struct exchange *exchange, int status, const char *content_type,
                    struct slice body);
void exchange_reply_message(struct exchange *exchange, const ProtobufCMessage *message);
void exchange_fail(struct exchange *exchange, const struct error *err);

/* With another status than the code's own (0: its own) and diagnostics for the document (NULL: none). */
void exchange_fail_with(struct exchange *exchange, int status, const struct error *err,
                        const char *diagnostics);

/* -- answers in parts ----------------------------------------------------------------------------- */

/* `headers` are whole lines with CR LF, or "". */
void exchange_stream_start(struct exchange *exchange, const char *content_type,
                           const char *headers);
bool exchange_stream_has_started(const struct exchange *exchange);

/* False when more than EXCHANGE_HIGH_WATER bytes wait for the client: then stop, until `on_writable`
 * tells that less than EXCHANGE_LOW_WATER do. */
bool exchange_stream_write(struct exchange *exchange, struct slice bytes);
void exchange_on_writable(struct exchange *exchange, void (*on_writable)(void *user));

void exchange_stream_end(struct exchange *exchange);

/* Ends a stream that failed half-way, so that the client does not take it for whole. */
void exchange_stream_break(struct exchange *exchange);

/* Called when the server drains, for answers that have no end of their own. */
void exchange_on_drain(struct exchange *exchange, void (*on_drain)(void *user));

#define EXCHANGE_HIGH_WATER (256u << 10)
#define EXCHANGE_LOW_WATER  (64u << 10)
