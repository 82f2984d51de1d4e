#include "gateway/problem.h"

#include <http_parser.h>

static const struct {
    enum error_code code;
    const char *name;
    int status;
    bool may_retry;
} codes[] = {
#define ERROR_CODE(name, number, http, retry) { ERROR_##name, #name, http, retry },
#include "base/error_codes.def"
#undef ERROR_CODE
};

static size_t find_code(enum error_code code)
{
    size_t unknown = 0;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].code == code)
            return i;
        if (codes[i].code == ERROR_UNKNOWN)
            unknown = i;
    }
    return unknown;
}

const char *problem_code_name(enum error_code code)
{
    return codes[find_code(code)].name;
}

int problem_status(enum error_code code)
{
    return codes[find_code(code)].status;
}

unsigned problem_retry_after(int status, enum error_code code)
{
    return (status == 429 || status == 503) && codes[find_code(code)].may_retry ? 1 : 0;
}

static const struct {
    int status;
    const char *title;
} titles[] = {
#define TITLE(number, name, string) { number, #string },
    HTTP_STATUS_MAP(TITLE)
#undef TITLE
        { 499, "Client Closed Request" },
};

const char *problem_title(int status)
{
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Unknown";
}

void problem_format(struct text *out, int status, const struct error *err, const char *diagnostics)
{
    text_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":",
                problem_title(status), status);
    text_add_json_string(out, slice_of(err->message));
    text_printf(out, ",\"code\":\"%s\"", problem_code_name(err->code));
    if (diagnostics)
        text_printf(out, ",\"diagnostics\":%s", diagnostics);
    text_add(out, "}\n");
}
