#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/text.h"

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

/* The JSON form of proto3 for protobuf-c messages, driven by their descriptors: names in
 * lowerCamelCase, 64-bit integers as strings, enums by name, bytes as base64.  Computes only; may
 * be linked into a core.  Maps, groups, extensions and google.protobuf.* types do not occur. */

#define MESSAGE_JSON_MAX_BYTES  (24u << 20)  /* of one JSON text */
#define MESSAGE_JSON_MAX_DEPTH  32           /* of objects and arrays in one another */
#define MESSAGE_JSON_MAX_VALUES 500000       /* values in one text: bounds what parsing allocates */
#define MESSAGE_JSON_MAX_MEMORY (128u << 20) /* of the arena, for one message */

/* What a name that is no field of the message means.  A server rejects it, so that a misspelling is
 * not silently without effect; a client ignores it, so that it understands a newer server. */
enum message_json_unknown { MESSAGE_JSON_REJECT_UNKNOWN, MESSAGE_JSON_IGNORE_UNKNOWN };

/* Adds one line without a newline.  Fields come in the order of their numbers and with their default
 * values, so output is stable; only messages and oneofs that are not set are left out.  NaN and
 * infinities are the strings "NaN", "Infinity" and "-Infinity".  An enum value without a name comes
 * out as its number. */
void message_to_json(const ProtobufCMessage *message, struct text *out);

/* The same over several lines, indented by two spaces, with a newline at the end. */
void message_to_json_pretty(const ProtobufCMessage *message, struct text *out);

/* Makes a message of `type` in `arena` from one JSON object; `*ret_message` dies with the arena.
 * Takes names in lowerCamelCase and as in the proto, integers as numbers or strings, enums by name
 * or number, bytes in base64 or base64url, null as "not set".
 *
 * INVALID_ARGUMENT otherwise; the sentence begins with the line and column of a syntax error, or with
 * the path of the value: "job.taskConfig.resources[2].ramMb: expected an integer".  OUT_OF_RANGE for
 * numbers that do not fit.  What is over one of the limits above is INVALID_ARGUMENT too: trying again
 * would not help. */
bool message_from_json(struct slice json, const ProtobufCMessageDescriptor *type,
                       enum message_json_unknown unknown, struct arena *arena,
                       ProtobufCMessage **ret_message, struct error *err) MUST_CHECK;

/* As message_from_json() for a value that is parsed already; borrowed only during the call. */
bool message_from_json_value(const json_t *value, const ProtobufCMessageDescriptor *type,
                             enum message_json_unknown unknown, struct arena *arena,
                             ProtobufCMessage **ret_message, struct error *err) MUST_CHECK;

/* Parses any JSON text within the limits above; release with json_decref().  Names that occur twice in
 * an object, invalid UTF-8 and NUL characters are INVALID_ARGUMENT. */
bool json_parse(struct slice json, json_t **ret_value, struct error *err) MUST_CHECK;

/* The field that `name` means, in lowerCamelCase or as in the proto; NULL when there is none. */
const ProtobufCFieldDescriptor *message_json_field(const ProtobufCMessageDescriptor *type,
                                                   struct slice name);

/* Adds the name of a field in lowerCamelCase. */
void message_json_add_name(struct text *out, const char *proto_name);

/* The name of an enum value, or NULL when the number has none. */
const char *message_json_enum_name(const ProtobufCEnumDescriptor *type, int number);
