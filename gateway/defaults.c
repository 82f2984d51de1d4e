#include "gateway/defaults.h"

#include "base/text.h"

#include <assert.h>
#include <sodium.h>

void default_text(ProtobufCMessage *request, const char *field, const char *value)
{
    const ProtobufCFieldDescriptor *found =
        protobuf_c_message_descriptor_get_field_by_name(request->descriptor, field);
    if (!found)
        return;
    assert(found->type == PROTOBUF_C_TYPE_STRING && found->label == PROTOBUF_C_LABEL_NONE);
    char **text = (char **)((char *)request + found->offset);
    if (!(*text)[0])
        *text = (char *)value;
}

void default_request_id(ProtobufCMessage *request, struct arena *arena)
{
    uint8_t random[16];
    cleanup_text struct text hex = TEXT_INIT;
    randombytes_buf(random, sizeof random);
    text_add_hex(&hex, random, sizeof random);
    default_text(request, "request_id", arena_strdup(arena, text_string(&hex)));
}
