#include "base/text.h"

#include "unit/test.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static const struct json_case {
    const char *name;
    struct slice bytes;
    const char *json;
} strings[] = {
    // clang-format off
    { "empty",                    BYTES(""),                    "\"\"" },
    { "plain",                    BYTES("a b/c"),               "\"a b/c\"" },
    { "quotes and backslashes",   BYTES("\"\\"),                "\"\\\"\\\\\"" },
    { "short escapes",            BYTES("\b\t\n\f\r"),          "\"\\b\\t\\n\\f\\r\"" },
    { "other control characters", BYTES("\x01\x1f\x0b"),        "\"\\u0001\\u001f\\u000b\"" },
    { "NUL",                      BYTES("a\0b"),                "\"a\\u0000b\"" },
    { "DEL",                      BYTES("\x7f"),                "\"\\u007f\"" },
    { "two bytes",                BYTES("\xc3\xa4"),            "\"\xc3\xa4\"" },
    { "four bytes",               BYTES("x\xf0\x9f\x98\x80y"),  "\"x\xf0\x9f\x98\x80y\"" },
    { "a byte that is no text",   BYTES("a\xff" "b"),           "\"a\xef\xbf\xbd" "b\"" },
    { "a character that is cut",  BYTES("a\xe2\x82"),           "\"a\xef\xbf\xbd\xef\xbf\xbd\"" },
    { "a cut one before a whole", BYTES("\xc3\xc3\xa4"),        "\"\xef\xbf\xbd\xc3\xa4\"" },
    { "a surrogate",              BYTES("\xed\xa0\x80"),        "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    // clang-format on
};

static void becomes_json(void **state)
{
    const struct json_case *c = *state;
    cleanup_text struct text text = TEXT_INIT;
    text_add_json_string(&text, c->bytes);
    assert_string_equal(text_string(&text), c->json);
    assert_true(slice_is_utf8(text_slice(&text)));
}

static const struct hex_case {
    const char *name;
    struct slice bytes;
    const char *hex;
} hexes[] = {
    { "nothing", { NULL, 0 }, "" },
    { "all digits", BYTES("\x01\x23\x45\x67\x89\xab\xcd\xef"), "0123456789abcdef" },
    { "zeros", BYTES("\0\0"), "0000" },
};

static void becomes_hexadecimal(void **state)
{
    const struct hex_case *c = *state;
    cleanup_text struct text text = TEXT_INIT;
    text_add_hex(&text, c->bytes.ptr, c->bytes.len);
    assert_string_equal(text_string(&text), c->hex);
}

static void starts_empty(void **state)
{
    cleanup_text struct text text = TEXT_INIT;
    (void)state;
    assert_string_equal(text_string(&text), "");
    assert_int_equal(text_slice(&text).len, 0);
    text_add_slice(&text, (struct slice){ NULL, 0 });
    assert_string_equal(text_string(&text), "");
}

static void grows_with_what_is_added(void **state)
{
    cleanup_text struct text text = TEXT_INIT;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        text_add(&text, "ab");
        text_add_char(&text, 'c');
        text_add_slice(&text, SLICE("de"));
        text_printf(&text, "%04d", i);
        assert_int_equal(text.len, (size_t)(i + 1) * 9);
        assert_int_equal(text.ptr[text.len], '\0');
        assert_true(text.len < text.capacity);
    }
    assert_int_equal(strncmp(text.ptr + 9 * 123, "abcde0123", 9), 0);
}

static void holds_any_bytes(void **state)
{
    cleanup_text struct text text = TEXT_INIT;
    (void)state;
    text_add_bytes(&text, "a\0b", 3);
    text_add_char(&text, '\0');
    assert_int_equal(text.len, 4);
    assert_memory_equal(text.ptr, "a\0b\0", 5);
}

static void takes_what_its_caller_writes(void **state)
{
    cleanup_text struct text text = TEXT_INIT;
    (void)state;
    text_add(&text, "a");
    text_reserve(&text, 10000);
    assert_true(text.capacity > 10001);
    memset(text.ptr + text.len, 'x', 10000);
    text.len += 10000;
    text_add(&text, "z");
    assert_int_equal(text.len, 10002);
    assert_string_equal(text.ptr + 9999, "xxz");
}

static void reads_what_a_file_has(void **state)
{
    cleanup_text struct text text = TEXT_INIT;
    (void)state;
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 200000), 0);
    text_add(&text, "before ");
    assert_true(text_read(&text, fd, 1 << 20));
    assert_int_equal(text.len, 200007);
    assert_int_equal(text.ptr[text.len], 0);

    text_clear(&text);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_true(text_read(&text, fd, 10));
    assert_true(text.len > 10 && text.len < 200000); /* it stops */
    close(fd);
    assert_false(text_read(&text, fd, 10));
    assert_int_equal(errno, EBADF);
}

static void clearing_keeps_the_memory(void **state)
{
    cleanup_text struct text text = TEXT_INIT;
    (void)state;
    text_clear(&text);
    text_add(&text, "something");
    const char *before = text.ptr;
    text_clear(&text);
    assert_string_equal(text_string(&text), "");
    text_add(&text, "else");
    assert_ptr_equal(text.ptr, before);
    assert_string_equal(text_string(&text), "else");
}

static void taking_leaves_it_empty(void **state)
{
    struct text text = TEXT_INIT;
    (void)state;
    cleanup_free char *empty = text_take(&text);
    assert_string_equal(empty, "");
    text_add(&text, "content");
    cleanup_free char *taken = text_take(&text);
    assert_string_equal(taken, "content");
    assert_null(text.ptr);
    assert_int_equal(text.len + text.capacity, 0);
    text_done(&text); /* nothing is left to free */
    text_done(&text);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(starts_empty),           cmocka_unit_test(grows_with_what_is_added),
        cmocka_unit_test(holds_any_bytes),        cmocka_unit_test(takes_what_its_caller_writes),
        cmocka_unit_test(reads_what_a_file_has),  cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(taking_leaves_it_empty),
    };
    return RUN_CASES(strings, becomes_json) + RUN_CASES(hexes, becomes_hexadecimal) +
           cmocka_run_group_tests(others, NULL, NULL);
}
