#include "io/rpc_methods.h"

const struct rpc_method_facts rpc_method_table[] = {
#define RPC_METHOD(path, deadline, idempotent, stream) { path, deadline, idempotent, stream },
#include "io/rpc_methods.def"
#undef RPC_METHOD
};

const size_t rpc_method_count = sizeof rpc_method_table / sizeof rpc_method_table[0];

const struct rpc_method_facts *rpc_method_find(const char *service, const char *method)
{
    size_t len = strlen(service);
    for (size_t i = 0; i < rpc_method_count; i++) {
        const char *path = rpc_method_table[i].path + 1;
        if (strncmp(path, service, len) == 0 && path[len] == '/' &&
            strcmp(path + len + 1, method) == 0)
            return &rpc_method_table[i];
    }
    return NULL;
}
