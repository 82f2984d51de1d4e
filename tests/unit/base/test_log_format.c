#include "base/log_format.h"

#include "unit/test.h"

#define NOON 1714564800123 /* 2024-05-01T12:00:00.123Z */

static const struct line_case {
    const char *name;
    enum log_style style;
    const char *message;
    const char *fields[7];
    const char *line; /* behind the time */
} lines[] = {
    { "plain, no fields", LOG_PLAIN, "ready", { NULL }, " info scheduler: ready\n" },
    { "plain, fields",
      LOG_PLAIN,
      "task placed",
      { "task", "a-b-c", "host", "h1", NULL },
      " info scheduler: task placed task=a-b-c host=h1\n" },
    { "plain, a field left out",
      LOG_PLAIN,
      "m",
      { "a", "1", "b", NULL, "c", "3", NULL },
      " info scheduler: m a=1 c=3\n" },
    { "plain, a value with a space",
      LOG_PLAIN,
      "m",
      { "a", "b c", NULL },
      " info scheduler: m a=\"b c\"\n" },
    { "plain, a value with a quote",
      LOG_PLAIN,
      "m",
      { "a", "b\"c", NULL },
      " info scheduler: m a=\"b\\\"c\"\n" },
    { "plain, a value with a backslash",
      LOG_PLAIN,
      "m",
      { "a", "b\\c", NULL },
      " info scheduler: m a=\"b\\\\c\"\n" },
    { "plain, a value that looks like a field",
      LOG_PLAIN,
      "m",
      { "a", "b=c", NULL },
      " info scheduler: m a=\"b=c\"\n" },
    { "plain, a value of two lines",
      LOG_PLAIN,
      "m",
      { "a", "b\nc", NULL },
      " info scheduler: m a=\"b\\nc\"\n" },
    { "plain, an escape sequence",
      LOG_PLAIN,
      "m",
      { "a", "\x1b[2J", NULL },
      " info scheduler: m a=\"\\u001b[2J\"\n" },
    { "plain, an empty value", LOG_PLAIN, "m", { "a", "", NULL }, " info scheduler: m a=\"\"\n" },
    { "plain, a value that is no text",
      LOG_PLAIN,
      "m",
      { "a", "\xff", NULL },
      " info scheduler: m a=\"\xef\xbf\xbd\"\n" },
    { "plain, a value in another script",
      LOG_PLAIN,
      "m",
      { "a", "\xc3\xa4", NULL },
      " info scheduler: m a=\xc3\xa4\n" },
    { "plain, a message of two lines",
      LOG_PLAIN,
      "one\ntwo\x1b\x7f",
      { NULL },
      " info scheduler: one two  \n" },

    { "json, no fields",
      LOG_JSON,
      "ready",
      { NULL },
      "\",\"level\":\"info\",\"service\":\"scheduler\",\"message\":\"ready\"}\n" },
    { "json, fields",
      LOG_JSON,
      "task placed",
      { "task", "a b", "host", NULL, "n", "1", NULL },
      "\",\"level\":\"info\",\"service\":\"scheduler\",\"message\":\"task placed\","
      "\"task\":\"a b\",\"n\":\"1\"}\n" },
    { "json, what has to be escaped",
      LOG_JSON,
      "one\n\"two\"",
      { "a", "\\\xff", NULL },
      "\",\"level\":\"info\",\"service\":\"scheduler\",\"message\":\"one\\n\\\"two\\\"\","
      "\"a\":\"\\\\\xef\xbf\xbd\"}\n" },
};

static void becomes_one_line(void **state)
{
    const struct line_case *c = *state;
    const char *start =
        c->style == LOG_JSON ? "{\"time\":\"2024-05-01T12:00:00.123Z" : "2024-05-01T12:00:00.123Z";
    cleanup_text struct text line = TEXT_INIT;
    log_format_line(&line, c->style, NOON, LOG_INFO, "scheduler", c->message, c->fields);
    assert_int_equal(strncmp(text_string(&line), start, strlen(start)), 0);
    assert_string_equal(text_string(&line) + strlen(start), c->line);
    assert_ptr_equal(strchr(text_string(&line), '\n'), line.ptr + line.len - 1);
}

static const struct time_case {
    const char *name;
    int64_t now_ms;
    const char *text;
} times[] = {
    { "the epoch", 0, "1970-01-01T00:00:00.000Z" },
    { "a millisecond", 1, "1970-01-01T00:00:00.001Z" },
    { "a leap day", 1709251199999, "2024-02-29T23:59:59.999Z" },
    { "beyond 32 bits", 4102444800000, "2100-01-01T00:00:00.000Z" },
};

static void is_told_in_utc(void **state)
{
    const struct time_case *c = *state;
    cleanup_text struct text text = TEXT_INIT;
    log_format_time(&text, c->now_ms);
    assert_string_equal(text_string(&text), c->text);
}

static const struct word_case {
    const char *name;
    bool is_level, is_style;
} words[] = {
    { "debug", true, false },  { "info", true, false },  { "warning", true, false },
    { "error", true, false },  { "plain", false, true }, { "json", false, true },
    { "", false, false },      { "Info", false, false }, { "warn", false, false },
    { "jsonx", false, false },
};

static void is_known_or_left_alone(void **state)
{
    const struct word_case *c = *state;
    enum log_level level = LOG_LEVEL_COUNT;
    enum log_style style = LOG_STYLE_COUNT;
    assert_int_equal(log_level_parse(slice_of(c->name), &level), c->is_level);
    assert_int_equal(log_style_parse(slice_of(c->name), &style), c->is_style);
    assert_int_equal(level != LOG_LEVEL_COUNT, c->is_level);
    assert_int_equal(style != LOG_STYLE_COUNT, c->is_style);
    if (c->is_level)
        assert_string_equal(log_level_name(level), c->name);
}

static void no_fields_at_all(void **state)
{
    cleanup_text struct text line = TEXT_INIT;
    (void)state;
    log_format_line(&line, LOG_PLAIN, 0, LOG_ERROR, "config", "m", NULL);
    assert_string_equal(text_string(&line), "1970-01-01T00:00:00.000Z error config: m\n");
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(no_fields_at_all) };
    return RUN_CASES(lines, becomes_one_line) + RUN_CASES(times, is_told_in_utc) +
           RUN_CASES(words, is_known_or_left_alone) + cmocka_run_group_tests(others, NULL, NULL);
}
