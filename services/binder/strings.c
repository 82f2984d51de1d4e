#include "binder/strings.h"

#include <string.h>

static void visit_value(const ProtobufCFieldDescriptor *field, void *value, string_visit_fn *visit,
                        void *ctx)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        char **string = value;
        if (*string && (*string)[0])
            visit(ctx, string);
    } else {
        ProtobufCMessage **inner = value;
        if (*inner)
            message_visit_strings(*inner, visit, ctx);
    }
}

/* In an array for a repeated field; in a union, of which another part may be set, for a oneof. */
static void visit_field(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        string_visit_fn *visit, void *ctx)
{
    char *base = (char *)message;
    void *value = base + field->offset;
    void *quantifier = base + field->quantifier_offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        void **items = *(void ***)value;
        size_t count = *(size_t *)quantifier;
        for (size_t i = 0; i < count; i++)
            visit_value(field, &items[i], visit, ctx);
    } else if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
               *(uint32_t *)quantifier == field->id) {
        visit_value(field, value, visit, ctx);
    }
}

void message_visit_strings(ProtobufCMessage *message, string_visit_fn *visit, void *ctx)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
            visit_field(message, field, visit, ctx);
    }
}
