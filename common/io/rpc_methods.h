#pragma once

#include "base/slice.h"

#include <stdint.h>

/* One row of rpc_methods.def. */
struct rpc_method_facts {
    const char *path;
    uint32_t deadline_ms;
    bool is_idempotent;
    bool is_stream;
};

extern const struct rpc_method_facts rpc_method_table[];
extern const size_t rpc_method_count;

/* NULL when there is no such row. */
const struct rpc_method_facts *rpc_method_find(const char *service, const char *method);
