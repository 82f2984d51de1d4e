#include "config/class.h"
#include "config/integer.h"
#include "config/modules.h"
#include "config/moment.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

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

static const char *const WEEKDAYS[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday" };
static const char *const MONTHS[] = { "January",   "February", "March",    "April",
                                      "May",       "June",     "July",     "August",
                                      "September", "October",  "November", "December" };

/* --- construction --- */

static bool collect_numbers(struct vm *vm, const struct args *args, const char *const *names,
                            size_t count, int64_t *numbers)
{
    if (args->count > count)
        return raise_error(vm, &class_TypeError, "too many arguments");
    for (size_t i = 0; i < args->count; i++)
        if (!value_to_i64(vm, args->items[i], &numbers[i]))
            return false;
    for (size_t i = 0; i < args->keyword_count; i++) {
        size_t at = 0;
        while (at < count && !string_is(args->keywords[i].name, names[at]))
            at++;
        if (at == count)
            return raise_error(vm, &class_TypeError, "'%s' is an invalid keyword argument",
                               args->keywords[i].name->data);
        if (!value_to_i64(vm, args->keywords[i].value, &numbers[at]))
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

#define DATE_PARTS 7
static const char *const PART_NAMES[] = { "year",   "month",  "day",        "hour",
                                          "minute", "second", "microsecond" };

/* From year to microsecond. */
static bool moment_from_parts(struct vm *vm, const struct class *class, const int64_t *n,
                              struct value *ret)
{
    if (!check_date(vm, n))
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

static bool construct_moment(struct vm *vm, const struct class *class, const struct args *args,
                             struct value *ret)
{
    int64_t parts[DATE_PARTS] = { 0 };
    return collect_numbers(vm, args, PART_NAMES, class == &class_date ? 3 : DATE_PARTS, parts) &&
           moment_from_parts(vm, class, parts, ret);
}

static void parts_of(const struct moment *moment, int64_t *parts)
{
    date_from_days(moment->days, &parts[0], &parts[1], &parts[2]);
    parts[3] = moment->seconds / 3600;
    parts[4] = moment->seconds / 60 % 60;
    parts[5] = moment->seconds % 60;
    parts[6] = moment->micros;
}

FUNCTION(moment_replace)
{
    const struct class *class = self.instance->class;
    int64_t parts[DATE_PARTS];
    parts_of(moment_of(self), parts);
    return collect_numbers(vm, args, PART_NAMES, class == &class_date ? 3 : DATE_PARTS, parts) &&
           moment_from_parts(vm, class, parts, ret);
}

/* --- from text --- */

static bool take_number(const char **text, size_t digits, int64_t *ret)
{
    size_t taken = 0;
    for (*ret = 0; taken < digits && **text >= '0' && **text <= '9'; taken++)
        *ret = *ret * 10 + *(*text)++ - '0';
    return taken > 0;
}

static bool take_month(const char **text, size_t length, int64_t *ret)
{
    for (size_t i = 0; i < 12; i++) {
        size_t len = length ? length : strlen(MONTHS[i]);
        if (strncasecmp(*text, MONTHS[i], len) == 0) {
            *text += len;
            *ret = (int64_t)i + 1;
            return true;
        }
    }
    return false;
}

static bool take_micros(const char **text, int64_t *ret)
{
    const char *start = *text;
    if (!take_number(text, 6, ret))
        return false;
    for (size_t digits = (size_t)(*text - start); digits < 6; digits++)
        *ret *= 10;
    return true;
}

static bool take_directive(const char **text, char directive, int64_t *parts)
{
    switch (directive) {
    case 'Y':
        return take_number(text, 4, &parts[0]);
    case 'm':
        return take_number(text, 2, &parts[1]);
    case 'd':
        return take_number(text, 2, &parts[2]);
    case 'H':
        return take_number(text, 2, &parts[3]);
    case 'M':
        return take_number(text, 2, &parts[4]);
    case 'S':
        return take_number(text, 2, &parts[5]);
    case 'f':
        return take_micros(text, &parts[6]);
    case 'B':
        return take_month(text, 0, &parts[1]);
    case 'b':
        return take_month(text, 3, &parts[1]);
    case '%':
        return *(*text)++ == '%';
    default:
        return false;
    }
}

static bool parse_moment(const char *text, const char *format, int64_t *parts)
{
    for (; *format; format++) {
        if (*format == ' ' && *text == ' ') {
            text += strspn(text, " ");
        } else if (*format == '%' && format[1]) {
            if (!*text || !take_directive(&text, *++format, parts))
                return false;
        } else if (*format != *text++) {
            return false;
        }
    }
    return *text == '\0';
}

FUNCTION(datetime_strptime)
{
    (void)self;
    int64_t parts[DATE_PARTS] = { 1900, 1, 1 };
    if (args->items[0].kind != K_STR || args->items[1].kind != K_STR)
        return raise_error(vm, &class_TypeError, "strptime() takes two texts");
    if (!parse_moment(args->items[0].s->data, args->items[1].s->data, parts))
        return raise_error(vm, &class_ValueError, "time data '%s' does not match format '%s'",
                           args->items[0].s->data, args->items[1].s->data);
    return moment_from_parts(vm, &class_datetime, parts, ret);
}

static bool from_iso(struct vm *vm, const struct class *class, struct value text, struct value *ret)
{
    static const char *const formats[] = { "%Y-%m-%d",          "%Y-%m-%dT%H:%M:%S",
                                           "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f",
                                           "%Y-%m-%dT%H:%M",    "%Y-%m-%d %H:%M" };
    if (text.kind != K_STR)
        return raise_error(vm, &class_TypeError, "fromisoformat: argument must be str");
    for (size_t i = 0; i < (class == &class_date ? 1 : sizeof formats / sizeof *formats); i++) {
        int64_t parts[DATE_PARTS] = { 0 };
        if (parse_moment(text.s->data, formats[i], parts))
            return moment_from_parts(vm, class, parts, ret);
    }
    return raise_error(vm, &class_ValueError, "Invalid isoformat string: '%s'", text.s->data);
}

FUNCTION(date_fromisoformat)
{
    (void)self;
    return from_iso(vm, &class_date, args->items[0], ret);
}

FUNCTION(datetime_fromisoformat)
{
    (void)self;
    return from_iso(vm, &class_datetime, args->items[0], ret);
}

/* A timedelta of so many microseconds, which is within its bounds. */
static bool delta_of(struct vm *vm, __int128 micros, struct value *ret)
{
    __int128 days = micros / 1000000 / DAY_SECONDS;
    if (days > 999999999 || days < -999999999)
        return raise_error(vm, &class_OverflowError, "days=%lld; must have magnitude <= 999999999",
                           (long long)days);
    *ret = moment_value(vm, &class_timedelta,
                        (struct moment){ (int64_t)days, (int64_t)(micros / 1000000 % DAY_SECONDS),
                                         (int64_t)(micros % 1000000) });
    return true;
}

#define MOST_UNITS 1e20 /* more microseconds than any timedelta has */

/* Adds a number of units; parts of a microsecond are rounded to the even side. */
static bool add_units(struct vm *vm, const char *name, struct value v, int64_t unit,
                      __int128 *micros)
{
    int64_t n;
    v = value_contents(v);
    if (v.kind == K_FLOAT) {
        long double made = nearbyintl((long double)v.f * unit);
        if (!(fabsl(made) < MOST_UNITS))
            return raise_error(vm, &class_OverflowError, "timedelta is too large");
        *micros += (__int128)made;
        return true;
    }
    if (!value_is_integer(v))
        return raise_error(vm, &class_TypeError, "unsupported type for timedelta %s component: %s",
                           name, value_type_name(v));
    if (!integer_to_i64(v, &n))
        return raise_error(vm, &class_OverflowError, "Python int too large to convert to C int");
    if (n > INT32_MAX * INT64_C(1000000000) || n < -INT32_MAX * INT64_C(1000000000))
        return raise_error(vm, &class_OverflowError, "timedelta is too large");
    *micros += (__int128)n * unit;
    return true;
}

static bool construct_timedelta(struct vm *vm, const struct class *class, const struct args *args,
                                struct value *ret)
{
    static const struct {
        const char *name;
        int64_t micros;
    } units[] = {
        { "days", DAY_SECONDS * INT64_C(1000000) },
        { "seconds", 1000000 },
        { "microseconds", 1 },
        { "milliseconds", 1000 },
        { "minutes", 60000000 },
        { "hours", INT64_C(3600000000) },
        { "weeks", 7 * DAY_SECONDS * INT64_C(1000000) },
    };
    size_t count = sizeof units / sizeof *units;
    __int128 micros = 0;
    (void)class;
    if (args->count > count)
        return raise_error(vm, &class_TypeError,
                           "__new__() takes at most %zu arguments (%zu given)", count, args->count);
    for (size_t i = 0; i < args->count; i++)
        if (!add_units(vm, units[i].name, args->items[i], units[i].micros, &micros))
            return false;
    for (size_t i = 0; i < args->keyword_count; i++) {
        size_t at = 0;
        while (at < count && !string_is(args->keywords[i].name, units[at].name))
            at++;
        if (at == count)
            return raise_error(vm, &class_TypeError,
                               "'%s' is an invalid keyword argument for "
                               "__new__()",
                               args->keywords[i].name->data);
        if (!add_units(vm, units[at].name, args->keywords[i].value, units[at].micros, &micros))
            return false;
    }
    return delta_of(vm, micros, ret);
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

static int64_t weekday(const struct moment *moment)
{
    return ((moment->days + 3) % 7 + 7) % 7;
}

static bool add_directive(struct vm *vm, struct buffer *buffer, const struct moment *moment,
                          char c);

/* Those that stand for several others, and the numbers of weeks. */
static bool add_rare_directive(struct vm *vm, struct buffer *buffer, const struct moment *moment,
                               char c)
{
    static const struct {
        char c;
        const char *parts;
    } rows[] = {
        { 'c', "%a %b %e %H:%M:%S %Y" },
        { 'D', "%m/%d/%y" },
        { 'F', "%Y-%m-%d" },
        { 'h', "%b" },
        { 'R', "%H:%M" },
        { 'T', "%H:%M:%S" },
        { 'x', "%m/%d/%y" },
        { 'X', "%H:%M:%S" },
    };
    int64_t year, month, day, sunday = (weekday(moment) + 1) % 7;
    date_from_days(moment->days, &year, &month, &day);
    int64_t day_of_year = moment->days - days_from_date(year, 1, 1);
    if (c == 'e' || c == 'u')
        buffer_printf(buffer, "%*lld", c == 'e' ? 2 : 1,
                      (long long)(c == 'e' ? day : weekday(moment) + 1));
    else if (c == 'U' || c == 'W')
        buffer_printf(buffer, "%02lld",
                      (long long)(day_of_year + 7 - (c == 'U' ? sunday : weekday(moment))) / 7);
    if (c && strchr("euUW", c))
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].c != c)
            continue;
        for (const char *at = rows[i].parts; *at; at++)
            if (*at != '%')
                buffer_char(buffer, *at);
            else if (!add_directive(vm, buffer, moment, *++at))
                return false;
        return true;
    }
    return raise_error(vm, &class_ValueError, "strftime() does not know %%%c", c);
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
        return add_rare_directive(vm, buffer, moment, c);
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

FUNCTION(moment_isoweekday)
{
    (void)vm;
    (void)args;
    *ret = V_INT(weekday(moment_of(self)) + 1);
    return true;
}

FUNCTION(moment_toordinal)
{
    (void)vm;
    (void)args;
    *ret = V_INT(moment_of(self)->days - days_from_date(1, 1, 1) + 1);
    return true;
}

FUNCTION(delta_negate)
{
    (void)args;
    const struct moment *m = moment_of(self);
    *ret = moment_value(vm, &class_timedelta, (struct moment){ -m->days, -m->seconds, -m->micros });
    return true;
}

FUNCTION(delta_abs)
{
    *ret = self;
    return moment_of(self)->days >= 0 || delta_negate(vm, self, args, ret);
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

/* datetime.date(2024, 2, 29) */
bool moment_repr(struct vm *vm, struct value v, struct string **ret)
{
    const struct moment *moment = moment_of(v);
    struct buffer buffer = buffer_new(vm);
    int64_t parts[DATE_PARTS];
    parts_of(moment, parts);
    buffer_printf(&buffer, "datetime.%s(", v.instance->class->name);
    if (v.instance->class == &class_timedelta) {
        const int64_t numbers[] = { moment->days, moment->seconds, moment->micros };
        const char *separator = "";
        for (size_t i = 0; i < 3; i++) {
            static const char *const names[] = { "days", "seconds", "microseconds" };
            if (numbers[i])
                buffer_printf(&buffer, "%s%s=%lld", separator, names[i], (long long)numbers[i]);
            separator = numbers[i] ? ", " : separator;
        }
        if (!*separator)
            buffer_char(&buffer, '0');
    } else {
        size_t count = v.instance->class == &class_date ? 3 : parts[6] ? 7 : parts[5] ? 6 : 5;
        for (size_t i = 0; i < count; i++)
            buffer_printf(&buffer, "%s%lld", i ? ", " : "", (long long)parts[i]);
    }
    buffer_char(&buffer, ')');
    return buffer_finish(vm, &buffer, ret);
}

/* --- arithmetic and order --- */

/* A difference times, or divided by, a whole number; or how many times one is in another. */
static __int128 micros_of(struct value v)
{
    const struct moment *m = moment_of(v);
    return ((__int128)m->days * DAY_SECONDS + m->seconds) * 1000000 + m->micros;
}

static bool is_delta(struct value v)
{
    return value_is_moment(v) && v.instance->class == &class_timedelta;
}

bool moment_is_zero(struct value v)
{
    return is_delta(v) && micros_of(v) == 0;
}

static __int128 floor_of(__int128 a, __int128 b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Two timedeltas: how often one is in the other, and what is left. */
static bool divide_deltas(struct vm *vm, enum binary_op op, struct value a, struct value b,
                          struct value *ret)
{
    __int128 x = micros_of(a), y = micros_of(b);
    if (y == 0)
        return raise_error(vm, &class_ZeroDivisionError,
                           op == OP_DIVIDE ? "division by zero"
                                           : "integer division or modulo by zero");
    if (op == OP_DIVIDE)
        *ret = V_FLOAT((double)x / (double)y);
    else if (op == OP_FLOOR)
        *ret = V_INT((int64_t)floor_of(x, y));
    return op != OP_MODULO || delta_of(vm, x - floor_of(x, y) * y, ret);
}

/* A timedelta so many times, or a part of it. */
static bool scale_delta(struct vm *vm, enum binary_op op, struct value a, struct value b,
                        struct value *ret, bool *ret_done)
{
    if (op == OP_MULTIPLY && value_is_number(a))
        return scale_delta(vm, op, b, a, ret, ret_done);
    *ret_done = is_delta(a) && is_delta(b) && op != OP_MULTIPLY;
    if (*ret_done)
        return divide_deltas(vm, op, a, b, ret);
    *ret_done = is_delta(a) && value_is_number(b) && op != OP_MODULO &&
                (op != OP_FLOOR || value_is_integer(b));
    if (!*ret_done)
        return true;
    __int128 micros = micros_of(a);
    long double by = b.kind == K_FLOAT ? b.f : integer_to_double(b);
    if (op != OP_MULTIPLY && by == 0)
        return raise_error(vm, &class_ZeroDivisionError,
                           op == OP_DIVIDE ? "division by zero"
                                           : "integer division or modulo by zero");
    long double made = op == OP_MULTIPLY ? (long double)micros * by : (long double)micros / by;
    if (!(fabsl(made) < MOST_UNITS))
        return raise_error(vm, &class_OverflowError, "timedelta is too large");
    int64_t n;
    if (op == OP_FLOOR)
        return delta_of(vm, integer_to_i64(b, &n) ? floor_of(micros, n) : 0, ret);
    return delta_of(vm, (__int128)nearbyintl(made), ret);
}

bool moment_binary(struct vm *vm, enum binary_op op, struct value a, struct value b,
                   struct value *ret, bool *ret_done)
{
    if (op == OP_MULTIPLY || op == OP_FLOOR || op == OP_DIVIDE || op == OP_MODULO)
        return scale_delta(vm, op, a, b, ret, ret_done);
    *ret_done = value_is_moment(a) && value_is_moment(b) && (op == OP_ADD || op == OP_SUBTRACT);
    if (!*ret_done)
        return true;
    const struct moment *x = moment_of(a), *y = moment_of(b);
    int64_t sign = op == OP_ADD ? 1 : -1;
    bool adds_delta = is_delta(b);
    if (op == OP_ADD && !adds_delta && a.instance->class != &class_timedelta)
        return raise_error(vm, &class_TypeError, "unsupported operand type(s) for +: '%s' and '%s'",
                           value_type_name(a), value_type_name(b));
    const struct class *class = adds_delta     ? a.instance->class
                                : op == OP_ADD ? b.instance->class
                                               : &class_timedelta;
    struct moment moment = { x->days + sign * y->days, x->seconds + sign * y->seconds,
                             x->micros + sign * y->micros };
    if (class == &class_date)
        moment.seconds = moment.micros = 0;
    int64_t first = class == &class_timedelta ? -999999999 : days_from_date(1, 1, 1);
    int64_t last = class == &class_timedelta ? 999999999 : days_from_date(9999, 12, 31) - 1;
    if (moment.days < first || moment.days > last)
        return raise_error(vm, &class_OverflowError, "date value out of range");
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
    { "strftime", moment_strftime, "format" }, { "_isoformat", moment_isoformat, "" },             \
        { "weekday", moment_weekday, "" }, { "isoweekday", moment_isoweekday, "" },                \
        { "toordinal", moment_toordinal, "" }, { "replace", moment_replace, NULL },                \
    {                                                                                              \
        "__str__", moment_str, ""                                                                  \
    }

static const struct native DATE_METHODS[] = { DATE_ROWS, { NULL, NULL, NULL } };
static const struct native DATETIME_METHODS[] = { DATE_ROWS,
                                                  { "date", moment_date, "" },
                                                  { NULL, NULL, NULL } };
static const struct native DELTA_METHODS[] = {
    { "__abs__", delta_abs, "" },
    { "__neg__", delta_negate, "" },
    { "total_seconds", delta_total_seconds, "" },
    { "__str__", moment_str, "" },
    { NULL, NULL, NULL },
};
#define CLOCK_ROWS                                                                                 \
    { "now", no_clock, NULL }, { "today", no_clock, NULL }, { "utcnow", no_clock, NULL },          \
    {                                                                                              \
        "fromtimestamp", no_clock, NULL                                                            \
    }
static const struct native DATE_STATICS[] = {
    CLOCK_ROWS,
    { "fromisoformat", date_fromisoformat, "text" },
    { NULL, NULL, NULL },
};
static const struct native DATETIME_STATICS[] = {
    CLOCK_ROWS,
    { "fromisoformat", datetime_fromisoformat, "text" },
    { "strptime", datetime_strptime, "text format" },
    { NULL, NULL, NULL },
};

static const struct class class_date = { .name = "date",
                                         .base = &class_object,
                                         .layout = K_INSTANCE,
                                         .methods = DATE_METHODS,
                                         .statics = DATE_STATICS,
                                         .construct = construct_moment };
static const struct class class_datetime = { .name = "datetime",
                                             .base = &class_object,
                                             .layout = K_INSTANCE,
                                             .methods = DATETIME_METHODS,
                                             .statics = DATETIME_STATICS,
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
