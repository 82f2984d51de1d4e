#include "config/compile.h"
#include "config/service.h"

static bool compile(void *ctx, const void *request, void *response, struct arena *arena,
                    struct error *err)
{
    (void)ctx;
    if (!compile_check_request(request, err))
        return false;
    *(Eos__Config__V1__CompileResponse *)response = *compile_run(arena, request);
    return true;
}

const struct rpc_method config_methods[] = {
    { "Compile", compile, NULL },
    { NULL, NULL, NULL },
};
