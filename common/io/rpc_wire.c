#include "io/rpc_wire.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

#define VARINT_MAX 10
#define TAG_MAX    2
#define KEY_MAX    64u

/* -- reading -------------------------------------------------------------------------------------- */

/* One field of a message: a number for the fixed and variable types, or the bytes. */
struct field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;
    struct slice bytes;
};

static bool read_varint(struct slice *from, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < from->len && i < VARINT_MAX; i++) {
        unsigned char byte = (unsigned char)from->ptr[i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *from = (struct slice){ from->ptr + i + 1, from->len - i - 1 };
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct slice *from, size_t size, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (from->len < size)
        return false;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)(unsigned char)from->ptr[i] << (8 * i);
    *from = (struct slice){ from->ptr + size, from->len - size };
    *ret_value = value;
    return true;
}

static bool read_bytes(struct slice *from, struct slice *ret_bytes)
{
    uint64_t len;
    if (!read_varint(from, &len) || len > from->len)
        return false;
    *ret_bytes = (struct slice){ from->ptr, len };
    *from = (struct slice){ from->ptr + len, from->len - len };
    return true;
}

static bool read_field(struct slice *from, struct field *ret_field)
{
    uint64_t tag;
    *ret_field = (struct field){ 0 };
    if (!read_varint(from, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
        return false;
    ret_field->number = (uint32_t)(tag >> 3);
    ret_field->type = tag & 7;
    switch (ret_field->type) {
    case WIRE_VARINT:
        return read_varint(from, &ret_field->value);
    case WIRE_FIXED64:
        return read_fixed(from, 8, &ret_field->value);
    case WIRE_FIXED32:
        return read_fixed(from, 4, &ret_field->value);
    case WIRE_BYTES:
        return read_bytes(from, &ret_field->bytes);
    }
    return false;
}

static bool malformed(struct error *err)
{
    return error_set(err, ERROR_INVALID_ARGUMENT, "message is malformed");
}

static bool take_metadata(struct rpc_wire_call *call, struct slice bytes, struct error *err)
{
    struct field field;
    if (call->metadata_count == RPC_METADATA_MAX)
        return error_set(err, ERROR_INVALID_ARGUMENT, "message has more than %u metadata entries",
                         RPC_METADATA_MAX);
    struct rpc_metadata *entry = &call->metadata[call->metadata_count++];
    *entry = (struct rpc_metadata){ 0 };
    while (bytes.len > 0) {
        if (!read_field(&bytes, &field))
            return malformed(err);
        if (field.type == WIRE_BYTES && field.number == 1)
            entry->key = field.bytes;
        else if (field.type == WIRE_BYTES && field.number == 2)
            entry->value = field.bytes;
    }
    if (entry->key.len > KEY_MAX || entry->value.len > RPC_METADATA_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "metadata is longer than %u bytes",
                         RPC_METADATA_BYTES);
    return true;
}

#define FIELD(number, type) ((number) << 3 | (type))

static bool take_call_field(struct rpc_wire_call *call, const struct field *field,
                            struct error *err)
{
    switch (FIELD(field->number, field->type)) {
    case FIELD(1, WIRE_VARINT):
        if (field->value >= RPC_CALL_KIND_COUNT)
            return error_set(err, ERROR_INVALID_ARGUMENT, "message is of an unknown kind");
        call->kind = (enum rpc_call_kind)field->value;
        break;
    case FIELD(2, WIRE_FIXED64):
        call->client_id = field->value;
        break;
    case FIELD(3, WIRE_FIXED64):
        call->call_id = field->value;
        break;
    case FIELD(4, WIRE_BYTES):
        call->method = field->bytes;
        break;
    case FIELD(5, WIRE_VARINT):
        call->time_left_ms = (uint32_t)field->value;
        break;
    case FIELD(6, WIRE_BYTES):
        return take_metadata(call, field->bytes, err);
    case FIELD(7, WIRE_BYTES):
        call->payload = field->bytes;
        break;
    case FIELD(8, WIRE_VARINT):
        call->chunk = (uint32_t)field->value;
        break;
    case FIELD(9, WIRE_VARINT):
        call->has_more = field->value != 0;
        break;
    case FIELD(10, WIRE_FIXED32):
        call->connection = (uint32_t)field->value;
        break;
    case FIELD(11, WIRE_VARINT):
        call->received = field->value;
        break;
    case FIELD(12, WIRE_VARINT):
        call->credit = (uint32_t)field->value;
        break;
    case FIELD(13, WIRE_FIXED64):
        call->server = field->value;
        break;
    default:
        break;
    }
    return true;
}

void rpc_wire_call_init(struct rpc_wire_call *call, enum rpc_call_kind kind, uint64_t call_id)
{
    memset(call, 0, offsetof(struct rpc_wire_call, metadata));
    memset((char *)call + offsetof(struct rpc_wire_call, metadata_count), 0,
           sizeof *call - offsetof(struct rpc_wire_call, metadata_count));
    call->kind = kind;
    call->call_id = call_id;
}

bool rpc_wire_decode_call(struct slice bytes, struct rpc_wire_call *ret_call, struct error *err)
{
    struct field field;
    rpc_wire_call_init(ret_call, RPC_REQUEST, 0);
    while (bytes.len > 0) {
        if (!read_field(&bytes, &field))
            return malformed(err);
        if (!take_call_field(ret_call, &field, err))
            return false;
    }
    if (ret_call->client_id == 0 || ret_call->call_id == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "message has no client or call id");
    if (ret_call->method.len > RPC_METHOD_MAX || ret_call->payload.len > RPC_CHUNK_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "message is over a limit");
    return true;
}

struct slice rpc_wire_metadata(const struct rpc_wire_call *call, const char *key)
{
    for (size_t i = 0; i < call->metadata_count; i++) {
        struct slice value = call->metadata[i].value;
        if (slice_is(call->metadata[i].key, key) && slice_is_utf8(value) && value.len > 0 &&
            !memchr(value.ptr, 0, value.len))
            return value;
    }
    return (struct slice){ NULL, 0 };
}

static bool take_status(struct rpc_wire_reply *reply, struct slice bytes)
{
    struct field field;
    reply->has_status = true;
    while (bytes.len > 0) {
        if (!read_field(&bytes, &field))
            return false;
        if (FIELD(field.number, field.type) == FIELD(1, WIRE_VARINT))
            reply->code = (uint32_t)field.value;
        else if (FIELD(field.number, field.type) == FIELD(2, WIRE_BYTES))
            reply->message = field.bytes;
    }
    return true;
}

static bool take_reply_field(struct rpc_wire_reply *reply, const struct field *field)
{
    switch (FIELD(field->number, field->type)) {
    case FIELD(1, WIRE_FIXED64):
        reply->call_id = field->value;
        break;
    case FIELD(2, WIRE_BYTES):
        return take_status(reply, field->bytes);
    case FIELD(3, WIRE_BYTES):
        reply->payload = field->bytes;
        break;
    case FIELD(4, WIRE_VARINT):
        reply->chunk = (uint32_t)field->value;
        break;
    case FIELD(5, WIRE_VARINT):
        reply->has_more = field->value != 0;
        break;
    case FIELD(6, WIRE_VARINT):
        reply->is_last = field->value != 0;
        break;
    case FIELD(7, WIRE_VARINT):
        reply->is_refused = field->value != 0;
        break;
    case FIELD(8, WIRE_FIXED32):
        reply->connection = (uint32_t)field->value;
        break;
    case FIELD(9, WIRE_FIXED64):
        reply->server = field->value;
        break;
    case FIELD(10, WIRE_VARINT):
        reply->sent = field->value;
        break;
    case FIELD(11, WIRE_VARINT):
        reply->heartbeat_ms = (uint32_t)field->value;
        break;
    default:
        break;
    }
    return true;
}

bool rpc_wire_decode_reply(struct slice bytes, struct rpc_wire_reply *ret_reply, struct error *err)
{
    struct field field;
    *ret_reply = (struct rpc_wire_reply){ 0 };
    while (bytes.len > 0)
        if (!read_field(&bytes, &field) || !take_reply_field(ret_reply, &field))
            return malformed(err);
    if (ret_reply->call_id == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "message has no call id");
    if (ret_reply->payload.len > RPC_CHUNK_BYTES)
        return error_set(err, ERROR_INVALID_ARGUMENT, "message is over a limit");
    return true;
}

/* -- writing -------------------------------------------------------------------------------------- */

static char *put_varint(char *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (char)(value | 0x80);
        value >>= 7;
    }
    *to++ = (char)value;
    return to;
}

static char *put_number(char *to, uint32_t field, uint64_t value)
{
    if (value == 0)
        return to;
    return put_varint(put_varint(to, FIELD(field, WIRE_VARINT)), value);
}

static char *put_fixed(char *to, uint32_t field, size_t size, uint64_t value)
{
    if (value == 0)
        return to;
    to = put_varint(to, FIELD(field, size == 8 ? WIRE_FIXED64 : WIRE_FIXED32));
    for (size_t i = 0; i < size; i++)
        *to++ = (char)(value >> (8 * i));
    return to;
}

static char *put_length(char *to, uint32_t field, size_t len)
{
    return put_varint(put_varint(to, FIELD(field, WIRE_BYTES)), len);
}

static char *put_bytes(char *to, uint32_t field, struct slice bytes)
{
    if (bytes.len == 0)
        return to;
    to = put_length(to, field, bytes.len);
    memcpy(to, bytes.ptr, bytes.len);
    return to + bytes.len;
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

static size_t bytes_size(struct slice bytes)
{
    return bytes.len == 0 ? 0 : 1 + varint_size(bytes.len) + bytes.len;
}

#define NUMBERS_MAX 100u /* tags and values of everything of fixed size, and the payload's length */

size_t rpc_wire_call_max(const struct rpc_wire_call *call)
{
    size_t max = NUMBERS_MAX + bytes_size(call->method);
    for (size_t i = 0; i < call->metadata_count; i++)
        max += TAG_MAX + VARINT_MAX + bytes_size(call->metadata[i].key) +
               bytes_size(call->metadata[i].value);
    return max;
}

static char *put_metadata(char *to, const struct rpc_metadata *entry)
{
    to = put_length(to, 6, bytes_size(entry->key) + bytes_size(entry->value));
    return put_bytes(put_bytes(to, 1, entry->key), 2, entry->value);
}

size_t rpc_wire_encode_call(const struct rpc_wire_call *call, char *to)
{
    const char *start = to;
    to = put_number(to, 1, call->kind);
    to = put_fixed(to, 2, 8, call->client_id);
    to = put_fixed(to, 3, 8, call->call_id);
    to = put_bytes(to, 4, call->method);
    to = put_number(to, 5, call->time_left_ms);
    for (size_t i = 0; i < call->metadata_count; i++)
        to = put_metadata(to, &call->metadata[i]);
    to = put_number(to, 8, call->chunk);
    to = put_number(to, 9, call->has_more);
    to = put_fixed(to, 10, 4, call->connection);
    to = put_number(to, 11, call->received);
    to = put_number(to, 12, call->credit);
    to = put_fixed(to, 13, 8, call->server);
    if (call->payload.len > 0)
        to = put_length(to, 7, call->payload.len);
    return (size_t)(to - start);
}

size_t rpc_wire_reply_max(const struct rpc_wire_reply *reply)
{
    return NUMBERS_MAX + TAG_MAX + VARINT_MAX + bytes_size(reply->message);
}

static size_t status_size(const struct rpc_wire_reply *reply)
{
    return (reply->code ? 1 + varint_size(reply->code) : 0) + bytes_size(reply->message);
}

size_t rpc_wire_encode_reply(const struct rpc_wire_reply *reply, char *to)
{
    const char *start = to;
    to = put_fixed(to, 1, 8, reply->call_id);
    if (reply->has_status) {
        to = put_length(to, 2, status_size(reply));
        to = put_bytes(put_number(to, 1, reply->code), 2, reply->message);
    }
    to = put_number(to, 4, reply->chunk);
    to = put_number(to, 5, reply->has_more);
    to = put_number(to, 6, reply->is_last);
    to = put_number(to, 7, reply->is_refused);
    to = put_fixed(to, 8, 4, reply->connection);
    to = put_fixed(to, 9, 8, reply->server);
    to = put_number(to, 10, reply->sent);
    to = put_number(to, 11, reply->heartbeat_ms);
    if (reply->payload.len > 0)
        to = put_length(to, 3, reply->payload.len);
    return (size_t)(to - start);
}
