#include "config/class.h"
#include "config/compile.h"
#include "config/modules.h"

/* open(): files that the request carries, for reading. */

struct open_file {
    struct string *text;
    size_t at;
    bool is_closed;
};

#define METHOD(name)                                                                               \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

static struct open_file *file_of(struct value self)
{
    return (struct open_file *)(uintptr_t)self.instance->payload.p;
}

static bool check_open(struct vm *vm, const struct open_file *file)
{
    return !file->is_closed || raise_error(vm, &class_ValueError, "I/O operation on closed file.");
}

METHOD(file_read)
{
    struct open_file *file = file_of(self);
    size_t most = SIZE_MAX;
    int64_t wanted = -1;
    if (!check_open(vm, file) ||
        (args->items[0].kind > K_NONE && !value_to_i64(vm, args->items[0], &wanted)))
        return false;
    if (wanted >= 0)
        most = (size_t)wanted;
    size_t left = file->text->len - file->at, taken = left < most ? left : most;
    *ret = V_STR(string_new(vm->arena, file->text->data + file->at, taken));
    file->at += taken;
    return true;
}

static bool take_line(struct vm *vm, struct open_file *file, struct value *ret)
{
    if (file->at == file->text->len) {
        *ret = V_UNBOUND;
        return true;
    }
    const char *start = file->text->data + file->at;
    const char *end = memchr(start, '\n', file->text->len - file->at);
    size_t length = end ? (size_t)(end - start) + 1 : file->text->len - file->at;
    *ret = V_STR(string_new(vm->arena, start, length));
    file->at += length;
    return true;
}

METHOD(file_readline)
{
    (void)args;
    if (!check_open(vm, file_of(self)) || !take_line(vm, file_of(self), ret))
        return false;
    if (ret->kind == K_UNBOUND)
        *ret = value_text(vm->arena, "");
    return true;
}

METHOD(file_readlines)
{
    (void)args;
    struct open_file *file = file_of(self);
    if (!check_open(vm, file))
        return false;
    *ret = list_new(vm->arena, K_LIST, 8);
    for (struct value line; take_line(vm, file, &line) && line.kind != K_UNBOUND;)
        list_push(vm->arena, ret->list, line);
    return true;
}

METHOD(file_close)
{
    (void)vm;
    (void)args;
    file_of(self)->is_closed = true;
    *ret = V_NONE;
    return true;
}

METHOD(file_enter)
{
    (void)vm;
    (void)args;
    *ret = self;
    return true;
}

static bool next_line(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    return check_open(vm, file_of(iterator->a)) && take_line(vm, file_of(iterator->a), ret);
}

METHOD(file_iterate)
{
    (void)args;
    struct iterator *iterator = iterator_new(vm, "file", next_line);
    iterator->a = self;
    *ret = iterator_value(iterator);
    return true;
}

static const struct native FILE_METHODS[] = {
    { "read", file_read, "| size" },           { "readline", file_readline, "| size" },
    { "readlines", file_readlines, "| hint" }, { "close", file_close, "" },
    { "__enter__", file_enter, "" },           { "__exit__", file_close, "| a b c" },
    { "__iter__", file_iterate, "" },          { NULL, NULL, NULL },
};

static const struct class class_TextFile = {
    .name = "TextIOWrapper", .base = &class_object, .layout = K_INSTANCE, .methods = FILE_METHODS
};

static bool not_found(struct vm *vm, const char *path, const char *reason)
{
    struct value items[] = { V_INT(2),
                             value_text(vm->arena, *reason ? reason : "No such file or directory"),
                             value_text(vm->arena, path) };
    struct value exception = exception_new(vm, &class_FileNotFoundError, items, 3);
    return raise_value(vm, exception);
}

/* Without the CR of line ends. */
static struct string *read_text(struct arena *arena, struct slice text)
{
    struct string *s = string_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\r')
            s->data[len++] = text.ptr[i];
        else if (i + 1 == text.len || text.ptr[i + 1] != '\n')
            s->data[len++] = '\n';
    s->data[len] = '\0';
    s->len = (uint32_t)len;
    return string_finish(s);
}

bool file_open(struct vm *vm, struct value path, struct value *ret)
{
    const char *missing;
    if (path.kind != K_STR)
        return raise_error(vm, &class_TypeError,
                           "expected str, bytes or os.PathLike object, not %s",
                           value_type_name(path));
    const struct source *source = compile_find_source(vm, path.s->data, &missing);
    if (!source)
        return missing ? not_found(vm, path.s->data, missing) : compile_need_file(vm, path.s->data);
    if (!source->is_readable)
        return raise_error(
            vm, &class_PermissionError,
            "open() reads only files below a directory that --allow-read names: '%s'",
            path.s->data);
    struct open_file *file = arena_alloc(vm->arena, sizeof *file);
    file->text = read_text(vm->arena, source->text);
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    instance->class = &class_TextFile;
    instance->payload = (struct value){ .kind = K_NODE, .p = file };
    *ret = (struct value){ .kind = K_INSTANCE, .instance = instance };
    return true;
}

bool file_exists(struct vm *vm, const char *path)
{
    const char *missing;
    return compile_find_source(vm, path, &missing) != NULL;
}
