#include "config/compilation.h"

#include <stdio.h>
#include <stdlib.h>

static Eos__Config__V1__SourceFile make_file(const char *path, struct slice text)
{
    Eos__Config__V1__SourceFile file = EOS__CONFIG__V1__SOURCE_FILE__INIT;
    file.path = (char *)(uintptr_t)path;
    file.content.data = (uint8_t *)(uintptr_t)text.ptr;
    file.content.len = text.len;
    file.is_readable = true;
    return file;
}

void compilation_init(struct compilation *compilation, struct slice main, struct slice lib)
{
    *compilation = (struct compilation){
        .request = EOS__CONFIG__V1__COMPILE_REQUEST__INIT,
        .files = { make_file("main.aurora", main), make_file("lib.aurora", lib) },
        .list = { &compilation->files[0], &compilation->files[1] },
        .bindings = { (char *)"x=1", (char *)"conf.level={{x}}" },
    };
    compilation->request.files = compilation->list;
    compilation->request.n_files = 2;
    compilation->request.bindings = compilation->bindings;
    compilation->request.n_bindings = 2;
    compilation->request.user = (char *)"tester";
}

const Eos__Config__V1__CompileResponse *compilation_run(struct arena *arena,
                                                        struct compilation *compilation)
{
    struct error err;
    if (!compile_check_request(&compilation->request, &err))
        return NULL;
    return compile_run(arena, &compilation->request);
}

static _Noreturn void stop(const char *what, const char *before, const char *after)
{
    fprintf(stderr, "fmt: %s\n--- before\n%s\n--- after\n%s\n", what, before, after);
    abort();
}

/* Limits, and the text of errors, may depend on where things stand. */
static void check_same(const Eos__Config__V1__CompileResponse *before,
                       const Eos__Config__V1__CompileResponse *after)
{
    if (!before->error != !after->error)
        stop("one of both fails", before->error ? before->error->message : "",
             after->error ? after->error->message : "");
    if (before->error && strcmp(before->error->class_, after->error->class_) != 0)
        stop("another error", before->error->class_, after->error->class_);
    if (!before->error && strcmp(before->printed, after->printed) != 0)
        stop("prints something else", before->printed, after->printed);
    if (before->n_jobs != after->n_jobs)
        stop("has more or less jobs", "", "");
    for (size_t i = 0; i < before->n_jobs; i++)
        if (!before->jobs[i]->error &&
            strcmp(before->jobs[i]->canonical_json, after->jobs[i]->canonical_json) != 0)
            stop("has another job", before->jobs[i]->canonical_json,
                 after->jobs[i]->canonical_json);
}

static const Eos__Config__V1__CompileResponse *lay_out(struct arena *arena,
                                                       struct compilation *compilation)
{
    compilation->request.format = true;
    const Eos__Config__V1__CompileResponse *response = compilation_run(arena, compilation);
    compilation->request.format = false;
    return response;
}

void compilation_check_layout(struct arena *arena, struct compilation *compilation)
{
    const Eos__Config__V1__CompileResponse *first = lay_out(arena, compilation);
    if (first && first->error && strstr(first->error->message, "cannot be laid out"))
        stop(first->error->message, "", "");
    if (!first || first->error)
        return;
    compilation->request.want_canonical_json = true;
    const Eos__Config__V1__CompileResponse *before = compilation_run(arena, compilation);
    compilation->list[0]->content.data = (uint8_t *)first->formatted;
    compilation->list[0]->content.len = strlen(first->formatted);
    const Eos__Config__V1__CompileResponse *second = lay_out(arena, compilation);
    if (!second || second->error || strcmp(second->formatted, first->formatted) != 0)
        stop("twice is not the same as once", first->formatted,
             second && !second->error ? second->formatted : "(error)");
    check_same(before, compilation_run(arena, compilation));
}
