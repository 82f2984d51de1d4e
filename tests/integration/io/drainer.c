/* A daemon that does nothing, so that a test sees what all daemons share. */
#include "base/alloc.h"
#include "io/daemon.h"

#include <fcntl.h>
#include <unistd.h>

static struct {
    bool fail, keep_open;
    int64_t drain_ms;
    const char *file;
} config = { .file = "" };

static struct service {
    uv_timer_t drain;
} service;

static bool service_open(uv_loop_t *loop, void *user, void **ret_service, struct error *err)
{
    (void)user;
    uv_timer_init(loop, &service.drain);
    if (config.fail) {
        uv_close((uv_handle_t *)&service.drain, NULL);
        return error_set(err, ERROR_FAILED_PRECONDITION, "could not open \"/no/such\"");
    }
    if (config.file[0]) {
        int fd = open(config.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd >= 0)
            close(fd);
    }
    *ret_service = &service;
    return true;
}

static void on_drained(uv_timer_t *timer)
{
    (void)timer;
    daemon_drained();
    daemon_drained(); /* twice does no harm */
}

static void service_drain(void *ctx)
{
    (void)ctx;
    if (config.keep_open)
        return;
    if (config.drain_ms == 0)
        daemon_drained();
    else
        uv_timer_start(&service.drain, on_drained, (uint64_t)config.drain_ms, 0);
}

static void service_close(void *ctx)
{
    (void)ctx;
    uv_close((uv_handle_t *)&service.drain, NULL);
}

int main(int argc, char **argv)
{
    static const struct option rows[] = {
        { .name = "fail", .type = OPTION_SWITCH, .target = &config.fail, .help = "do not open" },
        { .name = "never-drain",
          .type = OPTION_SWITCH,
          .target = &config.keep_open,
          .help = "wait for the end of the drain timeout" },
        { .name = "drain-time",
          .type = OPTION_DURATION,
          .target = &config.drain_ms,
          .max = 60000,
          .value = "DURATION",
          .help = "how long draining takes" },
        { .name = "file",
          .type = OPTION_STRING,
          .target = &config.file,
          .value = "FILE",
          .help = "make this file" },
        { 0 },
    };
    struct daemon_spec spec = {
        .name = "drainer",
        .summary = "does nothing and stops well",
        .options = rows,
        .open = service_open,
        .drain = service_drain,
        .close = service_close,
    };
    return daemon_main(&spec, argc, argv);
}
