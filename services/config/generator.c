#include "config/evaluate.h"

#include "base/sanitizer.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef HAS_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

/* A generator runs on a machine stack of its own, so that the evaluator can stop in the middle of a
 * function.  The stacks belong to the vm and go with it, also those of generators that were never
 * finished: the evaluator holds nothing but memory of the arena. */

enum generator_state {
    GENERATOR_NEW,
    GENERATOR_RUNNING,
    GENERATOR_SUSPENDED,
    GENERATOR_DONE,
};

struct generator {
    struct generator *next; /* in vm->generators, once it has a stack */
    enum generator_state state;
    struct vm *vm;
    struct frame *frame;
    struct iterator *first; /* of generator expressions */
    ucontext_t own, caller;
    void *stack;
    bool has_failed;
    struct value yielded;    /* K_UNBOUND: at the end */
    struct value returned;   /* by the function, at the end */
    struct generator *outer; /* that was running when this one was resumed */
    void *fake_stack;        /* of the address sanitizer */
    const void *caller_bottom;
    size_t caller_size;
};

static void switch_to(struct generator *generator, bool is_leaving, bool is_last)
{
#ifdef HAS_ASAN
    void *fake = NULL;
    const void *bottom = is_leaving ? generator->caller_bottom : generator->stack;
    size_t size = is_leaving ? generator->caller_size : LIMIT_GENERATOR_STACK;
    __sanitizer_start_switch_fiber(is_last ? NULL : &fake, bottom, size);
#endif
    (void)is_last;
    if (is_leaving)
        swapcontext(&generator->own, &generator->caller);
    else
        swapcontext(&generator->caller, &generator->own);
#ifdef HAS_ASAN
    const void *from;
    size_t from_size;
    __sanitizer_finish_switch_fiber(fake, &from, &from_size);
    if (is_leaving) {
        generator->caller_bottom = from;
        generator->caller_size = from_size;
    }
#endif
}

static bool yield_element(struct vm *vm, struct frame *frame, void *context)
{
    struct value v;
    (void)context;
    return evaluate(vm, frame, frame->code->body, &v) && generator_yield(vm, frame, v);
}

static void generator_main(unsigned high, unsigned low)
{
    struct generator *generator = (struct generator *)((uintptr_t)high << 32 | (uintptr_t)low);
    struct vm *vm = generator->vm;
    struct value result;
#ifdef HAS_ASAN
    __sanitizer_finish_switch_fiber(NULL, &generator->caller_bottom, &generator->caller_size);
#endif
    bool is_done = generator->first ? run_comprehension(vm, generator->frame, generator->first,
                                                        yield_element, NULL)
                                    : run_function_body(vm, generator->frame, &result);
    generator->has_failed = !is_done;
    generator->yielded = V_UNBOUND;
    generator->returned = is_done && !generator->first ? result : V_NONE;
    generator->state = GENERATOR_DONE;
    switch_to(generator, true, true);
    abort(); /* nobody resumes it */
}

static bool start(struct vm *vm, struct generator *generator)
{
    if (vm->generator_count == LIMIT_GENERATORS)
        return raise_limit(vm, "more than %d generators are under way", LIMIT_GENERATORS);
    generator->stack = mmap(NULL, LIMIT_GENERATOR_STACK, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (generator->stack == MAP_FAILED) {
        generator->stack = NULL;
        return raise_limit(vm, "no memory for a generator");
    }
    vm->generator_count++;
    generator->next = vm->generators;
    vm->generators = generator;
    getcontext(&generator->own);
    generator->own.uc_stack.ss_sp = generator->stack;
    generator->own.uc_stack.ss_size = LIMIT_GENERATOR_STACK;
    generator->own.uc_link = NULL;
    uintptr_t address = (uintptr_t)generator;
    makecontext(&generator->own, (void (*)(void))generator_main, 2, (unsigned)(address >> 32),
                (unsigned)(address & 0xffffffff));
    return true;
}

static void release(struct vm *vm, struct generator *generator)
{
    for (struct generator **at = &vm->generators; *at; at = &(*at)->next)
        if (*at == generator) {
            *at = generator->next;
            break;
        }
    munmap(generator->stack, LIMIT_GENERATOR_STACK);
    generator->stack = NULL;
    vm->generator_count--;
}

void generators_release(struct vm *vm)
{
    while (vm->generators)
        release(vm, vm->generators);
}

#define STACK_MARGIN 65536 /* for what runs below the last check */

static bool resume(struct vm *vm, struct generator *generator)
{
    char *floor = vm->stack_floor;
    struct frame *frame = vm->frame;
    struct value handled = vm->handled;
    int depth = vm->depth;
    vm->has_run_code = true;
    generator->state = GENERATOR_RUNNING;
    vm->stack_floor = (char *)generator->stack + STACK_MARGIN;
    switch_to(generator, false, false);
    vm->stack_floor = floor;
    vm->frame = frame;
    vm->handled = handled;
    vm->depth = depth;
    if (generator->state == GENERATOR_DONE)
        release(vm, generator);
    return !generator->has_failed;
}

static bool generator_next(struct vm *vm, struct iterator *iterator, struct value *ret)
{
    struct generator *generator = iterator->state;
    if (generator->state == GENERATOR_RUNNING)
        return raise_error(vm, &class_ValueError, "generator already executing");
    if (generator->state == GENERATOR_DONE) {
        *ret = V_UNBOUND;
        return true;
    }
    if (!vm_enter(vm))
        return false;
    bool is_done =
        (generator->state != GENERATOR_NEW || start(vm, generator)) && resume(vm, generator);
    vm_leave(vm);
    if (is_done)
        *ret = generator->yielded;
    else
        iterator->is_done = true;
    if (!is_done && exception_is(vm, &class_StopIteration)) {
        exception_take(vm);
        return raise_error(vm, &class_RuntimeError, "generator raised StopIteration");
    }
    return is_done;
}

struct value generator_new(struct vm *vm, struct frame *frame, struct iterator *first)
{
    struct generator *generator = arena_alloc(vm->arena, sizeof *generator);
    struct iterator *iterator = iterator_new(vm, "generator", generator_next);
    generator->vm = vm;
    generator->frame = frame;
    generator->first = first;
    frame->generator = generator;
    iterator->state = generator;
    return iterator_value(iterator);
}

bool generator_yield(struct vm *vm, struct frame *frame, struct value v)
{
    struct generator *generator = frame->generator;
    (void)vm;
    generator->yielded = v;
    generator->state = GENERATOR_SUSPENDED;
    switch_to(generator, true, false);
    generator->state = GENERATOR_RUNNING;
    return true;
}

/* What `finally` would do in a generator that is left in the middle can be seen by nobody. */
static bool generator_close(struct vm *vm, struct value self, const struct args *args,
                            struct value *ret)
{
    (void)args;
    struct generator *generator = self.iterator->state;
    if (generator->state == GENERATOR_RUNNING)
        return raise_error(vm, &class_ValueError, "generator already executing");
    generator->state = GENERATOR_DONE;
    self.iterator->is_done = true;
    *ret = V_NONE;
    return true;
}

struct value generator_method(const struct iterator *iterator, const struct string *name)
{
    static const struct native close_row = { "close", generator_close, "" };
    if (iterator->next != generator_next || !string_is(name, "close"))
        return V_UNBOUND;
    return (struct value){ .kind = K_NATIVE, .native = &close_row };
}

struct value generator_result(const struct iterator *iterator)
{
    const struct generator *generator = iterator->state;
    return iterator->next == generator_next && generator->state == GENERATOR_DONE
               ? generator->returned
               : V_NONE;
}

bool generator_stop(struct vm *vm, const struct iterator *iterator)
{
    struct value v = V_NONE;
    if (iterator->next == generator_next) {
        struct generator *generator = iterator->state;
        v = generator->returned;
        generator->returned = V_NONE;
    }
    return raise_value(vm, exception_new(vm, &class_StopIteration, &v, v.kind > K_NONE));
}

bool generator_is_running(const struct vm *vm)
{
    for (const struct generator *generator = vm->generators; generator; generator = generator->next)
        if (generator->state == GENERATOR_RUNNING)
            return true;
    return false;
}
