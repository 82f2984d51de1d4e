#include "gateway/request_id.h"

#include "base/text.h"

#include <sodium.h>

void request_id_fill(ProtobufCMessage *request, struct arena *arena)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "request_id");
    if (!field)
        return;
    char **id = (char **)((char *)request + field->offset);
    uint8_t random[16];
    cleanup_text struct text hex = TEXT_INIT;
    if ((*id)[0])
        return;
    randombytes_buf(random, sizeof random);
    text_add_hex(&hex, random, sizeof random);
    *id = arena_strdup(arena, text_string(&hex));
}
