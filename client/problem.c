#include "client/problem.h"

#include "json/message_json.h"

static const struct {
    const char *name;
    enum error_code code;
} codes[] = {
#define ERROR_CODE(name, number, http, retry) { #name, ERROR_##name },
#include "base/error_codes.def"
#undef ERROR_CODE
};

static const struct {
    long status;
    enum error_code code;
} statuses[] = {
    { 400, ERROR_INVALID_ARGUMENT },    { 401, ERROR_UNAUTHENTICATED },
    { 403, ERROR_PERMISSION_DENIED },   { 404, ERROR_NOT_FOUND },
    { 409, ERROR_FAILED_PRECONDITION }, { 413, ERROR_RESOURCE_EXHAUSTED },
    { 429, ERROR_RESOURCE_EXHAUSTED },  { 502, ERROR_UNAVAILABLE },
    { 503, ERROR_UNAVAILABLE },         { 504, ERROR_DEADLINE_EXCEEDED },
};

static enum error_code code_of_status(long status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status)
            return statuses[i].code;
    return ERROR_UNKNOWN;
}

static enum error_code code_of_name(const char *name, enum error_code otherwise)
{
    for (size_t i = 0; name && i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(codes[i].name, name) == 0 && codes[i].code != ERROR_OK)
            return codes[i].code;
    return otherwise;
}

void problem_parse(long http_status, struct slice content_type, struct slice body,
                   struct error *ret_err)
{
    enum error_code code = code_of_status(http_status);
    json_t *problem = NULL;
    if (http_status < 400) {
        error_set(ret_err, ERROR_FAILED_PRECONDITION,
                  "the gateway redirects to another address (HTTP status %ld), which is not "
                  "followed; use that address itself",
                  http_status);
        return;
    }
    if (!slice_starts_with(content_type, SLICE("application/problem+json")) ||
        !json_parse(body, &problem, &(struct error){ 0 })) {
        error_set(ret_err, code, "the gateway answered with HTTP status %ld", http_status);
        return;
    }
    code = code_of_name(json_string_value(json_object_get(problem, "code")), code);
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    if (detail && *detail)
        error_set(ret_err, code, "%s", detail);
    else
        error_set(ret_err, code, "the gateway answered with HTTP status %ld", http_status);
    json_decref(problem);
}

enum error_code problem_code(const char *name)
{
    return code_of_name(name, ERROR_UNKNOWN);
}
