#pragma once

#include "config/source.h"
#include "config/value.h"

/* The syntax tree.  All nodes have one shape; what `a` to `d`, `items` and `value` hold stands with
 * each kind. */

enum node_kind {
    /* expressions */
    N_CONSTANT,       /* value */
    N_NAME,           /* value: the name */
    N_TUPLE,          /* items */
    N_LIST,           /* items */
    N_SET,            /* items */
    N_DICT,           /* items: key, value, key, value ...; key NULL: "**value" */
    N_STARRED,        /* a */
    N_DOUBLE_STARRED, /* a; in calls */
    N_KEYWORD,        /* value: name, a; in calls */
    N_NEGATE,         /* a */
    N_PLUS,           /* a */
    N_INVERT,         /* a */
    N_NOT,            /* a */
    N_BINARY,         /* op: an enum binary_op, a, b */
    N_COMPARE,        /* a, items: N_COMPARE_STEP */
    N_COMPARE_STEP,   /* op: an enum compare_op, a */
    N_AND,            /* a, b */
    N_OR,             /* a, b */
    N_CONDITIONAL,    /* a if b else c */
    N_CALL,           /* a, items */
    N_ATTRIBUTE,      /* a, value: name */
    N_INDEX,          /* a, b */
    N_SLICE,          /* a, b, c; each may be NULL */
    N_LAMBDA,         /* code */
    N_COMPREHENSION,  /* op: an enum comprehension, code, a: first iterable; inside: see code */
    N_FORMAT_STRING,  /* items: N_CONSTANT, N_FORMAT */
    N_FORMAT,     /* a, op: conversion or 0, b: N_FORMAT_STRING with the specification or NULL */
    N_WALRUS,     /* a: N_NAME, b */
    N_YIELD,      /* a or NULL */
    N_YIELD_FROM, /* a */
    /* statements */
    N_BLOCK,      /* items */
    N_EXPRESSION, /* a */
    N_ASSIGN,     /* items: targets, a: the value or NULL (annotation only), value: annotation */
    N_AUGMENTED,  /* op, a: target, b */
    N_IF,         /* a, b: block, c: block or NULL */
    N_WHILE,      /* a, b: block, c: block or NULL */
    N_FOR,        /* a: target, b: iterable, c: block, d: block or NULL */
    N_DEF,        /* value: name, code, items: decorators */
    N_CLASS,      /* value: name, code, items: decorators, a: N_CALL with the bases */
    N_RETURN,     /* a or NULL */
    N_BREAK,
    N_CONTINUE,
    N_PASS,
    N_GLOBAL,    /* items: N_NAME */
    N_NONLOCAL,  /* items: N_NAME */
    N_IMPORT,    /* items: N_ALIAS */
    N_FROM,      /* value: module, items: N_ALIAS; no items: "*" */
    N_ALIAS,     /* value: what, a: N_NAME to bind */
    N_RAISE,     /* a or NULL, b or NULL */
    N_TRY,       /* a: block, items: N_HANDLER, b: else or NULL, c: finally or NULL */
    N_HANDLER,   /* a: type or NULL, b: N_NAME or NULL, c: block */
    N_WITH,      /* items: N_WITH_ITEM, a: block */
    N_WITH_ITEM, /* a, b: target or NULL */
    N_ASSERT,    /* a, b or NULL */
    N_DELETE,    /* items */
    N_PRINT,     /* items; op: 1 with a comma at the end (Python 2) */
    N_CLAUSE,    /* of comprehensions: a: target, b: iterable, items: conditions */
    N_COUNT
};

enum binary_op {
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_FLOOR,
    OP_MODULO,
    OP_POWER,
    OP_LEFT,
    OP_RIGHT,
    OP_AND,
    OP_OR,
    OP_XOR,
    OP_MATRIX,
    OP_COUNT
};

enum compare_op {
    CMP_EQUAL,
    CMP_UNEQUAL,
    CMP_LESS,
    CMP_AT_MOST,
    CMP_MORE,
    CMP_AT_LEAST,
    CMP_IN,
    CMP_NOT_IN,
    CMP_IS,
    CMP_IS_NOT,
    CMP_COUNT
};

enum comprehension {
    COMPREHENSION_LIST,
    COMPREHENSION_SET,
    COMPREHENSION_DICT,
    COMPREHENSION_GENERATOR,
};

/* Where a name is found: in the slot of the frame `hops` outwards, or by name. */
#define HOPS_GLOBAL -1 /* in the module, then among the builtins */
#define HOPS_CLASS  -2 /* in the class body under way, then as if it were not there */

struct node {
    uint8_t kind, op;
    bool is_store; /* an assignment's target */
    uint32_t start, end;
    struct node *a, *b, *c, *d;
    struct node **items;
    uint32_t count;
    struct value value;
    struct code *code;
    int32_t hops, slot;             /* of names */
    int32_t outer_hops, outer_slot; /* with HOPS_CLASS: where to look then */
};

enum code_kind {
    CODE_MODULE,
    CODE_FUNCTION,
    CODE_LAMBDA,
    CODE_CLASS,
    CODE_COMPREHENSION,
};

/* What runs in a frame of its own. */
struct code {
    enum code_kind kind;
    const struct source *source;
    struct string *name;
    struct string *full_name; /* "Class.method", "outer.<locals>.inner"; set when it is defined */
    struct string **slots;    /* names of the variables; parameters come first */
    uint32_t slot_count;
    struct dict *slot_index; /* numbers of the slots by name, when there are many; else NULL */
    /* Parameters in the order: positional, keyword only, *args, **kwargs. */
    uint32_t positional_count, positional_only_count, keyword_only_count;
    bool has_star, has_double_star;
    struct node **defaults; /* one per positional and keyword-only parameter; may be NULL */
    bool is_captured;       /* an inner function may outlive the call */
    bool is_generator;
    struct node *body;       /* block, expression (lambda), or of comprehensions: the element */
    struct node *body_value; /* of dict comprehensions */
    struct node **clauses;   /* of comprehensions: N_CLAUSE */
    uint32_t clause_count;
    struct string *doc;
};
