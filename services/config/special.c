#include "config/class.h"
#include "config/evaluate.h"
#include "config/format.h"

/* The special methods of builtin values, for who calls them by name: `v.__len__()`, and above all
 * `super().__setitem__(...)` in a class derived from a builtin one. */

#define METHOD(name)                                                                               \
    static bool special_##name(struct vm *vm, struct value self, const struct args *args,          \
                               struct value *ret)

METHOD(len)
{
    (void)args;
    size_t length;
    if (!value_length(vm, self, &length))
        return false;
    *ret = V_INT((int64_t)length);
    return true;
}

METHOD(bool)
{
    (void)args;
    bool truth;
    if (!value_truth(vm, self, &truth))
        return false;
    *ret = V_BOOL(truth);
    return true;
}

METHOD(str)
{
    (void)args;
    ret->kind = K_STR;
    return value_str(vm, self, &ret->s);
}

METHOD(repr)
{
    (void)args;
    ret->kind = K_STR;
    return value_repr(vm, self, &ret->s);
}

METHOD(hash)
{
    (void)args;
    uint64_t hash;
    if (!value_hash(vm, self, &hash))
        return false;
    *ret = V_INT((int64_t)(hash >> 1));
    return true;
}

METHOD(iter)
{
    (void)args;
    struct iterator *iterator;
    if (!value_iterate(vm, self, &iterator))
        return false;
    *ret = iterator_value(iterator);
    return true;
}

METHOD(next)
{
    (void)args;
    if (!iterator_next(vm, self.iterator, ret))
        return false;
    return ret->kind != K_UNBOUND || generator_stop(vm, self.iterator);
}

METHOD(contains)
{
    bool found;
    if (!value_contains(vm, self, args->items[0], &found))
        return false;
    *ret = V_BOOL(found);
    return true;
}

METHOD(getitem)
{
    return value_get_item(vm, self, args->items[0], ret);
}

METHOD(setitem)
{
    *ret = V_NONE;
    return value_set_item(vm, self, args->items[0], args->items[1]);
}

METHOD(delitem)
{
    *ret = V_NONE;
    return value_delete_item(vm, self, args->items[0]);
}

METHOD(neg)
{
    (void)args;
    return value_negate(vm, self, ret);
}

METHOD(format)
{
    struct string *text;
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "__format__() argument must be str, not %s",
                           value_type_name(args->items[0]));
    if (!format_value(vm, self, args->items[0].s, &text))
        return false;
    *ret = V_STR(text);
    return true;
}

/* Python's operators on a value of another type say "not implemented", and the caller goes on. */
static bool goes_with(struct value a, struct value b)
{
    b = value_contents(b);
    return a.kind == b.kind || (value_is_number(a) && value_is_number(b));
}

#define COMPARE(name, op)                                                                          \
    METHOD(name)                                                                                   \
    {                                                                                              \
        *ret = (struct value){ .kind = K_NOT_IMPLEMENTED };                                        \
        return !goes_with(self, args->items[0]) ||                                                 \
               value_compare(vm, op, self, args->items[0], ret);                                   \
    }
COMPARE(eq, CMP_EQUAL)
COMPARE(ne, CMP_UNEQUAL)
COMPARE(lt, CMP_LESS)
COMPARE(le, CMP_AT_MOST)
COMPARE(gt, CMP_MORE)
COMPARE(ge, CMP_AT_LEAST)
#undef COMPARE

#define BINARY(name, op)                                                                           \
    METHOD(name)                                                                                   \
    {                                                                                              \
        *ret = (struct value){ .kind = K_NOT_IMPLEMENTED };                                        \
        if (value_is_number(self) && !value_is_number(args->items[0]))                             \
            return true;                                                                           \
        return value_binary(vm, op, self, args->items[0], ret);                                    \
    }
BINARY(add, OP_ADD)
BINARY(sub, OP_SUBTRACT)
BINARY(mul, OP_MULTIPLY)
BINARY(truediv, OP_DIVIDE)
BINARY(floordiv, OP_FLOOR)
BINARY(mod, OP_MODULO)
BINARY(pow, OP_POWER)
BINARY(and, OP_AND)
BINARY(or, OP_OR)
BINARY(xor, OP_XOR)
#undef BINARY

#define BIT(kind)  (1ull << (kind))
#define NUMBERS    (BIT(K_INT) | BIT(K_BIG) | BIT(K_BOOL) | BIT(K_FLOAT))
#define INTEGERS   (BIT(K_INT) | BIT(K_BIG) | BIT(K_BOOL))
#define TEXTS      (BIT(K_STR) | BIT(K_BYTES))
#define SEQUENCES  (BIT(K_LIST) | BIT(K_TUPLE))
#define SETS       (BIT(K_SET) | BIT(K_FROZENSET))
#define MAPPINGS   (BIT(K_DICT) | BIT(K_FROZENDICT))
#define CONTAINERS (TEXTS | SEQUENCES | SETS | MAPPINGS | BIT(K_RANGE))
#define ALL        (NUMBERS | CONTAINERS | BIT(K_NONE))

static const struct {
    struct native native;
    uint64_t kinds; /* that have it */
} ROWS[] = {
    { { "__add__", special_add, "other" }, NUMBERS | TEXTS | SEQUENCES },
    { { "__and__", special_and, "other" }, INTEGERS | SETS },
    { { "__bool__", special_bool, "" }, NUMBERS | BIT(K_NONE) },
    { { "__contains__", special_contains, "item" }, CONTAINERS },
    { { "__delitem__", special_delitem, "key" }, BIT(K_LIST) | BIT(K_DICT) },
    { { "__eq__", special_eq, "other" }, ALL },
    { { "__floordiv__", special_floordiv, "other" }, NUMBERS },
    { { "__format__", special_format, "spec" }, NUMBERS | TEXTS },
    { { "__ge__", special_ge, "other" }, NUMBERS | TEXTS | SEQUENCES | SETS },
    { { "__getitem__", special_getitem, "key" }, CONTAINERS & ~SETS },
    { { "__gt__", special_gt, "other" }, NUMBERS | TEXTS | SEQUENCES | SETS },
    { { "__hash__", special_hash, "" }, NUMBERS | TEXTS | BIT(K_TUPLE) | BIT(K_FROZENSET) },
    { { "__iter__", special_iter, "" }, CONTAINERS | BIT(K_ITERATOR) },
    { { "__le__", special_le, "other" }, NUMBERS | TEXTS | SEQUENCES | SETS },
    { { "__len__", special_len, "" }, CONTAINERS },
    { { "__lt__", special_lt, "other" }, NUMBERS | TEXTS | SEQUENCES | SETS },
    { { "__mod__", special_mod, "other" }, NUMBERS | BIT(K_STR) },
    { { "__mul__", special_mul, "other" }, NUMBERS | TEXTS | SEQUENCES },
    { { "__ne__", special_ne, "other" }, ALL },
    { { "__neg__", special_neg, "" }, NUMBERS },
    { { "__next__", special_next, "" }, BIT(K_ITERATOR) },
    { { "__or__", special_or, "other" }, INTEGERS | SETS | BIT(K_DICT) },
    { { "__pow__", special_pow, "other" }, NUMBERS },
    { { "__repr__", special_repr, "" }, ALL },
    { { "__setitem__", special_setitem, "key value" }, BIT(K_LIST) | BIT(K_DICT) },
    { { "__str__", special_str, "" }, ALL },
    { { "__sub__", special_sub, "other" }, NUMBERS | SETS },
    { { "__truediv__", special_truediv, "other" }, NUMBERS },
    { { "__xor__", special_xor, "other" }, INTEGERS | SETS },
};

struct value special_find(enum kind kind, const struct string *name)
{
    if (name->len < 5 || name->data[0] != '_' || name->data[1] != '_')
        return V_UNBOUND;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if ((ROWS[i].kinds & BIT(kind)) && string_is(name, ROWS[i].native.name))
            return (struct value){ .kind = K_NATIVE, .native = &ROWS[i].native };
    return V_UNBOUND;
}
