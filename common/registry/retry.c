#include "registry/retry.h"

#include <time.h>

#define FIRST_DELAY_MS  200u
#define MAX_DELAY_MS    5000u
#define DAY_SECONDS     86400
#define MAX_PATIENCE_MS 15000u

static const unsigned worth[] = { 408, 429, 500, 502, 503, 504 };

bool retry_is_worth(unsigned http_status)
{
    for (size_t i = 0; i < sizeof worth / sizeof worth[0]; i++)
        if (worth[i] == http_status)
            return true;
    return false;
}

uint32_t retry_patience_ms(uint32_t deadline_ms)
{
    return deadline_ms / 10 < MAX_PATIENCE_MS ? deadline_ms / 10 : MAX_PATIENCE_MS;
}

uint32_t retry_delay_ms(unsigned attempt, uint32_t random)
{
    uint32_t delay_ms = FIRST_DELAY_MS;
    for (unsigned i = 1; i < attempt && delay_ms < MAX_DELAY_MS; i++)
        delay_ms *= 2;
    if (delay_ms > MAX_DELAY_MS)
        delay_ms = MAX_DELAY_MS;
    return delay_ms - random % (delay_ms / 2);
}

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static bool read_number(struct slice *rest, char end, uint64_t max, int *ret_number)
{
    uint64_t number;
    if (!rest->ptr || !slice_to_u64(slice_split(rest, end), max, &number))
        return false;
    *ret_number = (int)number;
    return true;
}

static bool read_month(struct slice *rest, int *ret_month)
{
    if (!rest->ptr)
        return false;
    struct slice name = slice_split(rest, ' ');
    for (int i = 0; i < 12; i++)
        if (slice_is(name, months[i])) {
            *ret_month = i;
            return true;
        }
    return false;
}

/* "Wed, 21 Oct 2015 07:28:00 GMT" */
static bool read_date(struct slice value, int64_t *ret_seconds)
{
    struct tm date = { 0 };
    struct slice rest = value;
    slice_split(&rest, ' ');
    if (!read_number(&rest, ' ', 31, &date.tm_mday) || !read_month(&rest, &date.tm_mon) ||
        !read_number(&rest, ' ', 9999, &date.tm_year) ||
        !read_number(&rest, ':', 23, &date.tm_hour) || !read_number(&rest, ':', 59, &date.tm_min) ||
        !read_number(&rest, ' ', 60, &date.tm_sec) || !rest.ptr || !slice_is(rest, "GMT") ||
        date.tm_year < 1970)
        return false;
    date.tm_year -= 1900;
    *ret_seconds = timegm(&date);
    return true;
}

bool retry_after_parse(struct slice value, int64_t now_ms, uint32_t *ret_delay_ms)
{
    uint64_t number;
    int64_t seconds;
    struct slice text = slice_trim(value);

    if (slice_to_u64(text, UINT64_MAX, &number))
        seconds = number > DAY_SECONDS ? DAY_SECONDS : (int64_t)number;
    else if (read_date(text, &seconds))
        seconds -= now_ms / 1000;
    else
        return false;
    if (seconds < 0)
        seconds = 0;
    if (seconds > DAY_SECONDS)
        seconds = DAY_SECONDS;
    *ret_delay_ms = (uint32_t)seconds * 1000;
    return true;
}
