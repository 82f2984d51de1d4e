#include "base/options.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

#define HELP_COLUMN 28
#define HELP_WIDTH  100

struct unit {
    const char *suffix;
    int64_t factor;
};

static const struct unit duration_units[] = {
    { "ms", 1 },      { "s", 1000 },         { "m", 60 * 1000 },
    { "h", 3600000 }, { "d", 24 * 3600000 }, { NULL, 0 },
};

static const struct unit byte_units[] = {
    { "", 1 },
    { "K", (int64_t)1 << 10 },
    { "M", (int64_t)1 << 20 },
    { "G", (int64_t)1 << 30 },
    { "T", (int64_t)1 << 40 },
    { NULL, 0 },
};

static bool parse_with_unit(struct slice text, const struct unit *units, const char *expected,
                            int64_t *ret_value, struct error *err)
{
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    struct slice suffix = { text.ptr + digits, text.len - digits };
    uint64_t count = 0;
    int64_t value;

    for (; units->suffix; units++) {
        if (!slice_is(suffix, units->suffix))
            continue;
        if (!slice_to_u64((struct slice){ text.ptr, digits }, INT64_MAX, &count))
            break;
        if (__builtin_mul_overflow((int64_t)count, units->factor, &value))
            return error_set(err, ERROR_OUT_OF_RANGE, "value is too large");
        *ret_value = value;
        return true;
    }
    return error_set(err, ERROR_INVALID_ARGUMENT, "expected %s", expected);
}

bool duration_parse(struct slice text, int64_t *ret_ms, struct error *err)
{
    return parse_with_unit(text, duration_units,
                           "a duration such as \"250ms\", \"5s\", \"2m\", \"1h\" or \"7d\"", ret_ms,
                           err);
}

bool bytes_parse(struct slice text, int64_t *ret_bytes, struct error *err)
{
    return parse_with_unit(text, byte_units, "a size such as \"512\", \"64K\", \"10M\" or \"2G\"",
                           ret_bytes, err);
}

static bool check_range(const struct option *option, int64_t value, struct error *err)
{
    bool has_range = option->min || option->max;
    int64_t min = has_range ? option->min : 0, max = has_range ? option->max : INT64_MAX;
    if (value >= min && value <= max)
        return true;
    return error_set(err, ERROR_OUT_OF_RANGE, "expected a value from %lld to %lld%s",
                     (long long)min, (long long)max, option->type == OPTION_DURATION ? " ms" : "");
}

static void list_clear(struct option_list *list)
{
    free(list->items);
    free(list->environment);
    *list = (struct option_list){ 0 };
}

static void list_add(struct option_list *list, const char *item)
{
    list->items = xreallocarray(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = item;
}

/* The first one on the command line takes the place of what came from the environment. */
static void add_to_list(struct option_list *list, const char *item)
{
    if (list->environment)
        list_clear(list);
    list_add(list, item);
}

static bool set_switch(const struct option *option, const char *value, struct error *err)
{
    static const char *const words[][2] = { { "false", "true" }, { "0", "1" }, { "no", "yes" } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        for (int is_true = 0; is_true < 2; is_true++)
            if (strcmp(value, words[i][is_true]) == 0) {
                *(bool *)option->target = is_true;
                return true;
            }
    return error_set(err, ERROR_INVALID_ARGUMENT, "expected true or false");
}

static bool set_number(const struct option *option, const char *value, struct error *err)
{
    int64_t number = 0;
    struct slice text = slice_of(value);
    if (option->type == OPTION_DURATION && !duration_parse(text, &number, err))
        return false;
    if (option->type == OPTION_BYTES && !bytes_parse(text, &number, err))
        return false;
    if (option->type == OPTION_INTEGER && !slice_to_i64(text, &number))
        return error_set(err, ERROR_INVALID_ARGUMENT, "expected a whole number");
    if (!check_range(option, number, err))
        return false;
    *(int64_t *)option->target = number;
    return true;
}

static bool set_value(const struct option *option, const char *value, struct error *err)
{
    switch (option->type) {
    case OPTION_STRING:
        *(const char **)option->target = value;
        return true;
    case OPTION_LIST:
        add_to_list(option->target, value);
        return true;
    case OPTION_SWITCH:
        return set_switch(option, value, err);
    case OPTION_INTEGER:
    case OPTION_DURATION:
    case OPTION_BYTES:
        return set_number(option, value, err);
    case OPTION_TYPE_COUNT:
        break;
    }
    abort();
}

static void set_list_from_environment(struct option_list *list, const char *value)
{
    list_clear(list);
    list->environment = xstrdup(value);
    for (char *item = list->environment, *end; item; item = end) {
        end = strchr(item, ',');
        if (end)
            *end++ = '\0';
        list_add(list, item);
    }
}

static bool set_from_environment(const struct option *option, struct error *err)
{
    cleanup_text struct text name = TEXT_INIT;
    text_add(&name, "EOS_");
    for (const char *c = option->name; *c; c++)
        text_add_char(&name, *c == '-' ? '_' : (char)toupper((unsigned char)*c));

    const char *value = getenv(text_string(&name));
    if (!value || !*value)
        return true;
    if (option->type == OPTION_LIST)
        set_list_from_environment(option->target, value);
    else if (!set_value(option, value, err))
        return error_prefix(err, "environment variable %s", text_string(&name));
    return true;
}

/* Exact name first, then a prefix that fits one row only. */
static const struct option *find_long(const struct option *options, struct slice name,
                                      struct error *err)
{
    const struct option *found = NULL;
    for (const struct option *o = options; o->name; o++) {
        if (slice_is(name, o->name))
            return o;
        if (name.len && slice_starts_with(slice_of(o->name), name)) {
            if (found) {
                error_set(err, ERROR_INVALID_ARGUMENT, "flag --%.*s is ambiguous: --%s or --%s",
                          SLICE_ARG(name), found->name, o->name);
                return NULL;
            }
            found = o;
        }
    }
    if (!found)
        error_set(err, ERROR_INVALID_ARGUMENT, "unknown flag --%.*s", SLICE_ARG(name));
    return found;
}

static const struct option *find_short(const struct option *options, char name, struct error *err)
{
    for (const struct option *o = options; o->name; o++)
        if (o->short_name == name)
            return o;
    error_set(err, ERROR_INVALID_ARGUMENT, "unknown flag -%c", name);
    return NULL;
}

/* Where the parser stands in argv. */
struct cursor {
    int argc, at;
    char **argv;
};

static bool set_from_argument(const struct option *option, const char *inline_value,
                              struct cursor *cursor, struct error *err)
{
    if (option->type == OPTION_SWITCH && !inline_value) {
        *(bool *)option->target = true;
        return true;
    }
    if (!inline_value) {
        if (cursor->at + 1 >= cursor->argc)
            return error_set(err, ERROR_INVALID_ARGUMENT, "flag --%s needs a value (%s)",
                             option->name, option->value ? option->value : "VALUE");
        inline_value = cursor->argv[++cursor->at];
    }
    if (!set_value(option, inline_value, err))
        return error_prefix(err, "flag --%s", option->name);
    return true;
}

/* "--no-x" turns the switch x off, unless a row has that very name. */
static const struct option *find_negated(const struct option *options, struct slice name)
{
    const struct option *found = NULL;
    if (!slice_starts_with(name, SLICE("no-")))
        return NULL;
    struct slice positive = { name.ptr + 3, name.len - 3 };
    for (const struct option *o = options; o->name; o++) {
        if (slice_is(name, o->name))
            return NULL;
        if (o->type == OPTION_SWITCH && slice_is(positive, o->name))
            found = o;
    }
    return found;
}

static bool parse_long(const struct option *options, struct cursor *cursor, struct error *err)
{
    struct slice rest = slice_of(cursor->argv[cursor->at] + 2);
    struct slice name = slice_split(&rest, '=');

    const struct option *negated = rest.ptr ? NULL : find_negated(options, name);
    if (negated) {
        *(bool *)negated->target = false;
        return true;
    }
    const struct option *option = find_long(options, name, err);
    return option && set_from_argument(option, rest.ptr, cursor, err);
}

static bool parse_short(const struct option *options, struct cursor *cursor, struct error *err)
{
    const char *argument = cursor->argv[cursor->at];
    const struct option *option = find_short(options, argument[1], err);
    if (!option)
        return false;
    if (option->type == OPTION_SWITCH && argument[2])
        return error_set(err, ERROR_INVALID_ARGUMENT, "flag -%c takes no value", argument[1]);
    return set_from_argument(option, argument[2] ? argument + 2 : NULL, cursor, err);
}

bool options_parse(const struct option *options, int argc, char **argv, int *ret_positional_count,
                   struct error *err)
{
    for (const struct option *o = options; o->name; o++)
        if (!o->no_environment && !set_from_environment(o, err))
            return false;

    int positional = 0;
    bool only_positional = false;
    struct cursor cursor = { argc, 1, argv };
    for (; cursor.at < argc; cursor.at++) {
        char *argument = argv[cursor.at];
        if (only_positional || argument[0] != '-' || argument[1] == '\0') {
            argv[1 + positional++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            only_positional = true;
        } else if (argument[1] == '-') {
            if (!parse_long(options, &cursor, err))
                return false;
        } else if (!parse_short(options, &cursor, err)) {
            return false;
        }
    }
    *ret_positional_count = positional;
    return true;
}

void options_done(const struct option *options)
{
    for (const struct option *o = options; o->name; o++)
        if (o->type == OPTION_LIST)
            list_clear(o->target);
}

/* In seconds, unless that would need a fraction. */
static void add_duration(int64_t ms, struct text *out)
{
    if (ms % 1000 == 0)
        text_printf(out, "%llds", (long long)ms / 1000);
    else
        text_printf(out, "%lldms", (long long)ms);
}

static void add_default(const struct option *option, struct text *out)
{
    const char *string;
    switch (option->type) {
    case OPTION_STRING:
        string = *(const char **)option->target;
        if (string && *string)
            text_printf(out, " (default %s)", string);
        return;
    case OPTION_INTEGER:
    case OPTION_BYTES:
        text_printf(out, " (default %lld)", (long long)*(int64_t *)option->target);
        return;
    case OPTION_DURATION:
        text_add(out, " (default ");
        add_duration(*(int64_t *)option->target, out);
        text_add_char(out, ')');
        return;
    case OPTION_LIST:
    case OPTION_SWITCH:
        return;
    case OPTION_TYPE_COUNT:
        break;
    }
    abort();
}

static void add_wrapped(const char *help, size_t column, struct text *out)
{
    struct slice rest = slice_of(help);
    while (rest.ptr) {
        struct slice word = slice_split(&rest, ' ');
        if (column + 1 + word.len > HELP_WIDTH) {
            text_printf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        text_add_char(out, ' ');
        text_add_slice(out, word);
        column += 1 + word.len;
    }
    text_add_char(out, '\n');
}

void options_help(const struct option *options, struct text *out)
{
    for (const struct option *o = options; o->name; o++) {
        if (!o->help)
            continue;
        size_t start = out->len;
        if (o->short_name)
            text_printf(out, "  -%c, ", o->short_name);
        else
            text_add(out, "      ");
        text_printf(out, "--%s", o->name);
        if (o->value)
            text_printf(out, " %s", o->value);

        size_t width = out->len - start;
        if (width >= HELP_COLUMN) {
            text_printf(out, "\n%*s", HELP_COLUMN, "");
        } else {
            text_printf(out, "%*s", (int)(HELP_COLUMN - width), "");
        }
        cleanup_text struct text help = TEXT_INIT;
        text_add(&help, o->help);
        add_default(o, &help);
        add_wrapped(text_string(&help), HELP_COLUMN, out);
    }
}
