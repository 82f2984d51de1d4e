#include "config/compile.h"

#include "config/evaluate.h"
#include "config/explain.h"
#include "config/job.h"
#include "config/layout.h"
#include "config/modules.h"
#include "config/origin.h"
#include "config/parser.h"
#include "config/result.h"
#include "config/schema.h"

#include <assert.h>

/* A compilation from request to response. */

typedef Eos__Config__V1__CompileRequest request_message;
typedef Eos__Config__V1__CompileResponse response_message;
typedef Eos__Config__V1__JobResult job_message;

/* A file that was parsed; a second include() runs the same tree. */
struct compile_script {
    const struct source *source;
    struct code *code;
    struct compile_script *next;
};

/* --- the request --- */

bool compile_check_request(const request_message *request, struct error *err)
{
    if (request->n_files == 0)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "the request has no files; the first is the configuration");
    if (request->n_files > LIMIT_FILES)
        return error_set(err, ERROR_RESOURCE_EXHAUSTED, "the request has more than %d files",
                         LIMIT_FILES);
    for (size_t i = 0; i < request->n_files; i++)
        if (request->files[i]->content.len > LIMIT_SOURCE_BYTES)
            return error_set(err, ERROR_RESOURCE_EXHAUSTED,
                             "file number %zu of the request is larger than %d bytes", i + 1,
                             LIMIT_SOURCE_BYTES);
    for (size_t i = 0; i < request->n_environment; i++)
        if (!slice_is_utf8(slice_of(request->environment[i]->value)) ||
            !slice_is_utf8(slice_of(request->environment[i]->name)))
            return error_set(err, ERROR_INVALID_ARGUMENT,
                             "environment variable number %zu is not UTF-8", i + 1);
    for (size_t i = 0; i < request->n_bindings; i++)
        if (!slice_is_utf8(slice_of(request->bindings[i])))
            return error_set(err, ERROR_INVALID_ARGUMENT, "binding number %zu is not UTF-8", i + 1);
    if (!slice_is_utf8(slice_of(request->user)))
        return error_set(err, ERROR_INVALID_ARGUMENT, "the user's name is not UTF-8");
    return true;
}

static struct compile_input make_input(struct arena *arena, const request_message *request)
{
    struct compile_input input = { .request = request, .user = request->user };
    input.sources = arena_array(arena, request->n_files, sizeof *input.sources);
    for (size_t i = 0; i < request->n_files; i++) {
        const Eos__Config__V1__SourceFile *file = request->files[i];
        input.sources[i] = (struct source){
            .path = file->path,
            .name = file->path,
            .text = { (const char *)file->content.data, file->content.len },
            .is_readable = file->is_readable,
        };
        if (!input.sources[i].text.ptr)
            input.sources[i].text.ptr = "";
    }
    return input;
}

/* `a/./b/../c` is `a/c`; nothing is asked of a file system. */
static const char *normal_path(struct arena *arena, const char *path)
{
    char *out = arena_alloc(arena, strlen(path) + 2);
    size_t len = 0, floor = 0;
    if (path[0] == '/')
        out[len++] = '/';
    floor = len;
    for (struct slice rest = slice_of(path); rest.ptr;) {
        struct slice part = slice_split(&rest, '/');
        if (part.len == 0 || slice_is(part, "."))
            continue;
        bool is_up = slice_is(part, "..");
        size_t last = len;
        while (last > floor && out[last - 1] != '/')
            last--;
        bool has_name = len > floor && !slice_is((struct slice){ out + last, len - last }, "..");
        if (is_up && (has_name || path[0] == '/')) {
            len = last > floor ? last - 1 : floor;
            continue;
        }
        if (len > floor)
            out[len++] = '/';
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
    }
    out[len] = '\0';
    return out;
}

const struct source *compile_find_source(struct vm *vm, const char *path, const char **ret_missing)
{
    const struct compile_input *input = vm->input;
    const char *wanted = normal_path(vm->arena, path);
    *ret_missing = NULL;
    for (size_t i = 0; i < input->request->n_files; i++) {
        const Eos__Config__V1__SourceFile *file = input->request->files[i];
        if (strcmp(file->path, path) != 0 &&
            strcmp(normal_path(vm->arena, file->path), wanted) != 0)
            continue;
        if (!file->is_missing)
            return &input->sources[i];
        *ret_missing =
            arena_memdup0(vm->arena, file->content.data ? (const char *)file->content.data : "",
                          file->content.len);
    }
    return NULL;
}

/* --- files --- */

static void add_needed(struct vm *vm, const char *path)
{
    for (size_t i = 0; i < vm->needed->count; i++)
        if (string_is(vm->needed->items[i].s, path))
            return;
    list_push(vm->arena, vm->needed, value_text(vm->arena, path));
}

static const char *joined_path(struct arena *arena, const char *from, const char *path)
{
    const char *slash = strrchr(from, '/');
    if (path[0] == '/' || !slash)
        return path;
    return arena_printf(arena, "%.*s/%s", (int)(slash - from), from, path);
}

/* Files that are included by constant paths will be needed as well: they are asked for at once. */
static void add_literal_includes(struct vm *vm, const struct source *source,
                                 const struct node *node)
{
    const char *missing;
    if (!node)
        return;
    bool is_include = node->kind == N_CALL && node->a->kind == N_NAME &&
                      string_is(node->a->value.s, "include") && node->count == 1 &&
                      node->items[0]->kind == N_CONSTANT && node->items[0]->value.kind == K_STR;
    if (is_include) {
        const char *path = joined_path(vm->arena, source->path, node->items[0]->value.s->data);
        if (!compile_find_source(vm, path, &missing) && !missing)
            add_needed(vm, path);
    }
    if (node->kind == N_EXPRESSION)
        add_literal_includes(vm, source, node->a);
    for (uint32_t i = 0; node->kind == N_BLOCK && i < node->count; i++)
        add_literal_includes(vm, source, node->items[i]);
}

bool compile_need_file(struct vm *vm, const char *path)
{
    add_needed(vm, path);
    for (const struct compile_script *script = vm->input->scripts; script; script = script->next)
        if (script->code)
            add_literal_includes(vm, script->source, script->code->body);
    raise_error(vm, &class_OSError, "the file '%s' is needed", path);
    vm->is_stopped = true;
    return false;
}

static bool bad_text(struct vm *vm, const struct source *source)
{
    if (!slice_is_utf8(source->text))
        return raise_library(vm, &class_SyntaxError, ERROR_SYNTAX, "'%s' is not UTF-8 text",
                             source->name);
    return raise_library(vm, &class_SyntaxError, ERROR_SYNTAX,
                         "'%s': source code cannot contain null bytes", source->name);
}

/* The tree of a file; syntax errors are in vm->errors and the first of them is raised. */
static bool parse_source(struct vm *vm, const struct source *source, struct code **ret)
{
    struct compile_script **at = &((struct compile_input *)(uintptr_t)vm->input)->scripts;
    for (; *at; at = &(*at)->next)
        if ((*at)->source == source) {
            *ret = (*at)->code;
            return true;
        }
    if (!slice_is_utf8(source->text) || memchr(source->text.ptr, '\0', source->text.len))
        return bad_text(vm, source);
    struct compile_script *script = arena_alloc(vm->arena, sizeof *script);
    size_t before = vm->errors->count;
    script->source = source;
    script->code = parser_run(vm->arena, source, vm->errors, vm->warnings);
    if (!script->code) {
        raise_library(vm, &class_SyntaxError, ERROR_SYNTAX, "%s",
                      vm->errors->items[before].message);
        vm->at = vm->errors->items[before].at;
        vm->has_place = true;
        return false;
    }
    *at = script;
    *ret = script->code;
    return true;
}

static bool run_source(struct vm *vm, const struct source *source)
{
    struct code *code = NULL;
    if (!parse_source(vm, source, &code))
        return false;
    struct frame frame = { .code = code };
    struct include_frame include = { .source = source, .outer = vm->include };
    struct frame *module =
        arena_alloc(vm->arena, sizeof *module); /* functions keep it as their scope */
    *module = frame;
    vm->include = &include;
    enum flow flow = execute_block(vm, module, code->body);
    vm->include = include.outer;
    return flow != FLOW_RAISE;
}

static bool missing_include(struct vm *vm, const struct string *path, const char *reason)
{
    struct value items[] = { V_INT(2),
                             value_text(vm->arena, *reason ? reason : "No such file or directory"),
                             V_STR(string_new(vm->arena, path->data, path->len)) };
    struct value exception = exception_new(vm, &class_FileNotFoundError, items, 3);
    exception.instance->error_class = ERROR_INCLUDE;
    return raise_value(vm, exception);
}

bool compile_include(struct vm *vm, const struct string *path)
{
    const char *missing, *joined = joined_path(vm->arena, vm->include->source->path, path->data);
    if (generator_is_running(vm))
        return raise_error(vm, &class_RuntimeError, "include() cannot be called by a generator");
    if (++vm->include_count > LIMIT_INCLUDES)
        return raise_limit(vm, "the configuration calls include() more than %d times",
                           LIMIT_INCLUDES);
    if (vm->include_depth >= LIMIT_INCLUDE_DEPTH)
        return raise_error(
            vm, &class_RecursionError,
            "maximum recursion depth exceeded: more than %d files include each other",
            LIMIT_INCLUDE_DEPTH);
    const struct source *source = compile_find_source(vm, joined, &missing);
    if (!source)
        return missing ? missing_include(vm, path, missing) : compile_need_file(vm, joined);
    vm->include_depth++;
    bool is_done = run_source(vm, source);
    vm->include_depth--;
    return is_done;
}

/* --- loading --- */

static bool load_json(struct vm *vm, const struct source *source, struct value *ret_jobs)
{
    struct value data, jobs;
    if (!slice_is_utf8(source->text))
        return bad_text(vm, source);
    if (!json_read_source(vm, source, &data)) {
        if (vm->exception.kind == K_INSTANCE && !vm->exception.instance->error_class)
            vm->exception.instance->error_class = ERROR_SYNTAX;
        return false;
    }
    jobs =
        data.kind == K_DICT ? dict_get_text(data.dict, string_from(vm->arena, "jobs")) : V_UNBOUND;
    if (jobs.kind == K_UNBOUND) {
        jobs = list_new(vm->arena, K_LIST, 1);
        list_push(vm->arena, jobs.list, data);
    }
    if (!value_to_list(vm, jobs, K_LIST, ret_jobs))
        return false;
    for (size_t i = 0; i < ret_jobs->list->count; i++) {
        const struct object *job;
        if (!type_construct1(vm, &type_MesosJob, ret_jobs->list->items[i], &job))
            return false;
        ret_jobs->list->items[i] = object_value(job);
    }
    return true;
}

static bool find_jobs(struct vm *vm, bool *ret_assigned, struct value *ret)
{
    struct value jobs = dict_get_text(vm->globals, string_from(vm->arena, "jobs"));
    bool has_jobs = false;
    *ret_assigned = jobs.kind != K_UNBOUND;
    *ret = list_new(vm->arena, K_LIST, 0);
    if (*ret_assigned && !value_truth(vm, jobs, &has_jobs))
        return false;
    return !has_jobs || value_to_list(vm, jobs, K_LIST, ret) ||
           (jobs.kind == K_OBJECT && hint(vm, "'jobs' is a list: jobs = [job, …]"));
}

static bool load(struct vm *vm, struct value *ret_jobs)
{
    bool is_assigned = true;
    const struct source *source = &vm->input->sources[0];
    if (vm->input->request->files[0]->is_missing)
        return raise_library(vm, &class_FileNotFoundError, ERROR_INCLUDE,
                             "[Errno 2] No such file or directory: '%s'", source->name);
    if (vm->input->request->is_json) {
        if (!load_json(vm, source, ret_jobs))
            return false;
    } else {
        if (!run_source(vm, source))
            return false;
        if (!find_jobs(vm, &is_assigned, ret_jobs))
            return false;
    }
    if (ret_jobs->list->count == 0) {
        raise_library(vm, &class_ValueError, ERROR_NO_JOB, "No job defined in this config!");
        return !is_assigned && hint(vm, "put the jobs into a list of that name: jobs = [job, …]");
    }
    if (ret_jobs->list->count > LIMIT_JOBS)
        return raise_limit(vm, "the configuration has more than %d jobs", LIMIT_JOBS);
    return true;
}

/* --- bindings of the command line --- */

/* The reference's words are about references in texts: where this one stands is the hint. */
static bool hint_binding(struct vm *vm, struct slice name)
{
    vm->exception.instance->cause = V_NONE;
    return hint(vm,
                "the name '%.*s' of a binding has to be one that templates can refer to, such as "
                "a.b or a[b]",
                SLICE_ARG(name));
}

static bool parse_bindings(struct vm *vm, struct value **ret, size_t *ret_count)
{
    const request_message *request = vm->input->request;
    *ret = arena_array(vm->arena, request->n_bindings, sizeof **ret);
    *ret_count = request->n_bindings;
    for (size_t i = 0; i < request->n_bindings; i++) {
        struct environment *environment = environment_new(vm);
        struct slice rest = slice_of(request->bindings[i]), name = slice_split(&rest, '=');
        struct string *reference;
        if (!rest.ptr)
            return raise_library(vm, &class_ValueError, ERROR_REFERENCE,
                                 "the binding '%s' is not of the form NAME=VALUE",
                                 request->bindings[i]);
        if (!reference_parse(vm, name, &reference))
            return hint_binding(vm, name);
        struct string *text = string_new(vm->arena, rest.ptr, rest.len);
        if (vm->origins)
            origins_note_text(vm, text, arena_printf(vm->arena, "--bind %s", request->bindings[i]));
        environment_put(vm, environment, reference, V_STR(text));
        (*ret)[i] = (struct value){ .kind = K_ENVIRONMENT, .environment = environment };
    }
    return true;
}

/* --- selecting --- */

struct candidate {
    const struct object *job;
    struct string *parts[4]; /* cluster, role, environment, name */
    bool has_environment;
};

static bool describe(struct vm *vm, const struct object *job, struct candidate *ret)
{
    static const char *const fields[] = { "cluster", "role", "environment", "name" };
    ret->job = job;
    for (size_t i = 0; i < 4; i++) {
        const struct object *field;
        if (!object_field(vm, job, fields[i], &field))
            return false;
        if (i == 2)
            ret->has_environment = field != NULL;
        ret->parts[i] =
            string_from(vm->arena, i == 2 ? "{MISSING}" : "<class 'pystachio.composite.Empty'>");
        if (field && !object_text(vm, field, &ret->parts[i]))
            return false;
    }
    return true;
}

static bool matches(const struct candidate *candidate, const char *const wanted[4])
{
    for (size_t i = 0; i < 4; i++)
        if (wanted[i][0] && !(i == 2 && !candidate->has_environment) &&
            !string_is(candidate->parts[i], wanted[i]))
            return false;
    return candidate->has_environment || !wanted[2][0];
}

static void add_key(struct buffer *buffer, const struct candidate *candidate)
{
    for (size_t i = 0; i < 4; i++) {
        buffer_text(buffer, i ? "/" : "");
        buffer_string(buffer, candidate->parts[i]);
    }
}

static void add_candidates(struct buffer *buffer, const struct candidate *candidates, size_t count)
{
    buffer_text(buffer, "Candidates are:");
    for (size_t i = 0; i < count; i++) {
        buffer_text(buffer, "\n  ");
        add_key(buffer, &candidates[i]);
    }
}

static bool raise_buffer(struct vm *vm, const char *error_class, struct buffer *buffer)
{
    struct string *text;
    return buffer_finish(vm, buffer, &text) &&
           raise_library(vm, &class_ValueError, error_class, "%s", text->data);
}

static bool no_match(struct vm *vm, const struct candidate *candidates, size_t count,
                     const char *const wanted[4])
{
    struct buffer buffer = buffer_new(vm);
    buffer_text(&buffer, "Could not find job ");
    for (size_t i = 0; i < 4; i++) {
        buffer_text(&buffer, i ? "/" : "");
        buffer_text(&buffer, wanted[i][0] ? wanted[i] : "*");
    }
    buffer_char(&buffer, '\n');
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].has_environment)
            continue;
        buffer_text(&buffer, "Job ");
        add_key(&buffer, &candidates[i]);
        buffer_text(&buffer, " in configuration file doesn't specify an environment\n");
    }
    add_candidates(&buffer, candidates, count);
    return raise_buffer(vm, ERROR_NO_JOB, &buffer);
}

static bool ambiguous(struct vm *vm, const struct candidate *candidates, size_t count)
{
    struct buffer buffer = buffer_new(vm);
    buffer_text(&buffer, "Multiple jobs match, please disambiguate by specifying a job key.\n");
    add_candidates(&buffer, candidates, count);
    return raise_buffer(vm, ERROR_AMBIGUOUS, &buffer);
}

static bool as_job(struct vm *vm, struct value v, const struct object **ret)
{
    if (v.kind != K_OBJECT)
        return raise_error(vm, &class_AttributeError, "'%s' object has no attribute 'bind'",
                           value_type_name(v));
    if (v.object->type->kind != TYPE_STRUCT || !object_raw_field(v.object, "cluster")) {
        size_t index;
        if (v.object->type->kind != TYPE_STRUCT ||
            !type_field(v.object->type, SLICE("cluster"), &index))
            return raise_library(vm, &class_AttributeError, ERROR_ATTRIBUTE,
                                 "%s has no attribute has_cluster", v.object->type->name);
    }
    *ret = v.object;
    return true;
}

static bool bind_one(struct vm *vm, struct value v, const struct value *bindings, size_t count,
                     const struct object **ret)
{
    if (!as_job(vm, v, ret))
        return false;
    const struct args args = { .items = bindings, .count = count };
    return object_bind(vm, *ret, &args, ret);
}

static bool pick(struct vm *vm, struct value jobs, const struct value *bindings,
                 size_t binding_count, struct value *ret)
{
    const Eos__Config__V1__JobSelector *selector = vm->input->request->select;
    const char *const wanted[] = { selector->cluster, selector->role, selector->environment,
                                   selector->name };
    size_t count = jobs.list->count, found = 0, index = 0;
    struct candidate *candidates = arena_array(vm->arena, count, sizeof *candidates);
    if (!selector->name[0]) {
        if (count > 1)
            return raise_library(vm, &class_ValueError, ERROR_AMBIGUOUS,
                                 "Configuration has multiple jobs but no job name specified!");
        *ret = jobs.list->items[0];
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        const struct object *bound;
        if (!bind_one(vm, jobs.list->items[i], bindings, binding_count, &bound) ||
            !describe(vm, bound, &candidates[i]))
            return false;
        if (matches(&candidates[i], wanted)) {
            index = i;
            found++;
        }
    }
    if (found == 0)
        return no_match(vm, candidates, count, wanted);
    if (found > 1)
        return ambiguous(vm, candidates, count);
    *ret = jobs.list->items[index];
    return true;
}

/* --- one job --- */

static void add_warning(struct vm *vm, job_message *result, const char *name, const char *message)
{
    struct diagnostic diagnostic = { .class = name, .message = message };
    size_t count = result->n_warnings;
    result->warnings = arena_grow(vm->arena, result->warnings, count * sizeof *result->warnings,
                                  (count + 1) * sizeof *result->warnings);
    result->warnings[result->n_warnings++] = result_diagnostic(vm->arena, &diagnostic, "warning");
}

static void add_warnings(struct vm *vm, const struct job *job, job_message *result)
{
    if (job->announcer_port_unused)
        add_warning(vm, result, WARNING_ANNOUNCER,
                    "the announcer's primary port is neither a port that a process uses nor one of "
                    "the portmap");
    if (job->production_deprecated)
        add_warning(vm, result, WARNING_PRODUCTION,
                    "'production' is deprecated; use 'tier' instead");
}

/* As json_dumps() of the job gives it. */
static bool fill_job_json(struct vm *vm, const struct object *job, job_message *result)
{
    const struct object *filled;
    struct value plain;
    struct string *text;
    if (!object_interpolate(vm, job, NULL, &filled) || !object_get(vm, filled, &plain) ||
        !json_write(vm, plain, &JSON_STYLE_DEFAULT, &text))
        return false;
    result->job_json = text->data;
    return true;
}

static bool fill_result(struct vm *vm, struct job *job, const struct diagnostic *update_error,
                        job_message *result)
{
    static const char *const parts[] = { "cluster", "role", "environment", "name" };
    struct buffer key = buffer_new(vm);
    struct value cluster = V_NONE, v;
    struct string *text;
    void *message;
    for (size_t i = 0; i < 4; i++) {
        if (!job_field(vm, job->object, parts[i], &v) || !value_str(vm, v, &text))
            return false;
        if (i == 0)
            cluster = V_STR(text);
        buffer_text(&key, i ? "/" : "");
        buffer_string(&key, text);
    }
    if (!buffer_value(vm, &key, &v))
        return false;
    result->cluster = cluster.s->data;
    result->key = v.s->data;
    result_open_images(vm, job->configuration, result);
    add_warnings(vm, job, result);
    if (vm->input->request->want_job_json && !fill_job_json(vm, job->object, result))
        return false;
    if (vm->input->request->want_canonical_json) {
        if (!result_canonical(vm, job, v, cluster, update_error, &text))
            return false;
        result->canonical_json = text->data;
    }
    if (!result_message(vm, job->configuration, &eos__job__v1__job_configuration__descriptor,
                        &message))
        return vm->input->request->want_canonical_json ? (exception_take(vm), true) : false;
    result->job = message;
    if (update_error)
        return true;
    if (!result_message(vm, job->update, &eos__job__v1__job_update_settings__descriptor, &message))
        return vm->input->request->want_canonical_json ? (exception_take(vm), true) : false;
    result->update = message;
    return true;
}

static bool convert_one(struct vm *vm, struct value v, const struct value *bindings,
                        size_t binding_count, struct job *job, job_message *result)
{
    const request_message *request = vm->input->request;
    struct diagnostic update_error;
    bool has_update;
    if (!as_job(vm, v, &job->object) || !job_convert(job, bindings, binding_count))
        return false;
    has_update =
        convert_update(vm, job->object, request->instances, request->n_instances, &job->update);
    if (!has_update) {
        if (vm->is_stopped)
            return false;
        update_error = result_exception(vm);
        result->update_error = result_diagnostic(vm->arena, &update_error, "error");
    }
    return fill_result(vm, job, has_update ? NULL : &update_error, result);
}

static void *allocate(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void release(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

/* The result with all that it points to, in the arena that stays. */
static job_message *copy_result(struct vm *vm, const job_message *result, size_t *ret_len)
{
    ProtobufCAllocator allocator = { allocate, release, vm->home };
    size_t len = eos__config__v1__job_result__get_packed_size(result);
    uint8_t *bytes = arena_alloc(vm->arena, len);
    eos__config__v1__job_result__pack(result, bytes);
    job_message *copy = eos__config__v1__job_result__unpack(&allocator, len, bytes);
    assert(copy); /* it was packed a moment ago */
    *ret_len = len;
    return copy;
}

/* A job that failed is called by its key as far as that is known. */
static void name_failed(struct vm *vm, struct value v, const struct value *bindings, size_t count,
                        job_message *result)
{
    const struct object *bound;
    struct candidate candidate;
    struct buffer key = buffer_new(vm);
    struct value text;
    if (vm->is_stopped)
        return;
    if (bind_one(vm, v, bindings, count, &bound) && object_has(bound, "cluster") &&
        object_has(bound, "role") && object_has(bound, "environment") &&
        describe(vm, bound, &candidate)) {
        add_key(&key, &candidate);
        if (buffer_value(vm, &key, &text))
            result->key = text.s->data;
    }
    exception_take(vm);
}

static void convert_or_fail(struct vm *vm, struct value v, const struct value *bindings,
                            size_t binding_count, job_message *result)
{
    struct job job = { .vm = vm };
    eos__config__v1__job_result__init(result);
    if (!convert_one(vm, v, bindings, binding_count, &job, result)) {
        struct diagnostic error = result_exception(vm);
        if (!error.at.source && v.kind == K_OBJECT)
            error.at = v.object->made_at;
        result->error = result_diagnostic(vm->arena, &error, "error");
        name_failed(vm, v, bindings, binding_count, result);
        result->job = NULL;
        result->update = NULL;
    }
    if (vm->origins)
        explain_job(vm, job.object, result);
}

/* Each job is worked on in the scratch arena, which is used again for the next one: jobs cannot see each
 * other's leftovers, unless the configuration's own code ran and may have kept some. */
static size_t compile_job(struct vm *vm, struct value v, const struct value *bindings,
                          size_t binding_count, response_message *response)
{
    size_t bytes;
    job_message result;
    vm->has_run_code = false;
    vm->step_limit += LIMIT_STEPS_PER_JOB;
    vm->arena = vm->scratch;
    convert_or_fail(vm, v, bindings, binding_count, &result);
    response->jobs[response->n_jobs++] = copy_result(vm, &result, &bytes);
    vm->arena = vm->home;
    if (!vm->has_run_code && !vm->origins)
        arena_reset(vm->scratch);
    return bytes;
}

/* --- the whole --- */

static void compile_all(struct vm *vm, response_message *response)
{
    struct value jobs, picked, *bindings;
    size_t binding_count;
    bool has_selector = vm->input->request->select != NULL;
    if (!parse_bindings(vm, &bindings, &binding_count) || !load(vm, &jobs) ||
        (has_selector && !pick(vm, jobs, bindings, binding_count, &picked)))
        return;
    if (has_selector) {
        jobs = list_new(vm->arena, K_LIST, 1);
        list_push(vm->arena, jobs.list, picked);
    }
    response->jobs = arena_array(vm->arena, jobs.list->count, sizeof *response->jobs);
    size_t bytes = 0;
    for (size_t i = 0; i < jobs.list->count && !vm->is_stopped; i++) {
        bytes += compile_job(vm, jobs.list->items[i], bindings, binding_count, response);
        if (bytes > LIMIT_ANSWER_BYTES)
            raise_limit_text(vm, "the jobs take more than %d bytes", LIMIT_ANSWER_BYTES);
    }
}

/* Only what parses is laid out: of the rest nobody knows what it means. */
static void format(struct vm *vm, response_message *response)
{
    const struct source *source = &vm->input->sources[0];
    struct code *code;
    struct slice text;
    struct error err;
    if (vm->input->request->is_json) {
        raise_library(vm, &class_ValueError, ERROR_VALUE, "JSON is not laid out anew");
        return;
    }
    if (!parse_source(vm, source, &code))
        return;
    if (layout_format(vm->arena, source, &text, &err))
        response->formatted = arena_memdup0(vm->arena, text.ptr, text.len);
    else
        raise_library(vm, &class_ValueError, ERROR_VALUE, "%s", err.message);
}

static void add_syntax_errors(struct vm *vm, response_message *response)
{
    if (vm->errors->count < 2)
        return;
    response->more_errors =
        arena_array(vm->arena, vm->errors->count, sizeof *response->more_errors);
    for (size_t i = 1; i < vm->errors->count; i++)
        response->more_errors[response->n_more_errors++] =
            result_diagnostic(vm->arena, &vm->errors->items[i], "error");
}

/* A string of a message ends at its first zero byte: U+FFFD stands for those. */
static char *printed_text(struct vm *vm)
{
    const struct buffer *printed = vm->printed;
    struct buffer text = { .arena = vm->arena };
    for (size_t i = 0; i < printed->len; i++)
        if (printed->bytes[i])
            buffer_char(&text, printed->bytes[i]);
        else
            buffer_text(&text, "\xef\xbf\xbd");
    buffer_char(&text, '\0');
    return text.bytes;
}

static void finish(struct vm *vm, response_message *response)
{
    if (vm->needed->count) {
        response->n_jobs = 0;
        response->needed_files =
            arena_array(vm->arena, vm->needed->count, sizeof *response->needed_files);
        for (size_t i = 0; i < vm->needed->count; i++)
            response->needed_files[response->n_needed_files++] = vm->needed->items[i].s->data;
        return;
    }
    if (vm->exception.kind != K_UNBOUND) {
        struct diagnostic error = result_exception(vm);
        response->error = result_diagnostic(vm->arena, &error, "error");
        if (strcmp(error.class, ERROR_LIMIT) == 0)
            response->n_jobs = 0; /* the whole is too much */
        if (strcmp(error.class, ERROR_SYNTAX) == 0)
            add_syntax_errors(vm, response);
    }
    response->printed = printed_text(vm);
    response->warnings = arena_array(vm->arena, vm->warnings->count, sizeof *response->warnings);
    for (size_t i = 0; i < vm->warnings->count; i++)
        response->warnings[response->n_warnings++] =
            result_diagnostic(vm->arena, &vm->warnings->items[i], "warning");
}

response_message *compile_run(struct arena *arena, const request_message *request)
{
    char here;
    struct compile_input input = make_input(arena, request);
    struct diagnostics errors = { .arena = arena }, warnings = { .arena = arena };
    struct buffer printed = { .arena = arena };
    struct list needed = { 0 };
    struct vm vm = {
        .arena = arena,
        .home = arena,
        .scratch = arena_new(),
        .step_limit = LIMIT_STEPS,
        .input = &input,
        .globals = dict_new(arena),
        .builtins = dict_new(arena),
        .modules = dict_new(arena),
        .stack_floor = (char *)((uintptr_t)&here - LIMIT_STACK_BYTES),
        .printed = &printed,
        .errors = &errors,
        .warnings = &warnings,
        .needed = &needed,
    };
    if (request->explain[0])
        vm.origins = origins_new(&vm);
    response_message *response = arena_alloc(arena, sizeof *response);
    eos__config__v1__compile_response__init(response);
    if (request->format)
        format(&vm, response);
    else
        compile_all(&vm, response);
    finish(&vm, response);
    generators_release(&vm);
    arena_free(vm.scratch);
    return response;
}
