#include "config/class.h"
#include "config/compile.h"
#include "config/modules.h"

/* os, os.path, sys and getpass: what they tell comes from the caller. */

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

static bool expect_path(struct vm *vm, struct value v, struct slice *ret)
{
    v = value_as(v, K_STR);
    if (v.kind != K_STR)
        return raise_error(vm, &class_TypeError,
                           "expected str, bytes or os.PathLike object, not %s", value_type_name(v));
    *ret = string_slice(v.s);
    return true;
}

static struct value text_of(struct vm *vm, struct slice s)
{
    return V_STR(string_new(vm->arena, s.ptr, s.len));
}

/* --- os.environ --- */

static struct dict *environment_table(struct vm *vm)
{
    static const char *const user_names[] = { "LNAME", "LOGNAME", "USER", "USERNAME" };
    const Eos__Config__V1__CompileRequest *request = vm->input->request;
    struct dict *table = dict_new(vm->arena);
    for (size_t i = 0; i < sizeof user_names / sizeof *user_names; i++)
        if (vm->input->user[0])
            dict_set_text(vm->arena, table, string_from(vm->arena, user_names[i]),
                          value_text(vm->arena, vm->input->user));
    for (size_t i = 0; i < request->n_environment; i++)
        dict_set_text(vm->arena, table, string_from(vm->arena, request->environment[i]->name),
                      value_text(vm->arena, request->environment[i]->value));
    return table;
}

FUNCTION(getpass_getuser)
{
    (void)self;
    (void)args;
    *ret = value_text(vm->arena, vm->input->user);
    return vm->input->user[0] ||
           raise_error(vm, &class_KeyError, "no user is known; give one with --user NAME");
}

FUNCTION(os_outside)
{
    (void)self;
    (void)args;
    (void)ret;
    return raise_error(vm, &class_PermissionError,
                       "a configuration does not see the machine that it is compiled on; give it "
                       "what it needs with "
                       "--env or --bind");
}

const struct native os_natives[] = {
    { "getcwd", os_outside, NULL }, { "getpid", os_outside, NULL }, { "listdir", os_outside, NULL },
    { "popen", os_outside, NULL },  { "system", os_outside, NULL }, { "uname", os_outside, NULL },
    { NULL, NULL, NULL },
};

const struct native getpass_natives[] = {
    { "getuser", getpass_getuser, "" },
    { NULL, NULL, NULL },
};

bool prepare_os(struct vm *vm, struct dict *attributes)
{
    struct value path, environ = { .kind = K_DICT, .dict = environment_table(vm) };
    environ.dict->type_name = "environ";
    if (!module_import(vm, string_from(vm->arena, "os.path"), &path))
        return false;
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "environ"), environ);
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "path"), path);
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "sep"), value_text(vm->arena, "/"));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "curdir"),
                  value_text(vm->arena, "."));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "linesep"),
                  value_text(vm->arena, "\n"));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "pathsep"),
                  value_text(vm->arena, ":"));
    return true;
}

bool prepare_sys(struct vm *vm, struct dict *attributes)
{
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "maxsize"), V_INT(INT64_MAX));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "stdout"),
                  value_text(vm->arena, "<stdout>"));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "stderr"),
                  value_text(vm->arena, "<stderr>"));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "platform"),
                  value_text(vm->arena, "linux"));
    dict_set_text(vm->arena, attributes, string_from(vm->arena, "argv"),
                  list_new(vm->arena, K_LIST, 0));
    return true;
}

/* --- os.path --- */

static size_t last_slash(struct slice path)
{
    for (size_t i = path.len; i > 0; i--)
        if (path.ptr[i - 1] == '/')
            return i - 1;
    return SIZE_MAX;
}

static struct slice base_name(struct slice path)
{
    size_t slash = last_slash(path);
    return slash == SIZE_MAX ? path : (struct slice){ path.ptr + slash + 1, path.len - slash - 1 };
}

static struct slice directory_name(struct slice path)
{
    size_t slash = last_slash(path);
    if (slash == SIZE_MAX)
        return (struct slice){ "", 0 };
    size_t end = slash + 1;
    while (end > 0 && path.ptr[end - 1] == '/')
        end--;
    return (struct slice){ path.ptr, end ? end : slash + 1 };
}

FUNCTION(path_join)
{
    (void)self;
    struct buffer buffer = buffer_new(vm);
    if (args->count == 0)
        return raise_error(vm, &class_TypeError,
                           "join() missing 1 required positional argument: 'a'");
    for (size_t i = 0; i < args->count; i++) {
        struct slice part;
        if (!expect_path(vm, args->items[i], &part))
            return false;
        if (part.len && part.ptr[0] == '/')
            buffer.len = 0;
        else if (buffer.len && buffer.bytes[buffer.len - 1] != '/')
            buffer_char(&buffer, '/');
        buffer_add(&buffer, part.ptr, part.len);
    }
    return buffer_value(vm, &buffer, ret);
}

FUNCTION(path_basename)
{
    (void)self;
    struct slice path;
    if (!expect_path(vm, args->items[0], &path))
        return false;
    *ret = text_of(vm, base_name(path));
    return true;
}

FUNCTION(path_dirname)
{
    (void)self;
    struct slice path;
    if (!expect_path(vm, args->items[0], &path))
        return false;
    *ret = text_of(vm, directory_name(path));
    return true;
}

FUNCTION(path_split)
{
    (void)self;
    struct slice path;
    if (!expect_path(vm, args->items[0], &path))
        return false;
    struct value pair[] = { text_of(vm, directory_name(path)), text_of(vm, base_name(path)) };
    *ret = tuple_of(vm->arena, pair, 2);
    return true;
}

FUNCTION(path_splitext)
{
    (void)self;
    struct slice path;
    if (!expect_path(vm, args->items[0], &path))
        return false;
    struct slice base = base_name(path);
    size_t start = 0, dot = SIZE_MAX;
    while (start < base.len && base.ptr[start] == '.')
        start++;
    for (size_t i = start; i < base.len; i++)
        if (base.ptr[i] == '.')
            dot = i;
    size_t extension = dot == SIZE_MAX ? 0 : base.len - dot;
    struct value pair[] = { text_of(vm, (struct slice){ path.ptr, path.len - extension }),
                            text_of(vm,
                                    (struct slice){ path.ptr + path.len - extension, extension }) };
    *ret = tuple_of(vm->arena, pair, 2);
    return true;
}

FUNCTION(path_isabs)
{
    (void)self;
    struct slice path;
    if (!expect_path(vm, args->items[0], &path))
        return false;
    *ret = V_BOOL(path.len && path.ptr[0] == '/');
    return true;
}

FUNCTION(path_normpath)
{
    (void)self;
    struct slice path;
    if (!expect_path(vm, args->items[0], &path))
        return false;
    bool is_absolute = path.len && path.ptr[0] == '/';
    struct value parts = list_new(vm->arena, K_LIST, 8);
    for (struct slice rest = path; rest.ptr;) {
        struct slice part = slice_split(&rest, '/');
        size_t count = parts.list->count;
        bool is_up = slice_is(part, "..");
        if (part.len == 0 || slice_is(part, ".") || (is_up && count == 0 && is_absolute))
            continue;
        if (is_up && count && !string_is(parts.list->items[count - 1].s, ".."))
            parts.list->count--;
        else
            list_push(vm->arena, parts.list, text_of(vm, part));
    }
    struct buffer buffer = buffer_new(vm);
    buffer_text(&buffer, is_absolute ? "/" : parts.list->count ? "" : ".");
    for (size_t i = 0; i < parts.list->count; i++) {
        buffer_text(&buffer, i ? "/" : "");
        buffer_string(&buffer, parts.list->items[i].s);
    }
    return buffer_value(vm, &buffer, ret);
}

FUNCTION(path_exists)
{
    (void)self;
    struct slice path;
    if (!expect_path(vm, args->items[0], &path))
        return false;
    *ret = V_BOOL(file_exists(vm, path.ptr));
    return true;
}

FUNCTION(path_expanduser)
{
    (void)vm;
    (void)self;
    *ret = args->items[0];
    return true;
}

const struct native os_path_natives[] = {
    { "basename", path_basename, "p" }, { "dirname", path_dirname, "p" },
    { "exists", path_exists, "path" },  { "expanduser", path_expanduser, "path" },
    { "isabs", path_isabs, "s" },       { "isfile", path_exists, "path" },
    { "join", path_join, NULL },        { "normpath", path_normpath, "path" },
    { "split", path_split, "p" },       { "splitext", path_splitext, "p" },
    { "realpath", os_outside, NULL },   { NULL, NULL, NULL },
};
