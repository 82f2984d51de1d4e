#pragma once

#include "config/vm.h"

/* An expression, with the variables that it meant when it was evaluated. */
struct expression {
    const struct node *node;   /* NULL: none */
    const struct frame *frame; /* a copy */
    uint64_t time;             /* counts definitions */
};

/* What a variable came to hold, or a call gave. */
struct definition {
    struct expression value;
    const char *how;          /* "is set here" and the like */
    bool is_added;            /* to what the variable held before */
    struct definition *older; /* of the same variable or call */
};

/* Where values came from, kept only when the request wants an explanation: `vm->origins` is NULL
 * otherwise, and that is all that an ordinary compilation pays.
 *
 * What identifies a value outlives its copies: a text's bytes, a struct's array of fields (binding a
 * struct copies all but that), and the place of one field in it. */
struct origin {
    struct span at;         /* no source: it is not in a file */
    const char *what;       /* then: what it is instead; may be NULL */
    const void *base;       /* of a struct: the fields that it was copied from, or NULL */
    struct expression from; /* of a field: what was evaluated for it */
    struct definition *latest;
};

struct origins;

struct origins *origins_new(struct vm *vm);

/* An expression gave a value.  The first one that gives a text is what wrote it. */
void origins_note_value(struct vm *vm, const struct frame *frame, const struct node *node,
                        struct value v);

/* A call is about to be made; texts that are made meanwhile come from it. */
void origins_note_call(struct vm *vm, const struct frame *frame, const struct node *call);
void origins_note_made(struct vm *vm, const struct string *text);

/* Variables: the names in `target` take `value`, or what is in it. */
void origins_note_target(struct vm *vm, const struct frame *frame, const struct node *target,
                         const struct frame *of, const struct node *value, const char *how);
void origins_note_added(struct vm *vm, const struct frame *frame, const struct node *target,
                        const struct node *value);
/* The parameters of `callee` have been set by the call that is under way; `shift` of them otherwise. */
void origins_note_parameters(struct vm *vm, const struct frame *callee, uint32_t shift);
void origins_note_return(struct vm *vm, const struct frame *callee, const struct node *value);

/* The call that functions are entered by from now on, until it is put back; NULL: none that is known. */
struct expression origins_set_caller(struct vm *vm, const struct frame *frame,
                                     const struct node *call);
void origins_put_caller(struct vm *vm, struct expression caller);

/* What a name, or a call, stood for at the time; NULL when it is not known. */
const struct definition *origins_definition(const struct vm *vm, struct expression of);

/* It has given a struct. */
void origins_note_struct(struct vm *vm, const struct frame *frame, const struct node *call,
                         struct value v);
void origins_note_copy(struct vm *vm, const struct object *copy, const struct object *from);

/* A text that is in no file. */
void origins_note_text(struct vm *vm, const struct string *text, const char *what);

/* NULL when it is not known. */
const struct origin *origins_of_text(const struct vm *vm, const struct string *text);
const struct origin *origins_of_struct(const struct vm *vm, const void *fields);
const struct origin *origins_of_field(const struct vm *vm, const void *fields, size_t index);
