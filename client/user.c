#include "client/user.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

const char *user_name(void)
{
    static const char *const names[] = { "LOGNAME", "USER", "LNAME", "USERNAME" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    const struct passwd *entry = getpwuid(getuid());
    return entry ? entry->pw_name : "unknown";
}
