#include "config/once.h"
#include "config/service.h"

#include "io/daemon.h"

#include <malloc.h>
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

/* What a large configuration took goes back to the system, and threads share what is kept: otherwise each would keep
 * as much as the largest that it has seen. */
static void keep_little(void)
{
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_ARENA_MAX, 1);
}

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
    keep_little();
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
