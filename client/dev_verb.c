#include "client/dev_verb.h"

#include "client/compiler.h"
#include "client/import_verb.h"
#include "client/output.h"

#include <errno.h>

/* Becomes another program of the client; `words` are what has been read of the command line. */
static enum exit_status become(const char *name, const char *words,
                               const struct invocation *invocation)
{
    struct error err;
    const char *program = program_beside(name, invocation->arena);
    size_t count = 0;
    while (invocation->argv[count])
        count++;
    char **argv = arena_array(invocation->arena, count + 2, sizeof *argv);
    argv[0] = (char *)words;
    memcpy(argv + 1, invocation->argv, count * sizeof *argv);
    execv(program, argv);
    error_set_errno(&err, errno, "could not start \"%.120s\"", program);
    return output_complain(STATUS_FATAL, &err);
}

enum exit_status dev_exec(const struct invocation *invocation)
{
    return become("eos-dev", "eos dev", invocation);
}

enum exit_status import_exec(const struct invocation *invocation)
{
    return become("eos-import", "eos image import", invocation);
}
