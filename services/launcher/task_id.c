#include "launcher/task_id.h"

#include <string.h>

bool task_id_check(const char *task_id, struct error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t len = strlen(task_id);

    if (len == 0 || len > TASK_ID_MAX_BYTES || task_id[0] == '.' || strspn(task_id, allowed) != len)
        return error_set(
            err, ERROR_INVALID_ARGUMENT,
            "a task id must be 1 to %u letters, digits, \"_\", \"-\" or \".\", and not "
            "begin with \".\"",
            TASK_ID_MAX_BYTES);
    return true;
}
