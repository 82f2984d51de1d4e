#include "io/rpc_methods.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "unit/test.h"

#include "eos/binder/v1/binder.pb-c.h"
#include "eos/config/v1/config.pb-c.h"
#include "eos/launcher/v1/launcher.pb-c.h"
#include "eos/rpc/v1/rpc.pb-c.h"
#include "eos/scheduler/v1/scheduler.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

#include <glob.h>

/* proto/README.md, rpc_methods.def, the protos and the code made of them say the same about the same
 * methods.  All names of the four are gathered first, so that one that only one of them has is found. */

static const ProtobufCServiceDescriptor *const services[] = {
    &eos__binder__v1__binder__descriptor,     &eos__config__v1__config__descriptor,
    &eos__launcher__v1__launcher__descriptor, &eos__rpc__v1__introspection__descriptor,
    &eos__scheduler__v1__cluster__descriptor, &eos__scheduler__v1__scheduler__descriptor,
    &grpc__health__v1__health__descriptor,
};

/* What each of the four says. */
struct method {
    char *name;
    const struct rpc_method_facts *facts;
    const ProtobufCMethodDescriptor *descriptor;
    struct slice readme[7]; /* the cells of its row */
    struct slice declared;  /* the line of the proto from the name on */
};

static struct map *methods;
static struct text readme, protos;

static struct method *method_of(struct slice path)
{
    struct method *method = map_get(methods, path);
    if (method)
        return method;
    method = xcalloc(1, sizeof *method);
    method->name = xmemdup0(path.ptr, path.len);
    map_put(methods, path, method);
    return method;
}

/* -- gathering ------------------------------------------------------------------------------------ */

static void read_file(const char *path, struct text *out)
{
    cleanup_file FILE *file = fopen(path, "re");
    for (size_t len = 1; file && len > 0;) {
        text_reserve(out, 65536);
        len = fread(out->ptr + out->len, 1, 65536, file);
        out->len += len;
    }
}

static void gather_facts(void)
{
    for (size_t i = 0; i < rpc_method_count; i++) {
        struct method *method = method_of(slice_of(rpc_method_table[i].path));
        if (method->facts)
            fail_msg("rpc_methods.def has %s twice", method->name);
        method->facts = &rpc_method_table[i];
    }
}

static void gather_descriptors(void)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        for (unsigned m = 0; m < services[i]->n_methods; m++) {
            cleanup_free char *path =
                xasprintf("/%s/%s", services[i]->name, services[i]->methods[m].name);
            method_of(slice_of(path))->descriptor = &services[i]->methods[m];
        }
}

/* A row begins with the method's path in backticks. */
static void gather_readme(void)
{
    struct slice rest = text_slice(&readme);
    while (rest.ptr) {
        struct slice line = slice_split(&rest, '\n');
        if (!slice_starts_with(line, SLICE("| `/")))
            continue;
        slice_split(&line, '|');
        struct slice path = slice_trim(slice_split(&line, '|'));
        struct method *method = method_of((struct slice){ path.ptr + 1, path.len - 2 });
        if (method->readme[0].ptr)
            fail_msg("proto/README.md has %s twice", method->name);
        for (size_t i = 0; i < 7 && line.ptr; i++)
            method->readme[i] = slice_trim(slice_split(&line, '|'));
    }
}

static struct slice word_behind(struct slice line, const char *keyword)
{
    struct slice word = { line.ptr + strlen(keyword), line.len - strlen(keyword) };
    size_t len = strcspn(word.ptr, " ;({");
    return (struct slice){ word.ptr, len };
}

static void gather_protos(void)
{
    struct slice rest = text_slice(&protos), package = { 0 }, service = { 0 };
    while (rest.ptr) {
        struct slice line = slice_trim(slice_split(&rest, '\n'));
        if (slice_starts_with(line, SLICE("package ")))
            package = word_behind(line, "package ");
        if (slice_starts_with(line, SLICE("service ")))
            service = word_behind(line, "service ");
        if (!slice_starts_with(line, SLICE("rpc ")))
            continue;
        cleanup_free char *path =
            xasprintf("/%.*s.%.*s/%.*s", SLICE_ARG(package), SLICE_ARG(service),
                      SLICE_ARG(word_behind(line, "rpc ")));
        method_of(slice_of(path))->declared = line;
    }
}

static int set_up(void **state)
{
    glob_t found;
    (void)state;
    methods = map_new();
    read_file(PROTO_FOLDER "/README.md", &readme);
    if (glob(PROTO_FOLDER "/*/*/v1/*.proto", 0, NULL, &found) != 0)
        return -1;
    for (size_t i = 0; i < found.gl_pathc; i++)
        read_file(found.gl_pathv[i], &protos);
    globfree(&found);
    text_add_char(&protos, '\n');
    text_add_char(&readme, '\n');
    gather_facts();
    gather_descriptors();
    gather_readme();
    gather_protos();
    return 0;
}

static int take_down(void **state)
{
    size_t cursor = 0;
    struct slice path;
    void *value;
    (void)state;
    while (map_next(methods, &cursor, &path, &value)) {
        free(((struct method *)value)->name);
        free(value);
    }
    map_free(methods);
    text_done(&readme);
    text_done(&protos);
    return 0;
}

/* -- comparing ------------------------------------------------------------------------------------ */

enum cell { CELL_REQUEST, CELL_ANSWER, CELL_REPEATABLE, CELL_DEADLINE, CELL_STREAM, CELL_CODES };

static void for_each(void (*check)(const struct method *method))
{
    size_t cursor = 0;
    struct slice path;
    void *method;
    while (map_next(methods, &cursor, &path, &method))
        check(method);
}

static void has_all(const struct method *method)
{
    if (!method->facts)
        fail_msg("%s has no row in common/io/rpc_methods.def", method->name);
    if (!method->descriptor)
        fail_msg("%s is in no service of this test's list, or of no proto", method->name);
    if (!method->readme[CELL_CODES].ptr)
        fail_msg("%s has no row with all cells in proto/README.md", method->name);
    if (!method->declared.ptr)
        fail_msg("%s is in no proto", method->name);
}

static void nobody_lacks_a_method(void **state)
{
    (void)state;
    assert_true(map_count(methods) >= 17);
    for_each(has_all);
}

static void has_types(const struct method *method)
{
    cleanup_free char *request = xasprintf("`%s`", method->descriptor->input->short_name);
    cleanup_free char *answer = xasprintf("`%s`", method->descriptor->output->short_name);
    if (!slice_is(method->readme[CELL_REQUEST], request) ||
        !slice_is(method->readme[CELL_ANSWER], answer))
        fail_msg("%s takes %s and gives %s, but not in proto/README.md", method->name, request,
                 answer);
}

static void all_name_the_same_messages(void **state)
{
    (void)state;
    for_each(has_types);
}

/* "yes", "yes, with …" or "no". */
static bool says(const struct method *method, enum cell cell, bool expected)
{
    struct slice rest = method->readme[cell];
    return slice_is(slice_split(&rest, ','), expected ? "yes" : "no");
}

static void has_repeatability(const struct method *method)
{
    if (!says(method, CELL_REPEATABLE, method->facts->is_idempotent))
        fail_msg("%s: proto/README.md and rpc_methods.def differ on whether it is repeatable",
                 method->name);
}

static void all_agree_on_what_may_be_repeated(void **state)
{
    (void)state;
    for_each(has_repeatability);
}

static void has_deadline(const struct method *method)
{
    struct slice rest = method->readme[CELL_DEADLINE];
    uint64_t seconds = 0;
    if (!slice_to_u64(slice_split(&rest, ' '), 3600, &seconds) || !slice_is(rest, "s") ||
        seconds * 1000 != method->facts->deadline_ms)
        fail_msg("%s: its deadline is %u ms, but not in proto/README.md", method->name,
                 method->facts->deadline_ms);
}

static void all_agree_on_deadlines(void **state)
{
    (void)state;
    for_each(has_deadline);
}

static void has_stream(const struct method *method)
{
    cleanup_free char *declared = xmemdup0(method->declared.ptr, method->declared.len);
    bool is_stream = strstr(declared, "returns (stream ") != NULL;
    if (method->facts->is_stream != is_stream || !says(method, CELL_STREAM, is_stream))
        fail_msg("%s: its proto says that it does %sstream, others do not", method->name,
                 is_stream ? "" : "not ");
}

static void all_agree_on_streams(void **state)
{
    (void)state;
    for_each(has_stream);
}

static bool is_code(struct slice word)
{
    static const char *const names[] = {
#define ERROR_CODE(name, number, http, retry) "`" #name "`",
#include "base/error_codes.def"
#undef ERROR_CODE
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_is(word, names[i]))
            return true;
    return false;
}

static void has_codes(const struct method *method)
{
    struct slice rest = method->readme[CELL_CODES];
    while (rest.ptr && rest.len > 0)
        if (!is_code(slice_split(&rest, ' ')))
            fail_msg("%s: proto/README.md names a code that is none", method->name);
}

static void codes_are_codes(void **state)
{
    (void)state;
    for_each(has_codes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_lacks_a_method),
        cmocka_unit_test(all_name_the_same_messages),
        cmocka_unit_test(all_agree_on_what_may_be_repeated),
        cmocka_unit_test(all_agree_on_deadlines),
        cmocka_unit_test(all_agree_on_streams),
        cmocka_unit_test(codes_are_codes),
    };
    return cmocka_run_group_tests_name("methods", tests, set_up, take_down);
}
