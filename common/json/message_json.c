#include "json/message_json.h"

/* Writes at most `size` - 1 characters of the lowerCamelCase form; `size` is over 0. */
static void camel_case(const char *proto_name, char *ret_name, size_t size)
{
    size_t len = 0;
    bool is_upper = false;
    for (const char *c = proto_name; *c && len + 1 < size; c++) {
        if (*c == '_') {
            is_upper = true;
            continue;
        }
        ret_name[len++] = (char)(is_upper && *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        is_upper = false;
    }
    ret_name[len] = '\0';
}

void message_json_add_name(struct text *out, const char *proto_name)
{
    size_t len = strlen(proto_name);
    text_reserve(out, len);
    camel_case(proto_name, out->ptr + out->len, len + 1);
    out->len += strlen(out->ptr + out->len);
}

static bool is_camel_case_of(const char *proto_name, struct slice name)
{
    size_t i = 0;
    bool is_upper = false;
    for (const char *c = proto_name; *c; c++) {
        if (*c == '_') {
            is_upper = true;
            continue;
        }
        char expected = (char)(is_upper && *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        if (i >= name.len || name.ptr[i++] != expected)
            return false;
        is_upper = false;
    }
    return i == name.len;
}

const ProtobufCFieldDescriptor *message_json_field(const ProtobufCMessageDescriptor *type,
                                                   struct slice name)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (slice_is(name, type->fields[i].name) || is_camel_case_of(type->fields[i].name, name))
            return &type->fields[i];
    return NULL;
}

const char *message_json_enum_name(const ProtobufCEnumDescriptor *type, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    return value ? value->name : NULL;
}
