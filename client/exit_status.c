#include "client/exit_status.h"

#include <stddef.h>

static const struct {
    enum error_code code;
    enum exit_status status;
} meanings[] = {
    { ERROR_OK, STATUS_OK },
    { ERROR_CANCELLED, STATUS_INTERRUPTED },
    { ERROR_INVALID_ARGUMENT, STATUS_INVALID_PARAMETER },
    { ERROR_OUT_OF_RANGE, STATUS_INVALID_PARAMETER },
    { ERROR_NOT_FOUND, STATUS_INVALID_PARAMETER },
    { ERROR_DEADLINE_EXCEEDED, STATUS_TIMEOUT },
    { ERROR_PERMISSION_DENIED, STATUS_AUTH_ERROR },
    { ERROR_UNAUTHENTICATED, STATUS_AUTH_ERROR },
    { ERROR_UNAVAILABLE, STATUS_NETWORK_ERROR },
    { ERROR_DATA_LOSS, STATUS_UNKNOWN_ERROR },
};

enum exit_status exit_status_of(enum error_code code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (meanings[i].code == code)
            return meanings[i].status;
    return STATUS_API_ERROR;
}
