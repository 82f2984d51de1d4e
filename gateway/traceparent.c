#include "gateway/traceparent.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <assert.h>

/* Lower-case hexadecimal digits, and whether one of them is not 0. */
static bool is_id(const char *digits, size_t len, bool *ret_is_zero)
{
    *ret_is_zero = true;
    for (size_t i = 0; i < len; i++) {
        if (!((digits[i] >= '0' && digits[i] <= '9') || (digits[i] >= 'a' && digits[i] <= 'f')))
            return false;
        *ret_is_zero = *ret_is_zero && digits[i] == '0';
    }
    return true;
}

bool traceparent_is_valid(struct slice text)
{
    bool is_trace_zero, is_span_zero, is_flags_zero;
    return text.len == TRACEPARENT_SIZE - 1 && slice_starts_with(text, SLICE("00-")) &&
           text.ptr[35] == '-' && text.ptr[52] == '-' && is_id(text.ptr + 3, 32, &is_trace_zero) &&
           is_id(text.ptr + 36, 16, &is_span_zero) && is_id(text.ptr + 53, 2, &is_flags_zero) &&
           !is_trace_zero && !is_span_zero;
}

void traceparent_make(const uint8_t random[24], char ret_text[TRACEPARENT_SIZE])
{
    uint8_t bytes[24];
    memcpy(bytes, random, sizeof bytes);
    bytes[15] |= 1; /* neither id may be all zero */
    bytes[23] |= 1;

    cleanup_text struct text out = TEXT_INIT;
    text_add(&out, "00-");
    text_add_hex(&out, bytes, 16);
    text_add_char(&out, '-');
    text_add_hex(&out, bytes + 16, 8);
    text_add(&out, "-01");
    assert(out.len == TRACEPARENT_SIZE - 1);
    memcpy(ret_text, out.ptr, TRACEPARENT_SIZE);
}
