#include "base/cleanup.h"
#include "json/base64.h"
#include "json/message_json.h"

#include <math.h>

/* Where in the text a value stands; a list from the inside out, made into "job.ports[2]" when there
 * is something to complain about. */
struct place {
    const struct place *outer;
    const char *name; /* as in the proto; NULL: an element of an array */
    size_t index;
};

struct decoder {
    struct arena *arena;
    size_t arena_used_before;
    enum message_json_unknown unknown;
    struct error *err;
};

typedef bool decode_fn(struct decoder *decoder, const struct place *place,
                       const ProtobufCFieldDescriptor *field, const json_t *value, void *ret_value);

static bool decode_message(struct decoder *decoder, const struct place *place,
                           const ProtobufCMessageDescriptor *type, const json_t *value,
                           ProtobufCMessage **ret_message);

/* -- errors that name their place ----------------------------------------------------------------- */

static void add_path(struct text *path, const struct place *place)
{
    if (!place)
        return;
    add_path(path, place->outer);
    if (!place->name) {
        text_printf(path, "[%zu]", place->index);
        return;
    }
    if (path->len > 0)
        text_add_char(path, '.');
    message_json_add_name(path, place->name);
}

__attribute__((format(printf, 4, 5))) static bool fail(struct decoder *decoder,
                                                       const struct place *place,
                                                       enum error_code code, const char *fmt, ...)
{
    cleanup_text struct text sentence = TEXT_INIT;
    add_path(&sentence, place);
    if (sentence.len > 0)
        text_add(&sentence, ": ");
    va_list ap;
    va_start(ap, fmt);
    text_vprintf(&sentence, fmt, ap);
    va_end(ap);
    return error_set(decoder->err, code, "%s", text_string(&sentence));
}

static bool fail_type(struct decoder *decoder, const struct place *place, const char *expected)
{
    return fail(decoder, place, ERROR_INVALID_ARGUMENT, "expected %s", expected);
}

/* How many single-character changes lead from one name to the other; big when they are far apart. */
static unsigned name_distance(struct slice a, const char *b)
{
    enum { MAX_NAME = 40 };
    size_t b_len = strlen(b);
    unsigned row[MAX_NAME + 1];
    if (a.len > MAX_NAME || b_len > MAX_NAME)
        return MAX_NAME;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned change = diagonal + (a.ptr[i - 1] != b[j - 1]);
            diagonal = row[j];
            unsigned shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < shorter ? change : shorter;
        }
    }
    return row[b_len];
}

struct suggestion {
    struct text name;
    unsigned distance;
};

static void suggest(struct suggestion *best, struct slice given, const char *name)
{
    unsigned distance = name_distance(given, name);
    if (distance >= best->distance)
        return;
    best->distance = distance;
    text_clear(&best->name);
    text_add(&best->name, name);
}

static struct suggestion suggestion_for(struct slice given)
{
    return (struct suggestion){ .distance = given.len < 6 ? 2 : 3 };
}

static bool is_identifier(struct slice name)
{
    if (name.len == 0 || name.len > 64)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') ||
              (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z') ||
              (name.ptr[i] >= '0' && name.ptr[i] <= '9') || name.ptr[i] == '_'))
            return false;
    return true;
}

/* The one place where a name that a peer chose is repeated, so only if it looks like a name. */
static bool fail_unknown_field(struct decoder *decoder, const struct place *place,
                               const ProtobufCMessageDescriptor *type, struct slice name)
{
    if (!is_identifier(name))
        return fail(decoder, place, ERROR_INVALID_ARGUMENT,
                    "unknown field, its name is not an identifier");

    struct suggestion best = suggestion_for(name);
    for (unsigned i = 0; i < type->n_fields; i++) {
        cleanup_text struct text camel = TEXT_INIT;
        message_json_add_name(&camel, type->fields[i].name);
        suggest(&best, name, text_string(&camel));
    }
    const char *dot = place ? "." : "";
    cleanup_text struct text path = TEXT_INIT;
    add_path(&path, place);
    if (best.name.len > 0)
        error_set(decoder->err, ERROR_INVALID_ARGUMENT,
                  "%s%s%.*s: unknown field, did you mean \"%s\"?", text_string(&path), dot,
                  SLICE_ARG(name), text_string(&best.name));
    else
        error_set(decoder->err, ERROR_INVALID_ARGUMENT, "%s%s%.*s: unknown field",
                  text_string(&path), dot, SLICE_ARG(name));
    text_done(&best.name);
    return false;
}

/* -- numbers -------------------------------------------------------------------------------------- */

static struct slice string_slice(const json_t *value)
{
    return (struct slice){ json_string_value(value), json_string_length(value) };
}

/* 1.0 and 1e3 are integers too. */
static bool is_integral(const json_t *value)
{
    double number = json_real_value(value);
    return json_is_real(value) && !(number < -0x1p53) && !(number > 0x1p53) &&
           !(trunc(number) < number) && !(trunc(number) > number);
}

static bool decode_signed(struct decoder *decoder, const struct place *place, const json_t *value,
                          int64_t min, int64_t max, int64_t *ret_value)
{
    int64_t number = 0;
    if (json_is_integer(value))
        number = json_integer_value(value);
    else if (is_integral(value))
        number = (int64_t)json_real_value(value);
    else if (!json_is_string(value) || !slice_to_i64(string_slice(value), &number))
        return fail_type(decoder, place, "an integer");
    if (number < min || number > max)
        return fail(decoder, place, ERROR_OUT_OF_RANGE, "expected an integer from %lld to %lld",
                    (long long)min, (long long)max);
    *ret_value = number;
    return true;
}

static bool decode_unsigned(struct decoder *decoder, const struct place *place, const json_t *value,
                            uint64_t max, uint64_t *ret_value)
{
    if (json_is_string(value)) {
        if (!slice_to_u64(string_slice(value), max, ret_value))
            return fail(decoder, place, ERROR_OUT_OF_RANGE, "expected an integer from 0 to %llu",
                        (unsigned long long)max);
        return true;
    }
    int64_t number = 0;
    if (!decode_signed(decoder, place, value, 0, max > INT64_MAX ? INT64_MAX : (int64_t)max,
                       &number))
        return false;
    *ret_value = (uint64_t)number;
    return true;
}

static bool decode_int32(struct decoder *decoder, const struct place *place,
                         const ProtobufCFieldDescriptor *field, const json_t *value,
                         void *ret_value)
{
    (void)field;
    int64_t number = 0;
    if (!decode_signed(decoder, place, value, INT32_MIN, INT32_MAX, &number))
        return false;
    *(int32_t *)ret_value = (int32_t)number;
    return true;
}

static bool decode_int64(struct decoder *decoder, const struct place *place,
                         const ProtobufCFieldDescriptor *field, const json_t *value,
                         void *ret_value)
{
    (void)field;
    return decode_signed(decoder, place, value, INT64_MIN, INT64_MAX, ret_value);
}

static bool decode_uint32(struct decoder *decoder, const struct place *place,
                          const ProtobufCFieldDescriptor *field, const json_t *value,
                          void *ret_value)
{
    (void)field;
    uint64_t number = 0;
    if (!decode_unsigned(decoder, place, value, UINT32_MAX, &number))
        return false;
    *(uint32_t *)ret_value = (uint32_t)number;
    return true;
}

static bool decode_uint64(struct decoder *decoder, const struct place *place,
                          const ProtobufCFieldDescriptor *field, const json_t *value,
                          void *ret_value)
{
    (void)field;
    return decode_unsigned(decoder, place, value, UINT64_MAX, ret_value);
}

/* A number in a string: a JSON number, or one of the three that JSON cannot write. */
static bool number_from_string(struct slice text, double *ret_number)
{
    if (slice_is(text, "NaN")) {
        *ret_number = (double)NAN;
        return true;
    }
    if (slice_is(text, "Infinity") || slice_is(text, "-Infinity")) {
        *ret_number = text.ptr[0] == '-' ? (double)-INFINITY : (double)INFINITY;
        return true;
    }
    json_t *value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    bool is_number = json_is_number(value);
    if (is_number)
        *ret_number = json_number_value(value);
    json_decref(value);
    return is_number;
}

static bool decode_double(struct decoder *decoder, const struct place *place,
                          const ProtobufCFieldDescriptor *field, const json_t *value,
                          void *ret_value)
{
    (void)field;
    if (json_is_number(value)) {
        *(double *)ret_value = json_number_value(value);
        return true;
    }
    if (json_is_string(value) && number_from_string(string_slice(value), ret_value))
        return true;
    return fail_type(decoder, place, "a number");
}

static bool decode_float(struct decoder *decoder, const struct place *place,
                         const ProtobufCFieldDescriptor *field, const json_t *value,
                         void *ret_value)
{
    double number = 0;
    if (!decode_double(decoder, place, field, value, &number))
        return false;
    if (isfinite(number) && fabs(number) > (double)3.4028235e38f)
        return fail(decoder, place, ERROR_OUT_OF_RANGE, "expected a number within +-3.4028235e38");
    *(float *)ret_value = (float)number;
    return true;
}

static bool decode_bool(struct decoder *decoder, const struct place *place,
                        const ProtobufCFieldDescriptor *field, const json_t *value, void *ret_value)
{
    (void)field;
    if (!json_is_boolean(value))
        return fail_type(decoder, place, "true or false");
    *(protobuf_c_boolean *)ret_value = json_is_true(value);
    return true;
}

/* -- names and bytes ------------------------------------------------------------------------------ */

static bool fail_enum(struct decoder *decoder, const struct place *place,
                      const ProtobufCEnumDescriptor *type, struct slice given)
{
    struct suggestion best = suggestion_for(given);
    cleanup_text struct text names = TEXT_INIT;
    for (unsigned i = 0; i < type->n_values; i++) {
        text_printf(&names, "%s%s", i == 0 ? "" : ", ", type->values[i].name);
        suggest(&best, given, type->values[i].name);
    }
    if (best.name.len > 0)
        fail(decoder, place, ERROR_INVALID_ARGUMENT, "unknown name, did you mean \"%s\"?",
             text_string(&best.name));
    else
        fail(decoder, place, ERROR_INVALID_ARGUMENT, "expected one of %s", text_string(&names));
    text_done(&best.name);
    return false;
}

static bool decode_enum(struct decoder *decoder, const struct place *place,
                        const ProtobufCFieldDescriptor *field, const json_t *value, void *ret_value)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    const ProtobufCEnumValue *known = NULL;
    int64_t number = 0;

    if (json_is_string(value)) {
        known = protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(value));
        if (!known && decoder->unknown == MESSAGE_JSON_REJECT_UNKNOWN)
            return fail_enum(decoder, place, type, string_slice(value));
    } else {
        if (!json_is_integer(value))
            return fail_type(decoder, place, "the name of a value");
        if (!decode_signed(decoder, place, value, INT32_MIN, INT32_MAX, &number))
            return false;
        known = protobuf_c_enum_descriptor_get_value(type, (int)number);
        if (!known && decoder->unknown == MESSAGE_JSON_REJECT_UNKNOWN)
            return fail_enum(decoder, place, type, SLICE(""));
    }
    *(int *)ret_value = known ? known->value : (int)number;
    return true;
}

static bool decode_string(struct decoder *decoder, const struct place *place,
                          const ProtobufCFieldDescriptor *field, const json_t *value,
                          void *ret_value)
{
    (void)field;
    if (!json_is_string(value))
        return fail_type(decoder, place, "a string");
    struct slice string = string_slice(value);
    *(char **)ret_value = arena_memdup0(decoder->arena, string.ptr, string.len);
    return true;
}

static bool decode_bytes(struct decoder *decoder, const struct place *place,
                         const ProtobufCFieldDescriptor *field, const json_t *value,
                         void *ret_value)
{
    (void)field;
    struct slice bytes;
    if (!json_is_string(value) || !base64_decode(string_slice(value), decoder->arena, &bytes))
        return fail_type(decoder, place, "a string in base64");
    *(ProtobufCBinaryData *)ret_value = (ProtobufCBinaryData){ bytes.len, (uint8_t *)bytes.ptr };
    return true;
}

static bool decode_submessage(struct decoder *decoder, const struct place *place,
                              const ProtobufCFieldDescriptor *field, const json_t *value,
                              void *ret_value)
{
    return decode_message(decoder, place, field->descriptor, value, ret_value);
}

static const struct {
    decode_fn *decode;
    size_t size; /* of one element of a repeated field */
} kinds[] = {
    // clang-format off
    [PROTOBUF_C_TYPE_INT32]    = { decode_int32,      sizeof(int32_t) },
    [PROTOBUF_C_TYPE_SINT32]   = { decode_int32,      sizeof(int32_t) },
    [PROTOBUF_C_TYPE_SFIXED32] = { decode_int32,      sizeof(int32_t) },
    [PROTOBUF_C_TYPE_INT64]    = { decode_int64,      sizeof(int64_t) },
    [PROTOBUF_C_TYPE_SINT64]   = { decode_int64,      sizeof(int64_t) },
    [PROTOBUF_C_TYPE_SFIXED64] = { decode_int64,      sizeof(int64_t) },
    [PROTOBUF_C_TYPE_UINT32]   = { decode_uint32,     sizeof(uint32_t) },
    [PROTOBUF_C_TYPE_FIXED32]  = { decode_uint32,     sizeof(uint32_t) },
    [PROTOBUF_C_TYPE_UINT64]   = { decode_uint64,     sizeof(uint64_t) },
    [PROTOBUF_C_TYPE_FIXED64]  = { decode_uint64,     sizeof(uint64_t) },
    [PROTOBUF_C_TYPE_FLOAT]    = { decode_float,      sizeof(float) },
    [PROTOBUF_C_TYPE_DOUBLE]   = { decode_double,     sizeof(double) },
    [PROTOBUF_C_TYPE_BOOL]     = { decode_bool,       sizeof(protobuf_c_boolean) },
    [PROTOBUF_C_TYPE_ENUM]     = { decode_enum,       sizeof(int) },
    [PROTOBUF_C_TYPE_STRING]   = { decode_string,     sizeof(char *) },
    [PROTOBUF_C_TYPE_BYTES]    = { decode_bytes,      sizeof(ProtobufCBinaryData) },
    [PROTOBUF_C_TYPE_MESSAGE]  = { decode_submessage, sizeof(ProtobufCMessage *) },
    // clang-format on
};

/* -- messages ------------------------------------------------------------------------------------- */

static bool decode_repeated(struct decoder *decoder, const struct place *place,
                            const ProtobufCFieldDescriptor *field, const json_t *value, char *base)
{
    if (!json_is_array(value))
        return fail_type(decoder, place, "an array");

    size_t count = json_array_size(value), size = kinds[field->type].size;
    char *items = arena_array(decoder->arena, count, size);
    for (size_t i = 0; i < count; i++) {
        struct place element = { .outer = place, .index = i };
        if (!kinds[field->type].decode(decoder, &element, field, json_array_get(value, i),
                                       items + i * size))
            return false;
    }
    *(size_t *)(base + field->quantifier_offset) = count;
    *(char **)(base + field->offset) = count > 0 ? items : NULL;
    return true;
}

/* Takes the oneof that `field` belongs to; any other kind of field is free. */
static bool claim_oneof(struct decoder *decoder, const struct place *place,
                        const ProtobufCMessageDescriptor *type,
                        const ProtobufCFieldDescriptor *field, char *base)
{
    if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        return true;
    uint32_t *which = (uint32_t *)(base + field->quantifier_offset);
    if (*which != 0) {
        cleanup_text struct text other = TEXT_INIT;
        const ProtobufCFieldDescriptor *first =
            protobuf_c_message_descriptor_get_field(type, *which);
        message_json_add_name(&other, first->name);
        return fail(decoder, place, ERROR_INVALID_ARGUMENT, "cannot be given together with \"%s\"",
                    text_string(&other));
    }
    *which = field->id;
    return true;
}

static bool decode_field(struct decoder *decoder, const struct place *outer,
                         const ProtobufCMessageDescriptor *type,
                         const ProtobufCFieldDescriptor *field, const json_t *value, char *base)
{
    struct place place = { .outer = outer, .name = field->name };
    if (json_is_null(value))
        return true;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return decode_repeated(decoder, &place, field, value, base);
    return claim_oneof(decoder, &place, type, field, base) &&
           kinds[field->type].decode(decoder, &place, field, value, base + field->offset);
}

static bool decode_fields(struct decoder *decoder, const struct place *place,
                          const ProtobufCMessageDescriptor *type, const json_t *value, char *base)
{
    bool *is_given = arena_array(decoder->arena, type->n_fields, sizeof *is_given);
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)value, key, member)
    {
        const ProtobufCFieldDescriptor *field = message_json_field(type, slice_of(key));
        if (!field && decoder->unknown == MESSAGE_JSON_IGNORE_UNKNOWN)
            continue;
        if (!field)
            return fail_unknown_field(decoder, place, type, slice_of(key));
        struct place twice = { .outer = place, .name = field->name };
        if (is_given[field - type->fields])
            return fail(decoder, &twice, ERROR_INVALID_ARGUMENT, "is given twice");
        is_given[field - type->fields] = true;
        if (!decode_field(decoder, place, type, field, member, base))
            return false;
    }
    return true;
}

static bool decode_message(struct decoder *decoder, const struct place *place,
                           const ProtobufCMessageDescriptor *type, const json_t *value,
                           ProtobufCMessage **ret_message)
{
    if (!json_is_object(value))
        return fail_type(decoder, place, "an object");
    if (arena_used(decoder->arena) - decoder->arena_used_before > MESSAGE_JSON_MAX_MEMORY)
        return fail(decoder, place, ERROR_INVALID_ARGUMENT,
                    "the message takes more than %u bytes of memory", MESSAGE_JSON_MAX_MEMORY);

    ProtobufCMessage *message = arena_alloc(decoder->arena, type->sizeof_message);
    type->message_init(message);
    if (!decode_fields(decoder, place, type, value, (char *)message))
        return false;
    *ret_message = message;
    return true;
}

bool message_from_json_value(const json_t *value, const ProtobufCMessageDescriptor *type,
                             enum message_json_unknown unknown, struct arena *arena,
                             ProtobufCMessage **ret_message, struct error *err)
{
    struct decoder decoder = {
        .arena = arena, .arena_used_before = arena_used(arena), .unknown = unknown, .err = err
    };
    return decode_message(&decoder, NULL, type, value, ret_message);
}

bool message_from_json(struct slice json, const ProtobufCMessageDescriptor *type,
                       enum message_json_unknown unknown, struct arena *arena,
                       ProtobufCMessage **ret_message, struct error *err)
{
    json_t *value = NULL;
    if (!json_parse(json, &value, err))
        return false;
    bool ok = message_from_json_value(value, type, unknown, arena, ret_message, err);
    json_decref(value);
    return ok;
}
