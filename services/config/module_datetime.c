#include "config/class.h"
#include "config/modules.h"
#include "config/moment.h"

#include <stdio.h>

/* datetime without a clock: dates that are given, their arithmetic and texts. */

#define FUNCTION(name)                                                                             \
    static bool name(struct vm *vm, struct value self, const struct args *args, struct value *ret)

#define DAY_SECONDS 86400

/* Microseconds since 0001-01-01 would do; days and seconds are handier.  A timedelta has no date. */
struct moment {
    int64_t days, seconds, micros; /* days since 1970-01-01, or of a difference */
};

static const struct class class_date, class_datetime, class_timedelta;

static struct moment *moment_of(struct value v)
{
    return (struct moment *)(uintptr_t)v.instance->payload.p;
}

static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static struct value moment_value(struct vm *vm, const struct class *class, struct moment moment)
{
    struct moment *copy = arena_alloc(vm->arena, sizeof *copy);
    struct instance *instance = arena_alloc(vm->arena, sizeof *instance);
    int64_t carry = moment.micros / 1000000 - (moment.micros % 1000000 < 0);
    moment.micros -= carry * 1000000;
    moment.seconds += carry;
    carry = moment.seconds / DAY_SECONDS - (moment.seconds % DAY_SECONDS < 0);
    moment.seconds -= carry * DAY_SECONDS;
    moment.days += carry;
    *copy = moment;
    instance->class = class;
    instance->payload = (struct value){ .kind = K_NODE, .p = copy };
    instance->cause = V_NONE;
    return (struct value){ .kind = K_INSTANCE, .instance = instance };
}

bool value_is_moment(struct value v)
{
    return v.kind == K_INSTANCE &&
           (v.instance->class == &class_date || v.instance->class == &class_datetime ||
            v.instance->class == &class_timedelta);
}

/* --- construction --- */

static bool collect_numbers(struct vm *vm, const struct args *args, const char *const *names,
                            size_t count, int64_t *numbers)
{
    if (args->count > count)
        return raise_error(vm, &class_TypeError, "too many arguments");
    for (size_t i = 0; i < args->count; i++)
        if (!value_to_i64(vm, args->items[i], names[i], &numbers[i]))
            return false;
    for (size_t i = 0; i < args->keyword_count; i++) {
        size_t at = 0;
        while (at < count && !string_is(args->keywords[i].name, names[at]))
            at++;
        if (at == count)
            return raise_error(vm, &class_TypeError, "'%s' is an invalid keyword argument",
                               args->keywords[i].name->data);
        if (!value_to_i64(vm, args->keywords[i].value, names[at], &numbers[at]))
            return false;
    }
    return true;
}

static bool check_date(struct vm *vm, const int64_t *numbers)
{
    int64_t year, month, day;
    if (numbers[0] < 1 || numbers[0] > 9999)
        return raise_error(vm, &class_ValueError, "year %lld is out of range",
                           (long long)numbers[0]);
    if (numbers[1] < 1 || numbers[1] > 12)
        return raise_error(vm, &class_ValueError, "month must be in 1..12");
    date_from_days(days_from_date(numbers[0], numbers[1],
                                  numbers[2] > 31 || numbers[2] < 1 ? 40 : numbers[2]),
                   &year, &month, &day);
    if (month != numbers[1] || numbers[2] < 1)
        return raise_error(vm, &class_ValueError, "day is out of range for month");
    return true;
}

static bool construct_moment(struct vm *vm, const struct class *class, const struct args *args,
                             struct value *ret)
{
    static const char *const names[] = { "year",   "month",  "day",        "hour",
                                         "minute", "second", "microsecond" };
    int64_t n[7] = { 0 };
    if (!collect_numbers(vm, args, names, class == &class_date ? 3 : 7, n) || !check_date(vm, n))
        return false;
    if (n[3] < 0 || n[3] > 23 || n[4] < 0 || n[4] > 59 || n[5] < 0 || n[5] > 59 || n[6] < 0 ||
        n[6] > 999999)
        return raise_error(vm, &class_ValueError,
                           "hour, minute, second or microsecond is out of range");
    struct moment moment = { days_from_date(n[0], n[1], n[2]), n[3] * 3600 + n[4] * 60 + n[5],
                             n[6] };
    *ret = moment_value(vm, class, moment);
    return true;
}

static bool construct_timedelta(struct vm *vm, const struct class *class, const struct args *args,
                                struct value *ret)
{
    static const char *const names[] = { "days",    "seconds", "microseconds", "milliseconds",
                                         "minutes", "hours",   "weeks" };
    int64_t n[7] = { 0 };
    if (!collect_numbers(vm, args, names, 7, n))
        return false;
    for (size_t i = 0; i < 7; i++)
        if (n[i] > 1000000000000 || n[i] < -1000000000000)
            return raise_error(vm, &class_OverflowError, "timedelta is too large");
    struct moment moment = { n[0] + n[6] * 7, n[1] + n[4] * 60 + n[5] * 3600, n[2] + n[3] * 1000 };
    *ret = moment_value(vm, class, moment);
    return true;
}

FUNCTION(no_clock)
{
    (void)self;
    (void)args;
    (void)ret;
    return raise_error(vm, &class_RuntimeError,
                       "a configuration has no clock, so that it always gives the same jobs; pass "
                       "the time in with "
                       "--bind NAME=VALUE or --env NAME=VALUE");
}

/* --- text --- */

static const char *const WEEKDAYS[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday" };
static const char *const MONTHS[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };

static int64_t weekday(const struct moment *moment)
{
    return ((moment->days + 3) % 7 + 7) % 7;
}

static bool add_directive(struct vm *vm, struct buffer *buffer, const struct moment *moment, char c)
{
    int64_t year, month, day, hour = moment->seconds / 3600;
    date_from_days(moment->days, &year, &month, &day);
    switch (c) {
    case 'Y':
        buffer_printf(buffer, "%04lld", (long long)year);
        return true;
    case 'y':
        buffer_printf(buffer, "%02lld", (long long)year % 100);
        return true;
    case 'm':
        buffer_printf(buffer, "%02lld", (long long)month);
        return true;
    case 'd':
        buffer_printf(buffer, "%02lld", (long long)day);
        return true;
    case 'H':
        buffer_printf(buffer, "%02lld", (long long)hour);
        return true;
    case 'I':
        buffer_printf(buffer, "%02lld", (long long)(hour % 12 ? hour % 12 : 12));
        return true;
    case 'p':
        buffer_text(buffer, hour < 12 ? "AM" : "PM");
        return true;
    case 'M':
        buffer_printf(buffer, "%02lld", (long long)moment->seconds / 60 % 60);
        return true;
    case 'S':
        buffer_printf(buffer, "%02lld", (long long)moment->seconds % 60);
        return true;
    case 'f':
        buffer_printf(buffer, "%06lld", (long long)moment->micros);
        return true;
    case 'j':
        buffer_printf(buffer, "%03lld", (long long)(moment->days - days_from_date(year, 1, 1) + 1));
        return true;
    case 'A':
        buffer_text(buffer, WEEKDAYS[weekday(moment)]);
        return true;
    case 'a':
        buffer_add(buffer, WEEKDAYS[weekday(moment)], 3);
        return true;
    case 'B':
        buffer_text(buffer, MONTHS[month - 1]);
        return true;
    case 'b':
        buffer_add(buffer, MONTHS[month - 1], 3);
        return true;
    case 'w':
        buffer_printf(buffer, "%lld", (long long)(weekday(moment) + 1) % 7);
        return true;
    case '%':
        buffer_char(buffer, '%');
        return true;
    default:
        return raise_error(vm, &class_ValueError, "strftime() does not know %%%c", c);
    }
}

static bool format_moment(struct vm *vm, const struct moment *moment, const char *format,
                          struct buffer *buffer)
{
    for (; *format; format++) {
        if (*format != '%' || !format[1])
            buffer_char(buffer, *format);
        else if (!add_directive(vm, buffer, moment, *++format))
            return false;
    }
    return true;
}

FUNCTION(moment_strftime)
{
    struct buffer buffer = buffer_new(vm);
    if (args->items[0].kind != K_STR)
        return raise_error(vm, &class_TypeError, "strftime() takes a text");
    return format_moment(vm, moment_of(self), args->items[0].s->data, &buffer) &&
           buffer_value(vm, &buffer, ret);
}

static bool add_iso(struct vm *vm, struct value self, char separator, struct buffer *buffer)
{
    const struct moment *moment = moment_of(self);
    if (!format_moment(vm, moment, "%Y-%m-%d", buffer))
        return false;
    if (self.instance->class == &class_date)
        return true;
    buffer_char(buffer, separator);
    return format_moment(vm, moment, moment->micros ? "%H:%M:%S.%f" : "%H:%M:%S", buffer);
}

FUNCTION(moment_isoformat)
{
    (void)args;
    struct buffer buffer = buffer_new(vm);
    return add_iso(vm, self, 'T', &buffer) && buffer_value(vm, &buffer, ret);
}

FUNCTION(moment_str)
{
    (void)args;
    struct buffer buffer = buffer_new(vm);
    const struct moment *moment = moment_of(self);
    if (self.instance->class != &class_timedelta)
        return add_iso(vm, self, ' ', &buffer) && buffer_value(vm, &buffer, ret);
    if (moment->days)
        buffer_printf(&buffer, "%lld day%s, ", (long long)moment->days,
                      moment->days == 1 || moment->days == -1 ? "" : "s");
    buffer_printf(&buffer, "%lld:%02lld:%02lld", (long long)moment->seconds / 3600,
                  (long long)moment->seconds / 60 % 60, (long long)moment->seconds % 60);
    if (moment->micros)
        buffer_printf(&buffer, ".%06lld", (long long)moment->micros);
    return buffer_value(vm, &buffer, ret);
}

bool moment_text(struct vm *vm, struct value v, struct string **ret)
{
    static const struct args none;
    struct value text;
    if (!moment_str(vm, v, &none, &text))
        return false;
    *ret = text.s;
    return true;
}

FUNCTION(moment_weekday)
{
    (void)vm;
    (void)args;
    *ret = V_INT(weekday(moment_of(self)));
    return true;
}

FUNCTION(moment_date)
{
    (void)args;
    *ret = moment_value(vm, &class_date, (struct moment){ .days = moment_of(self)->days });
    return true;
}

FUNCTION(delta_total_seconds)
{
    (void)vm;
    (void)args;
    const struct moment *moment = moment_of(self);
    *ret = V_FLOAT((double)moment->days * DAY_SECONDS + (double)moment->seconds +
                   (double)moment->micros / 1e6);
    return true;
}

/* A part such as `year` or `days`; K_UNBOUND when it is none. */
struct value moment_part(struct value self, const struct string *name)
{
    const struct moment *moment = moment_of(self);
    int64_t year, month, day;
    date_from_days(moment->days, &year, &month, &day);
    bool is_delta = self.instance->class == &class_timedelta;
    const struct {
        const char *name;
        int64_t number;
        bool is_of_delta;
    } rows[] = {
        { "year", year, false },
        { "month", month, false },
        { "day", day, false },
        { "hour", moment->seconds / 3600, false },
        { "minute", moment->seconds / 60 % 60, false },
        { "second", moment->seconds % 60, false },
        { "microsecond", moment->micros, false },
        { "days", moment->days, true },
        { "seconds", moment->seconds, true },
        { "microseconds", moment->micros, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].is_of_delta == is_delta && string_is(name, rows[i].name))
            return V_INT(rows[i].number);
    return V_UNBOUND;
}

/* --- arithmetic and order --- */

bool moment_binary(struct vm *vm, enum binary_op op, struct value a, struct value b,
                   struct value *ret, bool *ret_done)
{
    *ret_done = value_is_moment(a) && value_is_moment(b) && (op == OP_ADD || op == OP_SUBTRACT);
    if (!*ret_done)
        return true;
    const struct moment *x = moment_of(a), *y = moment_of(b);
    int64_t sign = op == OP_ADD ? 1 : -1;
    bool is_delta = b.instance->class == &class_timedelta;
    if (op == OP_ADD && !is_delta && a.instance->class != &class_timedelta)
        return raise_error(vm, &class_TypeError, "unsupported operand type(s) for +: '%s' and '%s'",
                           value_type_name(a), value_type_name(b));
    const struct class *class = is_delta       ? a.instance->class
                                : op == OP_ADD ? b.instance->class
                                               : &class_timedelta;
    struct moment moment = { x->days + sign * y->days, x->seconds + sign * y->seconds,
                             x->micros + sign * y->micros };
    if (class == &class_date)
        moment.seconds = moment.micros = 0;
    *ret = moment_value(vm, class, moment);
    return true;
}

bool moment_compare(struct value a, struct value b, int *ret)
{
    if (!value_is_moment(a) || !value_is_moment(b) || a.instance->class != b.instance->class)
        return false;
    const struct moment *x = moment_of(a), *y = moment_of(b);
    *ret = x->days != y->days         ? (x->days > y->days) - (x->days < y->days)
           : x->seconds != y->seconds ? (x->seconds > y->seconds) - (x->seconds < y->seconds)
                                      : (x->micros > y->micros) - (x->micros < y->micros);
    return true;
}

#define DATE_ROWS                                                                                  \
    { "strftime", moment_strftime, "format" }, { "isoformat", moment_isoformat, "" },              \
        { "weekday", moment_weekday, "" },                                                         \
    {                                                                                              \
        "__str__", moment_str, ""                                                                  \
    }

static const struct native DATE_METHODS[] = { DATE_ROWS, { NULL, NULL, NULL } };
static const struct native DATETIME_METHODS[] = { DATE_ROWS,
                                                  { "date", moment_date, "" },
                                                  { NULL, NULL, NULL } };
static const struct native DELTA_METHODS[] = {
    { "total_seconds", delta_total_seconds, "" },
    { "__str__", moment_str, "" },
    { NULL, NULL, NULL },
};
static const struct native CLOCK_STATICS[] = {
    { "now", no_clock, NULL },           { "today", no_clock, NULL }, { "utcnow", no_clock, NULL },
    { "fromtimestamp", no_clock, NULL }, { NULL, NULL, NULL },
};

static const struct class class_date = { .name = "date",
                                         .base = &class_object,
                                         .layout = K_INSTANCE,
                                         .methods = DATE_METHODS,
                                         .statics = CLOCK_STATICS,
                                         .construct = construct_moment };
static const struct class class_datetime = { .name = "datetime",
                                             .base = &class_object,
                                             .layout = K_INSTANCE,
                                             .methods = DATETIME_METHODS,
                                             .statics = CLOCK_STATICS,
                                             .construct = construct_moment };
static const struct class class_timedelta = { .name = "timedelta",
                                              .base = &class_object,
                                              .layout = K_INSTANCE,
                                              .methods = DELTA_METHODS,
                                              .construct = construct_timedelta };

const struct native datetime_natives[] = { { NULL, NULL, NULL } };

bool prepare_datetime(struct vm *vm, struct dict *attributes)
{
    static const struct class *const classes[] = { &class_date, &class_datetime, &class_timedelta };
    for (size_t i = 0; i < 3; i++)
        dict_set_text(vm->arena, attributes, string_from(vm->arena, classes[i]->name),
                      (struct value){ .kind = K_CLASS, .class = classes[i] });
    return true;
}
