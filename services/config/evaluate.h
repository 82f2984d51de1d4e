#pragma once

#include "config/vm.h"

/* Runs the syntax tree. */

enum flow {
    FLOW_NEXT,
    FLOW_BREAK,
    FLOW_CONTINUE,
    FLOW_RETURN,
    FLOW_RAISE,
};

static inline struct dict *frame_globals(const struct vm *vm, const struct frame *frame)
{
    struct dict *own = frame->code->source->globals;
    return own ? own : vm->globals;
}

/* What a name stands for, without the name being used: no one else refers to the value now. */
bool evaluate_target_name(struct vm *vm, struct frame *frame, const struct node *node,
                          struct value *ret);
bool evaluate(struct vm *vm, struct frame *frame, const struct node *node, struct value *ret);
enum flow execute_block(struct vm *vm, struct frame *frame, const struct node *block);
bool assign(struct vm *vm, struct frame *frame, const struct node *target, struct value v);

/* Remembers where the exception on its way was raised, if that is not known yet.  Returns false. */
bool note_place(struct vm *vm, const struct frame *frame, const struct node *node);
/* Adds a line to the story of how it got there. */
void note_call(struct vm *vm, const struct frame *frame, const struct node *node,
               const char *description);

struct frame *frame_new(struct vm *vm, const struct code *code, struct frame *outer);
/* The default values of parameters, K_UNBOUND for those without. */
bool evaluate_defaults(struct vm *vm, struct frame *frame, const struct code *code,
                       struct value **ret);
bool run_function_body(struct vm *vm, struct frame *frame, struct value *ret);
/* The loops of a comprehension; `collect` gets each element. */
bool run_comprehension(struct vm *vm, struct frame *frame, struct iterator *first,
                       bool (*collect)(struct vm *vm, struct frame *frame, void *context),
                       void *context);

/* --- generator.c --- */

struct value generator_new(struct vm *vm, struct frame *frame, struct iterator *first);
/* What its function has returned, when it is a generator that has ended; else None. */
struct value generator_result(const struct iterator *iterator);
/* Raises the StopIteration of an iterator that is at its end, with what a generator returned. */
bool generator_stop(struct vm *vm, const struct iterator *iterator);
/* close() of a generator; K_UNBOUND for other names and iterators. */
struct value generator_method(const struct iterator *iterator, const struct string *name);
bool generator_yield(struct vm *vm, struct frame *frame, struct value v);
/* Gives back the stacks of all generators that were started. */
void generators_release(struct vm *vm);
bool generator_is_running(const struct vm *vm);

/* --- builtins.c --- */

extern const struct native number_natives[], sequence_natives[], object_natives[];

/* K_UNBOUND when there is none. */
struct value builtin_find(struct vm *vm, struct string *name);
bool print_values(struct vm *vm, const struct value *items, size_t count, const char *separator,
                  const char *end);
/* The known name that is closest to a misspelt one; NULL when none is close. */
const char *builtin_nearest(struct vm *vm, const struct string *name);
