#include "unit/config/fixture.h"

#define MOST 16

void fixture_add_file(struct fixture *fixture, const char *path, const char *text)
{
    Eos__Config__V1__CompileRequest *request = &fixture->request;
    Eos__Config__V1__SourceFile *file = arena_alloc(fixture->arena, sizeof *file);
    eos__config__v1__source_file__init(file);
    file->path = arena_strdup(fixture->arena, path);
    file->content.data = (uint8_t *)arena_strdup(fixture->arena, text);
    file->content.len = strlen(text);
    file->is_readable = true;
    request->files[request->n_files++] = file;
}

void fixture_add_missing(struct fixture *fixture, const char *path)
{
    fixture_add_file(fixture, path, "");
    fixture->request.files[fixture->request.n_files - 1]->is_missing = true;
}

void fixture_init(struct fixture *fixture, const char *text)
{
    *fixture = (struct fixture){ .arena = arena_new() };
    eos__config__v1__compile_request__init(&fixture->request);
    fixture->request.files = arena_array(fixture->arena, MOST, sizeof *fixture->request.files);
    fixture->request.bindings =
        arena_array(fixture->arena, MOST, sizeof *fixture->request.bindings);
    fixture->request.user = arena_strdup(fixture->arena, "tester");
    fixture->request.want_canonical_json = true;
    fixture_add_file(fixture, "test.aurora", text);
}

void fixture_bind(struct fixture *fixture, const char *binding)
{
    fixture->request.bindings[fixture->request.n_bindings++] =
        arena_strdup(fixture->arena, binding);
}

void fixture_run(struct fixture *fixture)
{
    fixture->response = compile_run(fixture->arena, &fixture->request);
}

void fixture_done(struct fixture *fixture)
{
    arena_free(fixture->arena);
}

static bool is_real_error(const Eos__Config__V1__Diagnostic *error)
{
    return error && strcmp(error->class_, ERROR_NO_JOB) != 0;
}

const char *fixture_outcome(struct fixture *fixture)
{
    const Eos__Config__V1__CompileResponse *response = fixture->response;
    if (is_real_error(response->error))
        return arena_printf(fixture->arena, "%s%s%s: %s", response->error->class_,
                            response->error->exception[0] ? " " : "", response->error->exception,
                            response->error->message);
    for (size_t i = 0; i < response->n_jobs; i++)
        if (response->jobs[i]->error)
            return arena_printf(fixture->arena, "job: %s: %s", response->jobs[i]->error->class_,
                                response->jobs[i]->error->message);
    return response->printed;
}
