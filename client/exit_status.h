#pragma once

#include "base/error.h"

enum exit_status {
#define EXIT_STATUS(name, number, when) STATUS_##name = number,
#include "client/exit_status.def"
#undef EXIT_STATUS
};

/* What the failure of a call to the gateway means, unless a verb knows better. */
enum exit_status exit_status_of(enum error_code code);
