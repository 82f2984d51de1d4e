#include "base/alloc.h"
#include "base/cleanup.h"
#include "gateway/routes.h"
#include "unit/test.h"
#include "json/message_json.h"

#include <stdio.h>

/* docs/http-api.md has a section for every route, and no other, and names every field of its request. */

static struct text page;

static int set_up(void **state)
{
    cleanup_file FILE *file = fopen(HTTP_API_PAGE, "re");
    (void)state;
    for (size_t len = 1; file && len > 0;) {
        text_reserve(&page, 65536);
        len = fread(page.ptr + page.len, 1, 65536, file);
        page.len += len;
        page.ptr[page.len] = '\0';
    }
    return page.len > 0 ? 0 : -1;
}

static int take_down(void **state)
{
    (void)state;
    text_done(&page);
    return 0;
}

/* "{key.role}" is written "{role}", and "{task_id}" "{taskId}". */
static void add_heading(struct text *out, const struct route *route)
{
    struct slice rest = slice_of(route->path);
    text_printf(out, "\n### `%s ", route->method);
    while (rest.ptr) {
        struct slice literal = slice_split(&rest, '{');
        text_add_slice(out, literal);
        if (!rest.ptr)
            break;
        struct slice field = slice_split(&rest, '}');
        struct slice last = field;
        while (field.ptr)
            last = slice_split(&field, '.');
        cleanup_free char *name = xmemdup0(last.ptr, last.len);
        text_add_char(out, '{');
        message_json_add_name(out, name);
        text_add_char(out, '}');
    }
    text_add(out, "`\n");
}

/* From the heading to the next one. */
static struct slice section_of(const struct route *route)
{
    cleanup_text struct text heading = TEXT_INIT;
    add_heading(&heading, route);
    const char *start = strstr(text_string(&page), text_string(&heading));
    if (!start)
        fail_msg("docs/http-api.md has no section%s", text_string(&heading));
    start += heading.len;
    const char *end = strstr(start, "\n##");
    return (struct slice){ start, end ? (size_t)(end - start) : strlen(start) };
}

static bool is_in_path(const struct route *route, const char *field)
{
    cleanup_free char *plain = xasprintf("{%s}", field), *outer = xasprintf("{%s.", field);
    return strstr(route->path, plain) || strstr(route->path, outer);
}

static void every_route_has_its_section(void **state)
{
    (void)state;
    for (const struct route *route = routes; route->method; route++) {
        struct slice section = section_of(route);
        cleanup_free char *text = xmemdup0(section.ptr, section.len);
        for (unsigned i = 0; route->request && i < route->request->n_fields; i++) {
            const char *field = route->request->fields[i].name;
            cleanup_text struct text name = TEXT_INIT;
            text_add_char(&name, '`');
            message_json_add_name(&name, field);
            text_add_char(&name, '`');
            if (!is_in_path(route, field) && !strstr(text, text_string(&name)))
                fail_msg("docs/http-api.md: %s %s lacks %s", route->method, route->path,
                         text_string(&name));
        }
    }
}

static void every_section_has_its_route(void **state)
{
    (void)state;
    for (const char *at = text_string(&page); (at = strstr(at, "\n### `")) != NULL; at++) {
        bool is_known = false;
        for (const struct route *route = routes; route->method; route++) {
            cleanup_text struct text heading = TEXT_INIT;
            add_heading(&heading, route);
            is_known = is_known || strncmp(at, text_string(&heading), heading.len) == 0;
        }
        if (!is_known)
            fail_msg("docs/http-api.md: there is no such route: %.60s", at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_has_its_section),
        cmocka_unit_test(every_section_has_its_route),
    };
    return cmocka_run_group_tests_name("http api", tests, set_up, take_down);
}
