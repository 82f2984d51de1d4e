#include "config/vm.h"

#include <errno.h>
#include <stdio.h>

/* Exceptions and limits. */

/* OSError(number, text) is of the class that the number has. */
static const struct class *class_of_number(const struct args *args)
{
    static const struct {
        int number;
        const struct class *class;
    } rows[] = {
        { EPERM, &class_PermissionError },      { ENOENT, &class_FileNotFoundError },
        { ESRCH, &class_ProcessLookupError },   { EINTR, &class_InterruptedError },
        { ECHILD, &class_ChildProcessError },   { EAGAIN, &class_BlockingIOError },
        { EACCES, &class_PermissionError },     { EEXIST, &class_FileExistsError },
        { ENOTDIR, &class_NotADirectoryError }, { EISDIR, &class_IsADirectoryError },
        { EPIPE, &class_BrokenPipeError },      { ETIMEDOUT, &class_TimeoutError },
    };
    for (size_t i = 0; args->count > 1 && i < sizeof rows / sizeof *rows; i++)
        if (args->items[0].kind == K_INT && args->items[0].i == rows[i].number)
            return rows[i].class;
    return &class_OSError;
}

static bool construct_exception(struct vm *vm, const struct class *class, const struct args *args,
                                struct value *ret)
{
    if (class == &class_OSError)
        class = class_of_number(args);
    *ret = exception_new(vm, class, args->items, args->count);
    return true;
}

extern const struct class class_object;

static bool exception_init(struct vm *vm, struct value self, const struct args *args,
                           struct value *ret)
{
    if (self.kind == K_INSTANCE)
        self.instance->payload = tuple_of(vm->arena, args->items, args->count);
    *ret = V_NONE;
    return true;
}

static bool exception_str(struct vm *vm, struct value self, const struct args *args,
                          struct value *ret)
{
    struct value plain = self;
    struct instance copy = *self.instance;
    copy.class = &class_Exception;
    plain.instance = &copy;
    (void)args;
    ret->kind = K_STR;
    return value_str(vm, plain, &ret->s);
}

static bool exception_with_traceback(struct vm *vm, struct value self, const struct args *args,
                                     struct value *ret)
{
    (void)vm;
    (void)args;
    *ret = self;
    return true;
}

static bool exception_add_note(struct vm *vm, struct value self, const struct args *args,
                               struct value *ret)
{
    struct string *name = string_from(vm->arena, "__notes__");
    struct value notes;
    *ret = V_NONE;
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "note must be a str, not '%s'",
                           value_type_name(args->items[0]));
    if (!value_find_attribute(vm, self, name, &notes))
        return false;
    if (notes.kind != K_LIST) {
        notes = list_new(vm->arena, K_LIST, 1);
        if (!value_set_attribute(vm, self, name, notes))
            return false;
    }
    list_push(vm->arena, notes.list, args->items[0]);
    return true;
}

static const struct native EXCEPTION_METHODS[] = {
    { "add_note", exception_add_note, "note" },
    { "__init__", exception_init, NULL },
    { "__str__", exception_str, "" },
    { "with_traceback", exception_with_traceback, "tb" },
    { NULL, NULL, NULL },
};

#define CLASS(symbol, base_class)                                                                  \
    const struct class class_##symbol = { .name = #symbol,                                         \
                                          .base = &class_##base_class,                             \
                                          .layout = K_INSTANCE,                                    \
                                          .construct = construct_exception };
const struct class class_BaseException = { .name = "BaseException",
                                           .base = &class_object,
                                           .layout = K_INSTANCE,
                                           .methods = EXCEPTION_METHODS,
                                           .construct = construct_exception };
#define EXCEPTION(name, base)         CLASS(name, base)
#define LIBRARY_EXCEPTION(name, base) CLASS(name, base)
#include "config/exceptions.def"

struct value exception_new(struct vm *vm, const struct class *class, const struct value *items,
                           size_t count)
{
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    instance->class = class;
    instance->payload = tuple_of(vm->arena, items, count);
    instance->cause = V_NONE;
    return (struct value){ .kind = K_INSTANCE, .instance = instance };
}

void raise_exception(struct vm *vm, struct value exception)
{
    if (vm->is_stopped)
        return;
    struct instance *instance = exception.instance;
    if (vm->handled.kind == K_INSTANCE && vm->handled.instance != instance &&
        instance->context.kind == K_UNBOUND)
        instance->context = vm->handled;
    vm->exception = exception;
    vm->has_place = false;
    vm->blamed = NULL;
    vm->trace = NULL;
    vm->trace_end = &vm->trace;
    vm->trace_count = 0;
}

static void raise_formatted(struct vm *vm, const struct class *class, const char *error_class,
                            const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void raise_formatted(struct vm *vm, const struct class *class, const char *error_class,
                            const char *fmt, va_list ap)
{
    struct value text = value_text(vm->arena, arena_vprintf(vm->arena, fmt, ap));
    struct value exception = exception_new(vm, class, &text, 1);
    exception.instance->error_class = error_class;
    raise_exception(vm, exception);
}

void raise_text(struct vm *vm, const struct class *class, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    raise_formatted(vm, class, NULL, fmt, ap);
    va_end(ap);
}

void raise_library_text(struct vm *vm, const struct class *class, const char *error_class,
                        const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    raise_formatted(vm, class, error_class, fmt, ap);
    va_end(ap);
}

void raise_limit_text(struct vm *vm, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    raise_formatted(vm, &class_MemoryError, ERROR_LIMIT, fmt, ap);
    va_end(ap);
    vm->is_stopped = true;
}

bool hint(struct vm *vm, const char *fmt, ...)
{
    if (vm->exception.kind != K_INSTANCE || vm->exception.instance->cause.kind != K_NONE)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vm->exception.instance->cause = value_text(vm->arena, arena_vprintf(vm->arena, fmt, ap));
    va_end(ap);
    return false;
}

struct value exception_take(struct vm *vm)
{
    struct value exception = vm->exception;
    vm->exception = V_UNBOUND;
    return exception;
}

bool exception_is(struct vm *vm, const struct class *class)
{
    return !vm->is_stopped && vm->exception.kind == K_INSTANCE &&
           class_is_subclass(vm->exception.instance->class, class);
}

struct string *exception_text(struct vm *vm, struct value exception)
{
    struct string *text;
    bool was_stopped = vm->is_stopped;
    vm->is_stopped = false;
    vm->exception = V_UNBOUND;
    if (!value_str(vm, exception, &text))
        text = string_from(vm->arena, "");
    vm->exception = V_UNBOUND;
    vm->is_stopped = was_stopped;
    return text;
}

static size_t memory_used(const struct vm *vm)
{
    size_t used = arena_used(vm->home);
    return vm->arena == vm->home ? used : used + arena_used(vm->arena);
}

#define STEPS_BETWEEN_CHECKS   64
#define WORK_BYTES_PER_STEP    16
#define WORK_BYTES_TO_CHECK_AT 4096

bool vm_check_limits(struct vm *vm)
{
    vm->steps_to_check = vm->steps + STEPS_BETWEEN_CHECKS;
    if (vm->steps > vm->step_limit)
        return raise_limit(vm, "the configuration takes more than %llu steps to evaluate",
                           (unsigned long long)vm->step_limit);
    if (memory_used(vm) > LIMIT_MEMORY_BYTES)
        return raise_limit(vm, "the configuration takes more than %d bytes of memory",
                           LIMIT_MEMORY_BYTES);
    return true;
}

bool vm_work(struct vm *vm, size_t bytes)
{
    vm->steps += bytes / WORK_BYTES_PER_STEP;
    return bytes >= WORK_BYTES_TO_CHECK_AT ? vm_check_limits(vm) : vm_step(vm);
}

bool vm_check_stack(struct vm *vm)
{
    char here;
    if (&here < vm->stack_floor)
        return raise_error(vm, &class_RecursionError, "maximum recursion depth exceeded");
    return true;
}

bool vm_enter(struct vm *vm)
{
    if (vm->depth >= LIMIT_CALL_DEPTH)
        return raise_error(vm, &class_RecursionError, "maximum recursion depth exceeded");
    if (!vm_check_stack(vm))
        return false;
    vm->depth++;
    return true;
}

void vm_leave(struct vm *vm)
{
    vm->depth--;
}
