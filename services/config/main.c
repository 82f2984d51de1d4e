#include "config/once.h"
#include "config/service.h"

#include "io/daemon.h"

#include <stdio.h>
#include <string.h>

static struct service_options options = { .listen = "ipc:///run/eos/config.sock" };
static bool is_once;

/* clang-format off */
static const struct option rows[] = {
    { .name = "listen", .type = OPTION_STRING, .target = &options.listen, .value = "URL",
      .help = "where eos.config.v1.Config is served, ipc:// or tcp://" },
    { .name = "once", .type = OPTION_SWITCH, .target = &is_once, .no_environment = true,
      .help = "as the only flag: compile one CompileRequest from standard input to standard output" },
    { 0 },
};
/* clang-format on */

static int run_once(void)
{
    struct error err;
    if (once_run(&err))
        return 0;
    fprintf(stderr, "eos-config: %s\n", err.message);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--once") == 0)
        return run_once();
    struct daemon_spec spec = {
        .name = "config",
        .summary = "compiles configurations into jobs",
        .options = rows,
        .user = &options,
        .open = service_open,
        .drain = service_drain,
        .close = service_close,
    };
    return daemon_main(&spec, argc, argv);
}
