#pragma once

#include "config/vm.h"

/* Python's modules, as far as configurations use them.  A module that exists in Python but not here
 * can be imported; its use fails. */

struct module_entry {
    const char *name; /* NULL ends the table */
    struct value v;
};

#define ENTRY_NATIVE(row)                                                                          \
    {                                                                                              \
        .kind = K_NATIVE, .native = (row)                                                          \
    }
#define ENTRY_CLASS(c)                                                                             \
    {                                                                                              \
        .kind = K_CLASS, .class = (c)                                                              \
    }

bool module_import(struct vm *vm, struct string *name, struct value *ret);
bool module_import_all(struct vm *vm, struct module *module);
/* K_UNBOUND when there is no such attribute. */
bool module_find(struct vm *vm, struct module *module, struct string *name, struct value *ret);

/* Each module is a table of native functions; constants and classes are filled in by `prepare`. */
struct module_table {
    const char *name;
    const struct native *natives;
    bool (*prepare)(struct vm *vm, struct dict *attributes);
};

/* Fails: the module, or the name imported from it, is there to be imported only. */
bool module_unusable(struct vm *vm, const struct module *module, const char *name);
/* What `from module import name` gives then. */
struct value module_unusable_name(struct vm *vm, const struct module *module, struct string *name);

/* What Pattern and Match of re have beside methods; K_UNBOUND: nothing of that name. */
struct value regex_part(struct vm *vm, struct value v, const struct string *name);
bool regex_repr(struct vm *vm, struct value v, struct buffer *buffer, bool *ret_found);

/* A method of a builtin class that is written in the language: a function or a property; K_UNBOUND when
 * there is none. */
bool module_builtin_method(struct vm *vm, const struct class *class, struct string *name,
                           struct value *ret);

extern const struct native os_natives[], os_path_natives[], getpass_natives[], copy_natives[],
    itertools_natives[], functools_natives[], json_natives[], re_natives[], math_natives[],
    hashlib_natives[], datetime_natives[], base64_natives[], operator_natives[], shlex_natives[];

bool prepare_os(struct vm *vm, struct dict *attributes);
bool prepare_itertools(struct vm *vm, struct dict *attributes);
bool prepare_collections(struct vm *vm, struct dict *attributes);
bool prepare_json(struct vm *vm, struct dict *attributes);
bool prepare_math(struct vm *vm, struct dict *attributes);
bool prepare_datetime(struct vm *vm, struct dict *attributes);
bool prepare_re(struct vm *vm, struct dict *attributes);
bool prepare_sys(struct vm *vm, struct dict *attributes);

/* --- files of the request --- */

bool file_open(struct vm *vm, struct value path, struct value *ret);
bool file_exists(struct vm *vm, const char *path);

/* --- json.c, also used for the executor's data and JSON configurations --- */

struct json_style {
    int indent;              /* -1: on one line */
    const char *indent_text; /* that is repeated so many times; NULL: a blank */
    const char *item_separator, *key_separator;
    bool sorts_keys, keeps_unicode;
    bool skips_keys; /* those that are no texts or numbers, instead of failing */
    bool refuses_nan;
    struct value fallback; /* json.dumps(default=...) */
};
bool json_write(struct vm *vm, struct value v, const struct json_style *style, struct string **ret);
extern const struct json_style JSON_STYLE_DEFAULT;
/* ValueError with Python's message for malformed text. */
bool json_read(struct vm *vm, struct slice text, struct value *ret);
/* The same, of a file: the place in it is told as well. */
bool json_read_source(struct vm *vm, const struct source *source, struct value *ret);
