#pragma once

#include "config/vm.h"

/* Where values came from, kept only when the request wants an explanation: `vm->origins` is NULL
 * otherwise, and that is all that an ordinary compilation pays.
 *
 * What identifies a value outlives its copies: a text's bytes, a struct's array of fields (binding a
 * struct copies all but that), and the place of one field in it. */
struct origin {
    struct span at;   /* no source: it is not in a file */
    const char *what; /* then: what it is instead; may be NULL */
    const void *base; /* of a struct: the fields that it was copied from, or NULL */
};

struct origins;

struct origins *origins_new(struct vm *vm);

/* An expression gave a value.  The first one that gives a text is what wrote it. */
void origins_note_value(struct vm *vm, const struct frame *frame, const struct node *node,
                        struct value v);

/* A call is about to be made; texts that are made meanwhile come from it. */
void origins_note_call(struct vm *vm, const struct frame *frame, const struct node *call);
void origins_note_made(struct vm *vm, const struct string *text);

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
