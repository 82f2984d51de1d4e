#include "client/dev_verb.h"

#include "client/compiler.h"
#include "client/output.h"

#include <errno.h>

enum exit_status dev_exec(const struct invocation *invocation)
{
    struct error err;
    const char *program = program_beside("eos-dev", invocation->arena);
    size_t count = 0;
    while (invocation->argv[count])
        count++;
    char **argv = arena_array(invocation->arena, count + 2, sizeof *argv);
    argv[0] = (char *)"eos dev";
    memcpy(argv + 1, invocation->argv, count * sizeof *argv);
    execv(program, argv);
    error_set_errno(&err, errno, "could not start \"%.120s\"", program);
    return output_complain(STATUS_FATAL, &err);
}
