#include "gateway/routes.h"
#include "gateway/url.h"
#include "json/message_json.h"

#include <assert.h>

/* A request message is made by way of its JSON form: path and query are put into the object that the
 * body made, so that one place checks names, types and ranges, whichever way a value came. */

static bool is_scalar(const ProtobufCFieldDescriptor *field)
{
    return field && field->type != PROTOBUF_C_TYPE_MESSAGE;
}

static json_t *value_of(const ProtobufCFieldDescriptor *field, struct slice text)
{
    if (field->type == PROTOBUF_C_TYPE_BOOL && (slice_is(text, "true") || text.len == 0))
        return json_true();
    if (field->type == PROTOBUF_C_TYPE_BOOL && slice_is(text, "false"))
        return json_false();
    return json_stringn(text.ptr, text.len);
}

/* The object that holds the last part of a dotted name, made when it is not there. */
static bool find_holder(json_t *object, struct slice *name, json_t **ret_holder, struct error *err)
{
    const char *dot = memchr(name->ptr, '.', name->len);
    *ret_holder = object;
    if (!dot)
        return true;
    struct slice outer = slice_split(name, '.');
    json_t *holder = json_object_getn(object, outer.ptr, outer.len);
    if (holder)
        *ret_holder = holder;
    else
        json_object_setn_new(object, outer.ptr, outer.len, *ret_holder = json_object());
    if (!json_is_object(*ret_holder))
        return error_set(err, ERROR_INVALID_ARGUMENT, "%.*s: expected an object", SLICE_ARG(outer));
    return true;
}

/* Which host is asked is not a part of what it is asked. */
static bool is_of_route(const struct route_match *match, struct slice name)
{
    enum route_answer answer = match->route->answer;
    return (answer == ROUTE_HOSTS || answer == ROUTE_HOSTS_STREAM) && slice_is(name, "host");
}

static bool add_parameters(const struct route_match *match, json_t *object, struct error *err)
{
    for (size_t i = 0; i < match->parameter_count; i++) {
        struct slice name = match->parameters[i].name;
        json_t *holder;
        if (is_of_route(match, name))
            continue;
        if (!find_holder(object, &name, &holder, err))
            return false;
        const char *value = match->parameters[i].value;
        const json_t *given = json_object_getn(holder, name.ptr, name.len);
        if (given && !(json_is_string(given) && strcmp(json_string_value(given), value) == 0))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "%.*s: the body says something else than the path", SLICE_ARG(name));
        json_object_setn_new(holder, name.ptr, name.len, json_string(value));
    }
    return true;
}

/* "a,b" and a name that is given again both add to a list. */
static void add_to_list(json_t *object, const ProtobufCFieldDescriptor *field, struct slice text)
{
    json_t *list = json_object_get(object, field->name);
    if (!list)
        json_object_set_new(object, field->name, list = json_array());
    while (text.ptr)
        json_array_append_new(list, value_of(field, slice_split(&text, ',')));
}

static bool is_in_path(const struct route_match *match, const char *name)
{
    for (size_t i = 0; i < match->parameter_count; i++)
        if (slice_is(match->parameters[i].name, name))
            return true;
    return false;
}

static bool add_query_value(const struct route_match *match, json_t *object, struct slice name,
                            struct slice text, struct error *err)
{
    const ProtobufCFieldDescriptor *field = message_json_field(match->route->request, name);
    if (!is_scalar(field) || is_in_path(match, field->name)) {
        bool is_short = name.len <= 64 && name.len > 0;
        for (size_t i = 0; i < name.len; i++)
            is_short = is_short && name.ptr[i] > ' ' && name.ptr[i] < 0x7f;
        return error_set(err, ERROR_INVALID_ARGUMENT, "unknown query parameter%s%.*s%s",
                         is_short ? " \"" : "", is_short ? (int)name.len : 0, name.ptr,
                         is_short ? "\"" : "");
    }
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        add_to_list(object, field, text);
        return true;
    }
    if (json_object_get(object, field->name))
        return error_set(err, ERROR_INVALID_ARGUMENT, "query parameter \"%.*s\" is given twice",
                         SLICE_ARG(name));
    json_object_set_new(object, field->name, value_of(field, text));
    return true;
}

static bool add_query(const struct route_match *match, json_t *object, struct slice query,
                      struct arena *arena, struct error *err)
{
    while (query.ptr && query.len > 0) {
        struct slice value = slice_split(&query, '&'), name = slice_split(&value, '=');
        if (!url_decode(name, URL_QUERY, arena, &name, err) ||
            !url_decode(value.ptr ? value : SLICE(""), URL_QUERY, arena, &value, err) ||
            !add_query_value(match, object, name, value, err))
            return false;
    }
    return true;
}

static void add_defaults(const struct route_match *match, json_t *object)
{
    struct slice rest = slice_of(match->route->defaults);
    while (rest.ptr) {
        struct slice value = slice_split(&rest, '&'), name = slice_split(&value, '=');
        if (!json_object_getn(object, name.ptr, name.len))
            json_object_setn_new(object, name.ptr, name.len, json_stringn(value.ptr, value.len));
    }
}

static bool fill(const struct route_match *match, json_t *object, struct slice query,
                 struct arena *arena, ProtobufCMessage **ret_request, struct error *err)
{
    if (!json_is_object(object))
        return error_set(err, ERROR_INVALID_ARGUMENT, "expected a JSON object");
    bool takes_query = strcmp(match->route->method, "GET") == 0;
    if (!takes_query && query.len > 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "this path takes no query; the fields go into the body");
    if (!add_parameters(match, object, err) || !add_query(match, object, query, arena, err))
        return false;
    add_defaults(match, object);
    return message_from_json_value(object, match->route->request, MESSAGE_JSON_REJECT_UNKNOWN,
                                   arena, ret_request, err);
}

bool route_request(const struct route_match *match, struct slice query, struct slice body,
                   struct arena *arena, ProtobufCMessage **ret_request, struct error *err)
{
    assert(match->route->request);
    json_t *object = NULL;
    if (body.len > 0 && strcmp(match->route->method, "GET") == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT, "a GET takes no body");
    if (slice_trim(body).len == 0)
        object = json_object();
    else if (!json_parse(body, &object, err))
        return false;
    bool ok = fill(match, object, query, arena, ret_request, err);
    json_decref(object);
    return ok;
}
