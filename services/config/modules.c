#include "config/modules.h"

#include "config/class.h"
#include "config/evaluate.h"
#include "config/library.h"

/* import: the modules that exist here, and the names of those that exist in Python only. */

/* Annotations have no effect, so that one class does for all of their names. */
static const struct class class_typing = { .name = "typing",
                                           .base = &class_object,
                                           .layout = K_INSTANCE };

static bool prepare_typing(struct vm *vm, struct dict *attributes)
{
    static const char *const names[] = { "Any",      "AnyStr",   "Callable", "Dict",    "FrozenSet",
                                         "Iterable", "Iterator", "List",     "Mapping", "Optional",
                                         "Sequence", "Set",      "Text",     "Tuple",   "Type",
                                         "Union",    "Literal",  "Generator" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        dict_set_text(vm->arena, attributes, string_from(vm->arena, names[i]),
                      (struct value){ .kind = K_CLASS, .class = &class_typing });
    return true;
}

static const struct module_table TABLES[] = {
    { "base64", base64_natives, NULL },
    { "collections", NULL, prepare_collections },
    { "copy", copy_natives, NULL },
    { "dataclasses", NULL, NULL },
    { "datetime", datetime_natives, prepare_datetime },
    { "enum", NULL, NULL },
    { "functools", functools_natives, NULL },
    { "getpass", getpass_natives, NULL },
    { "hashlib", hashlib_natives, NULL },
    { "itertools", itertools_natives, prepare_itertools },
    { "json", json_natives, prepare_json },
    { "math", math_natives, prepare_math },
    { "operator", operator_natives, NULL },
    { "os", os_natives, prepare_os },
    { "os.path", os_path_natives, NULL },
    { "re", re_natives, prepare_re },
    { "shlex", shlex_natives, NULL },
    { "string", NULL, NULL },
    { "sys", NULL, prepare_sys },
    { "textwrap", NULL, NULL },
    { "typing", NULL, prepare_typing },
};

/* They can be imported, as real files do without using them; the use of anything in them fails. */
static const char *const UNSUPPORTED[] = {
    /* clang-format off */
    "ConfigParser", "Queue", "StringIO", "__future__", "abc", "aifc", "argparse", "array", "ast",
    "asynchat", "asyncio", "asyncore", "atexit", "attr", "audioop", "bdb", "binascii", "bisect",
    "boto3", "builtins", "bz2", "cProfile", "cStringIO", "calendar", "cgi", "cgitb", "chunk",
    "cmath", "cmd", "code", "codecs", "codeop", "colorsys", "commands", "compileall",
    "concurrent", "configparser", "contextlib", "contextvars", "copyreg", "crypt", "csv",
    "ctypes", "curses", "dateutil", "dbm", "decimal", "difflib", "dis", "distutils", "doctest",
    "email", "encodings", "ensurepip", "errno", "faulthandler", "fcntl", "filecmp", "fileinput",
    "fnmatch", "fractions", "ftplib", "gc", "genericpath", "getopt", "gettext", "glob",
    "graphlib", "grp", "gzip", "heapq", "hmac", "html", "http", "httplib", "imaplib", "imghdr",
    "imp", "importlib", "inspect", "io", "ipaddress", "jinja2", "keyword", "linecache", "locale",
    "logging", "lzma", "mailbox", "mailcap", "marshal", "mimetypes", "mmap", "modulefinder",
    "msilib", "msvcrt", "multiprocessing", "netrc", "nis", "nntplib", "nt", "ntpath",
    "nturl2path", "numbers", "numpy", "opcode", "optparse", "ossaudiodev", "pathlib", "pdb",
    "pickle", "pickletools", "pipes", "pkgutil", "platform", "plistlib", "poplib", "posix",
    "posixpath", "pprint", "profile", "pstats", "pty", "pwd", "py_compile", "pyclbr", "pydoc",
    "pyexpat", "pytz", "queue", "quopri", "random", "readline", "reprlib", "requests", "resource",
    "rlcompleter", "runpy", "sched", "secrets", "select", "selectors", "shelve", "shutil",
    "signal", "simplejson", "site", "six", "smtpd", "smtplib", "sndhdr", "socket", "socketserver",
    "spwd", "sqlite3", "sre_compile", "sre_constants", "sre_parse", "ssl", "stat", "statistics",
    "stringprep", "struct", "subprocess", "sunau", "symtable", "sysconfig", "syslog", "tabnanny",
    "tarfile", "telnetlib", "tempfile", "termios", "threading", "time", "timeit", "tkinter",
    "token", "tokenize", "tomllib", "trace", "traceback", "tracemalloc", "tty", "turtle", "types",
    "unicodedata", "unittest", "urllib", "urllib2", "urlparse", "uu", "uuid", "venv", "warnings",
    "wave", "weakref", "webbrowser", "winreg", "winsound", "wsgiref", "xdrlib", "xml", "xmlrpc",
    "yaml", "zipapp", "zipfile", "zipimport", "zlib", "zoneinfo",
    /* clang-format on */
};

#define COUNT(table) (sizeof table / sizeof *table)

static struct value module_new(struct vm *vm, const char *name, struct dict *attributes)
{
    struct module *module = arena_alloc(vm->arena, sizeof *module);
    module->name = name;
    module->attributes = attributes;
    module->library = attributes ? library_text(name) : NULL;
    return (struct value){ .kind = K_MODULE, .module = module };
}

static bool make_module(struct vm *vm, const struct module_table *table, struct value *ret)
{
    struct dict *attributes = dict_new(vm->arena);
    for (const struct native *row = table->natives; row && row->name; row++)
        dict_set_text(vm->arena, attributes, string_from(vm->arena, row->name),
                      (struct value){ .kind = K_NATIVE, .native = row });
    if (table->prepare && !table->prepare(vm, attributes))
        return false;
    *ret = module_new(vm, table->name, attributes);
    return true;
}

static bool is_unsupported(const struct string *name)
{
    struct slice rest = string_slice(name), first = slice_split(&rest, '.');
    for (size_t i = 0; i < COUNT(UNSUPPORTED); i++)
        if (slice_is(first, UNSUPPORTED[i]))
            return true;
    return false;
}

/* As the modules of Aurora's client are called. */
static bool is_schema(struct slice name)
{
    struct slice first = slice_split(&name, '.');
    return slice_is(first, "pystachio") || slice_is(first, "apache") || slice_is(first, "twitter");
}

static bool find_module(struct vm *vm, struct string *name, struct value *ret)
{
    for (size_t i = 0; i < COUNT(TABLES); i++)
        if (string_is(name, TABLES[i].name))
            return make_module(vm, &TABLES[i], ret);
    if (is_unsupported(name)) {
        *ret = module_new(vm, name->data, NULL);
        return true;
    }
    raise_error(vm, &class_ModuleNotFoundError, "No module named '%s'", name->data);
    return is_schema(string_slice(name)) &&
           hint(vm, "the template library and the schema need no import: leave the line out");
}

bool module_import(struct vm *vm, struct string *name, struct value *ret)
{
    *ret = dict_get_text(vm->modules, name);
    if (ret->kind != K_UNBOUND)
        return true;
    if (!find_module(vm, name, ret))
        return false;
    dict_set_text(vm->arena, vm->modules, name, *ret);
    return true;
}

/* Runs the part of the module that is written in the language, at its first use. */
static bool complete_module(struct vm *vm, struct module *module)
{
    const char *text = module->library;
    module->library = NULL;
    return !text || library_run(vm, module->name, text, module->attributes);
}

/* library/builtins.py has a class `int_` for methods of int, and so on. */
bool module_builtin_method(struct vm *vm, const struct class *class, struct string *name,
                           struct value *ret)
{
    struct string *key = string_from(vm->arena, " builtins");
    struct value module = dict_get_text(vm->modules, key);
    *ret = V_UNBOUND;
    if (module.kind == K_UNBOUND) {
        module = module_new(vm, "builtins", dict_new(vm->home));
        dict_set_text(vm->arena, vm->modules, key, module);
    }
    if (!complete_module(vm, module.module))
        return false;
    size_t cursor = 0;
    for (const struct class *at; ret->kind == K_UNBOUND && (at = class_next(class, &cursor));) {
        if (at->attributes)
            continue;
        struct string *own = string_printf(vm->arena, "%s_", at->name);
        struct value methods = dict_get_text(module.module->attributes, own);
        if (methods.kind == K_CLASS && methods.class->attributes)
            *ret = dict_get_text(methods.class->attributes, name);
    }
    return true;
}

bool module_import_all(struct vm *vm, struct module *module)
{
    size_t cursor = 0;
    if (!complete_module(vm, module))
        return false;
    if (!module->attributes)
        return raise_error(vm, &class_ImportError,
                           "the module '%s' is not part of the configuration language",
                           module->name);
    for (struct dict_entry *entry; (entry = dict_next(module->attributes, &cursor));)
        if (entry->key.kind == K_STR && entry->key.s->data[0] != '_')
            dict_set_text(vm->arena, vm->globals, entry->key.s, entry->value);
    return true;
}

bool module_unusable(struct vm *vm, const struct module *module, const char *name)
{
    return raise_error(vm, &class_AttributeError,
                       "module '%s' is not part of the configuration language: '%s' cannot be used",
                       module->owner ? module->owner : module->name,
                       module->owner ? module->name : name);
}

struct value module_unusable_name(struct vm *vm, const struct module *module, struct string *name)
{
    struct value v = module_new(vm, name->data, NULL);
    v.module->owner = module->name;
    return v;
}

bool module_find(struct vm *vm, struct module *module, struct string *name, struct value *ret)
{
    *ret = V_UNBOUND;
    if (module->attributes)
        *ret = dict_get_text(module->attributes, name);
    if (ret->kind != K_UNBOUND)
        return true;
    if (module->library) {
        if (!complete_module(vm, module))
            return false;
        return module_find(vm, module, name, ret);
    }
    if (string_is(name, "__name__")) {
        *ret = value_text(vm->arena, module->name);
        return true;
    }
    if (!module->attributes)
        return module_unusable(vm, module, name->data);
    return true;
}
