#include "base/text.h"
#include "config/compile.h"

/* A whole compilation.  The first byte chooses between a configuration, JSON, a template in a job, and a regular
 * configuration with a second file, which stands behind the first NUL; and whether the jobs are wanted as JSON, an
 * explanation, or the file laid out anew, which twice must be the same as once. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KINDS 4

static Eos__Config__V1__SourceFile make_file(const char *path, const uint8_t *bytes, size_t len)
{
    Eos__Config__V1__SourceFile file = EOS__CONFIG__V1__SOURCE_FILE__INIT;
    file.path = (char *)path;
    file.content.data = (uint8_t *)bytes;
    file.content.len = len;
    file.is_readable = true;
    return file;
}

/* The bytes as the text of a command line. */
static struct slice in_template(struct arena *arena, const uint8_t *data, size_t size)
{
    struct text text = TEXT_INIT;
    text_add(&text, "t = ");
    text_add_json_string(&text, (struct slice){ (const char *)data, size });
    text_add(&text,
             "\njobs = [Job(cluster='c', role='r', environment='e', task=SimpleTask('a', t))"
             ".bind(a='{{b}}', b=1, c={'d': '{{a}}'}, l=List(String)(['x', '{{l[0]}}']))]\n");
    struct slice copy = { arena_memdup0(arena, text.ptr, text.len), text.len };
    text_done(&text);
    return copy;
}

#define WANTS_JSON        0x80
#define WANTS_FORMAT      0x40
#define WANTS_EXPLANATION 0x20

static void format_again(struct arena *arena, Eos__Config__V1__CompileRequest *request,
                         const char *formatted)
{
    Eos__Config__V1__SourceFile file =
        make_file("main.aurora", (const uint8_t *)formatted, strlen(formatted));
    request->files[0] = &file;
    const Eos__Config__V1__CompileResponse *response = compile_run(arena, request);
    if (response->error || strcmp(response->formatted, formatted) != 0)
        abort();
}

static void compile(struct arena *arena, Eos__Config__V1__CompileRequest *request)
{
    struct error err;
    if (!compile_check_request(request, &err))
        return;
    const Eos__Config__V1__CompileResponse *response = compile_run(arena, request);
    if (request->format && response->error &&
        strstr(response->error->message, "cannot be laid out"))
        abort();
    if (request->format && !response->error)
        format_again(arena, request, response->formatted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena *arena = arena_new();
    Eos__Config__V1__CompileRequest request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT;
    struct slice source = { (const char *)data + 1, size - 1 };
    const uint8_t *second = memchr(data + 1, '\0', size - 1);
    unsigned kind = data[0] % KINDS;
    request.is_json = kind == 1;
    request.want_canonical_json = request.want_job_json = data[0] & WANTS_JSON;
    request.format = data[0] & WANTS_FORMAT;
    if (data[0] & WANTS_EXPLANATION)
        request.explain = (char *)"task.processes[0].cmdline";
    if (kind == 2)
        source = in_template(arena, data + 1, size - 1);
    else if (kind == 3 && second)
        source.len = (size_t)(second - data) - 1;
    Eos__Config__V1__SourceFile files[] = {
        make_file("main.aurora", (const uint8_t *)source.ptr, source.len),
        make_file("lib.aurora", second ? second + 1 : data,
                  second ? (size_t)(data + size - second) - 1 : 0),
    };
    Eos__Config__V1__SourceFile *list[] = { &files[0], &files[1] };
    char *bindings[] = { (char *)"x=1", (char *)"conf.level={{x}}" };
    request.files = list;
    request.n_files = 2;
    request.bindings = bindings;
    request.n_bindings = 2;
    request.user = (char *)"tester";
    compile(arena, &request);
    arena_free(arena);
    return 0;
}
