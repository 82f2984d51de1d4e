#include "json/base64.h"
#include "json/message_json.h"

#include <inttypes.h>
#include <math.h>

struct writer {
    struct text *out;
    bool is_pretty;
    int depth;
};

typedef void write_fn(struct writer *writer, const ProtobufCFieldDescriptor *field,
                      const void *value);

static void write_message(struct writer *writer, const ProtobufCMessage *message);

static void line_break(struct writer *writer)
{
    if (!writer->is_pretty)
        return;
    text_add_char(writer->out, '\n');
    for (int i = 0; i < writer->depth; i++)
        text_add(writer->out, "  ");
}

static void write_int32(struct writer *writer, const ProtobufCFieldDescriptor *field,
                        const void *value)
{
    (void)field;
    text_printf(writer->out, "%" PRId32, *(const int32_t *)value);
}

static void write_uint32(struct writer *writer, const ProtobufCFieldDescriptor *field,
                         const void *value)
{
    (void)field;
    text_printf(writer->out, "%" PRIu32, *(const uint32_t *)value);
}

static void write_int64(struct writer *writer, const ProtobufCFieldDescriptor *field,
                        const void *value)
{
    (void)field;
    text_printf(writer->out, "\"%" PRId64 "\"", *(const int64_t *)value);
}

static void write_uint64(struct writer *writer, const ProtobufCFieldDescriptor *field,
                         const void *value)
{
    (void)field;
    text_printf(writer->out, "\"%" PRIu64 "\"", *(const uint64_t *)value);
}

static void write_bool(struct writer *writer, const ProtobufCFieldDescriptor *field,
                       const void *value)
{
    (void)field;
    text_add(writer->out, *(const protobuf_c_boolean *)value ? "true" : "false");
}

static bool write_special_number(struct writer *writer, double number)
{
    if (isnan(number))
        text_add(writer->out, "\"NaN\"");
    else if (isinf(number))
        text_add(writer->out, number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else
        return false;
    return true;
}

/* The shortest of the forms that read back as the same number. */
static void write_double(struct writer *writer, const ProtobufCFieldDescriptor *field,
                         const void *value)
{
    (void)field;
    double number = *(const double *)value;
    char digits[40] = "";
    if (write_special_number(writer, number))
        return;
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (!(strtod(digits, NULL) < number) && !(strtod(digits, NULL) > number))
            break;
    }
    text_add(writer->out, digits);
}

static void write_float(struct writer *writer, const ProtobufCFieldDescriptor *field,
                        const void *value)
{
    (void)field;
    float number = *(const float *)value;
    char digits[40] = "";
    if (write_special_number(writer, (double)number))
        return;
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)number);
        if (!(strtof(digits, NULL) < number) && !(strtof(digits, NULL) > number))
            break;
    }
    text_add(writer->out, digits);
}

static void write_enum(struct writer *writer, const ProtobufCFieldDescriptor *field,
                       const void *value)
{
    int number = *(const int *)value;
    const char *name = message_json_enum_name(field->descriptor, number);
    if (name)
        text_printf(writer->out, "\"%s\"", name);
    else
        text_printf(writer->out, "%d", number);
}

static void write_string(struct writer *writer, const ProtobufCFieldDescriptor *field,
                         const void *value)
{
    (void)field;
    const char *string = *(char *const *)value;
    text_add_json_string(writer->out, slice_of(string ? string : ""));
}

static void write_bytes(struct writer *writer, const ProtobufCFieldDescriptor *field,
                        const void *value)
{
    (void)field;
    const ProtobufCBinaryData *bytes = value;
    text_add_char(writer->out, '"');
    base64_encode((struct slice){ (const char *)bytes->data, bytes->len }, writer->out);
    text_add_char(writer->out, '"');
}

static void write_submessage(struct writer *writer, const ProtobufCFieldDescriptor *field,
                             const void *value)
{
    (void)field;
    write_message(writer, *(ProtobufCMessage *const *)value);
}

static const struct {
    write_fn *write;
    size_t size; /* of one element of a repeated field */
} kinds[] = {
    // clang-format off
    [PROTOBUF_C_TYPE_INT32]    = { write_int32,      sizeof(int32_t) },
    [PROTOBUF_C_TYPE_SINT32]   = { write_int32,      sizeof(int32_t) },
    [PROTOBUF_C_TYPE_SFIXED32] = { write_int32,      sizeof(int32_t) },
    [PROTOBUF_C_TYPE_INT64]    = { write_int64,      sizeof(int64_t) },
    [PROTOBUF_C_TYPE_SINT64]   = { write_int64,      sizeof(int64_t) },
    [PROTOBUF_C_TYPE_SFIXED64] = { write_int64,      sizeof(int64_t) },
    [PROTOBUF_C_TYPE_UINT32]   = { write_uint32,     sizeof(uint32_t) },
    [PROTOBUF_C_TYPE_FIXED32]  = { write_uint32,     sizeof(uint32_t) },
    [PROTOBUF_C_TYPE_UINT64]   = { write_uint64,     sizeof(uint64_t) },
    [PROTOBUF_C_TYPE_FIXED64]  = { write_uint64,     sizeof(uint64_t) },
    [PROTOBUF_C_TYPE_FLOAT]    = { write_float,      sizeof(float) },
    [PROTOBUF_C_TYPE_DOUBLE]   = { write_double,     sizeof(double) },
    [PROTOBUF_C_TYPE_BOOL]     = { write_bool,       sizeof(protobuf_c_boolean) },
    [PROTOBUF_C_TYPE_ENUM]     = { write_enum,       sizeof(int) },
    [PROTOBUF_C_TYPE_STRING]   = { write_string,     sizeof(char *) },
    [PROTOBUF_C_TYPE_BYTES]    = { write_bytes,      sizeof(ProtobufCBinaryData) },
    [PROTOBUF_C_TYPE_MESSAGE]  = { write_submessage, sizeof(ProtobufCMessage *) },
    // clang-format on
};

static void write_repeated(struct writer *writer, const ProtobufCFieldDescriptor *field,
                           const char *base)
{
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    const char *items = *(char *const *)(base + field->offset);

    text_add_char(writer->out, '[');
    writer->depth++;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_add_char(writer->out, ',');
        line_break(writer);
        kinds[field->type].write(writer, field, items + i * kinds[field->type].size);
    }
    writer->depth--;
    if (count > 0)
        line_break(writer);
    text_add_char(writer->out, ']');
}

/* Scalars without presence always count as set; so do the members of a oneof that is on them. */
static bool is_set(const ProtobufCFieldDescriptor *field, const char *base)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return true;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
        *(const uint32_t *)(base + field->quantifier_offset) != field->id)
        return false;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(ProtobufCMessage *const *)(base + field->offset) != NULL;
    return true;
}

static void write_message(struct writer *writer, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const char *base = (const char *)message;
    bool is_empty = true;

    text_add_char(writer->out, '{');
    writer->depth++;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (!is_set(field, base))
            continue;
        if (!is_empty)
            text_add_char(writer->out, ',');
        is_empty = false;
        line_break(writer);
        text_add_char(writer->out, '"');
        message_json_add_name(writer->out, field->name);
        text_add(writer->out, writer->is_pretty ? "\": " : "\":");
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            write_repeated(writer, field, base);
        else
            kinds[field->type].write(writer, field, base + field->offset);
    }
    writer->depth--;
    if (!is_empty)
        line_break(writer);
    text_add_char(writer->out, '}');
}

void message_to_json(const ProtobufCMessage *message, struct text *out)
{
    struct writer writer = { .out = out };
    write_message(&writer, message);
}

void message_to_json_pretty(const ProtobufCMessage *message, struct text *out)
{
    struct writer writer = { .out = out, .is_pretty = true };
    write_message(&writer, message);
    text_add_char(out, '\n');
}
