#include "io/rpc_payload.h"

struct budget {
    struct arena *arena;
    size_t limit;
    bool is_over;
};

static void *budget_alloc(void *data, size_t size)
{
    struct budget *budget = data;
    if (size > budget->limit || arena_used(budget->arena) > budget->limit - size) {
        budget->is_over = true;
        return NULL;
    }
    return arena_alloc(budget->arena, size);
}

static void budget_free(void *data, void *pointer)
{
    (void)data, (void)pointer; /* dies with the arena */
}

static bool check_strings(const ProtobufCMessage *message);

static bool check_value(const ProtobufCFieldDescriptor *field, const void *value)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *)value;
        return !text || slice_is_utf8(slice_of(text));
    }
    const ProtobufCMessage *nested = *(const ProtobufCMessage *const *)value;
    return !nested || check_strings(nested);
}

static bool check_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = *(const size_t *)(base + field->quantifier_offset);
        const char *values = *(const char *const *)(base + field->offset);
        for (size_t i = 0; i < count; i++)
            if (!check_value(field, values + i * sizeof(void *)))
                return false;
        return true;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
        *(const uint32_t *)(base + field->quantifier_offset) != field->id)
        return true;
    return check_value(field, base + field->offset);
}

/* Our messages do not nest in themselves, so the depth is that of the protos. */
static bool check_strings(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++) {
        ProtobufCType kind = type->fields[i].type;
        if ((kind == PROTOBUF_C_TYPE_STRING || kind == PROTOBUF_C_TYPE_MESSAGE) &&
            !check_field(message, &type->fields[i]))
            return false;
    }
    return true;
}

bool rpc_payload_decode(const ProtobufCMessageDescriptor *type, struct slice bytes,
                        struct arena *arena, ProtobufCMessage **ret_message, struct error *err)
{
    struct budget budget = { .arena = arena, .limit = RPC_DECODED_BYTES };
    ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, bytes.len, (const uint8_t *)bytes.ptr);

    if (!message && budget.is_over)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "message takes more than %u MiB of memory",
                         RPC_DECODED_BYTES >> 20);
    if (!message)
        return error_set(err, ERROR_INVALID_ARGUMENT, "payload is not a message of type %s",
                         type->name);
    if (!check_strings(message))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "a string in the message of type %s is not valid UTF-8", type->name);
    *ret_message = message;
    return true;
}
