#include "io/daemon.h"

#include "base/alloc.h"
#include "io/log.h"
#include "io/sd_notify.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_OPENING_FAILED = 1, EXIT_WRONG_FLAGS = 2 };

/* The flags that every daemon has. */
static struct {
    bool help, version;
    const char *log_format, *log_level;
    int64_t drain_timeout_ms;
} common = { .log_format = "plain", .log_level = "info", .drain_timeout_ms = 20000 };

/* clang-format off */
static const struct option common_rows[] = {
    { .name = "log-format", .type = OPTION_STRING, .target = &common.log_format, .value = "plain|json",
      .help = "how log lines are written to stderr" },
    { .name = "log-level", .type = OPTION_STRING, .target = &common.log_level,
      .value = "debug|info|warning|error", .help = "least level that is logged" },
    { .name = "drain-timeout", .type = OPTION_DURATION, .target = &common.drain_timeout_ms, .min = 0,
      .max = 3600000, .value = "DURATION", .help = "how long SIGTERM waits for what is in flight" },
    { .name = "help", .short_name = 'h', .type = OPTION_SWITCH, .target = &common.help,
      .help = "show this text", .no_environment = true },
    { .name = "version", .type = OPTION_SWITCH, .target = &common.version, .help = "show the version",
      .no_environment = true },
    { 0 },
};
/* clang-format on */

enum phase { PHASE_OPENING, PHASE_SERVING, PHASE_DRAINING, PHASE_CLOSING };

static struct daemon {
    const struct daemon_spec *spec;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt;
    uv_timer_t drain, watchdog;
    void *service;
    enum phase phase;
} self;

/* -- flags ---------------------------------------------------------------------------------------- */

static size_t count_rows(const struct option *rows)
{
    size_t count = 0;
    while (rows && rows[count].name)
        count++;
    return count;
}

static struct option *join_rows(const struct option *own)
{
    size_t own_count = count_rows(own), common_count = count_rows(common_rows);
    struct option *rows = xcalloc(own_count + common_count + 1, sizeof *rows);
    if (own_count > 0)
        memcpy(rows, own, own_count * sizeof *rows);
    memcpy(rows + own_count, common_rows, common_count * sizeof *rows);
    return rows;
}

static void show_help(const struct daemon_spec *spec, const struct option *rows)
{
    cleanup_text struct text help = TEXT_INIT;
    text_printf(&help, "usage: eos-%s [FLAG]...\n\nEos: %s.\n\n", spec->name, spec->summary);
    options_help(rows, &help);
    text_add(&help, "\nEach flag can also be given in the environment: --log-level as "
                    "EOS_LOG_LEVEL, and so on.\n");
    fputs(text_string(&help), stdout);
}

static bool apply_common(const struct daemon_spec *spec, struct error *err)
{
    enum log_style style;
    enum log_level level;
    if (!log_style_parse(slice_of(common.log_format), &style))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "flag --log-format: unknown format, expected plain or json");
    if (!log_level_parse(slice_of(common.log_level), &level))
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "flag --log-level: unknown level, expected debug, info, warning or error");
    log_open(spec->name, style, level);
    return true;
}

static bool read_flags(const struct daemon_spec *spec, const struct option *rows, int argc,
                       char **argv, struct error *err)
{
    int positional_count;
    if (!options_parse(rows, argc, argv, &positional_count, err))
        return false;
    if (positional_count > 0 && !common.help)
        return error_set(err, ERROR_INVALID_ARGUMENT,
                         "argument 1 is not a flag, and this program takes only flags");
    return apply_common(spec, err);
}

/* -- the process ---------------------------------------------------------------------------------- */

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The parent may be gone before the kernel has been told: then nobody would ever send the signal. */
static void die_with_parent(void)
{
    const char *wanted = getenv("EOS_DIE_WITH_PARENT");
    pid_t parent = getppid();
    if (!wanted || strcmp(wanted, "1") != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_OPENING_FAILED);
}

static void prepare_process(void)
{
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    raise_file_limit();
    die_with_parent();
}

/* -- ending --------------------------------------------------------------------------------------- */

static void close_handles(void)
{
    uv_handle_t *handles[] = { (uv_handle_t *)&self.terminate, (uv_handle_t *)&self.interrupt,
                               (uv_handle_t *)&self.drain, (uv_handle_t *)&self.watchdog };
    for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++)
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], NULL);
}

static void finish(uv_timer_t *timer)
{
    (void)timer;
    if (self.phase == PHASE_CLOSING)
        return;
    self.phase = PHASE_CLOSING;
    self.spec->close(self.service);
    close_handles();
}

static void on_drain_timeout(uv_timer_t *timer)
{
    log_warning("not everything ended in time, closing anyway");
    finish(timer);
}

/* Also called from within drain(): closing waits for the next turn of the loop. */
void daemon_drained(void)
{
    if (self.phase == PHASE_DRAINING)
        uv_timer_start(&self.drain, finish, 0, 0);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    if (self.phase != PHASE_SERVING) {
        finish(&self.drain);
        return;
    }
    self.phase = PHASE_DRAINING;
    log_info("draining", "signal", number == SIGINT ? "SIGINT" : "SIGTERM");
    sd_notify_send("STOPPING=1");
    uv_timer_start(&self.drain, on_drain_timeout, (uint64_t)common.drain_timeout_ms, 0);
    self.spec->drain(self.service);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    sd_notify_send("WATCHDOG=1");
}

/* -- life ----------------------------------------------------------------------------------------- */

static void init_handles(void)
{
    uv_signal_init(&self.loop, &self.terminate);
    uv_signal_init(&self.loop, &self.interrupt);
    uv_timer_init(&self.loop, &self.drain);
    uv_timer_init(&self.loop, &self.watchdog);
    uv_unref((uv_handle_t *)&self.watchdog);
}

static void announce(void)
{
    uint64_t interval_ms = sd_notify_watchdog_ms() / 2;
    uv_signal_start(&self.terminate, on_signal, SIGTERM);
    uv_signal_start(&self.interrupt, on_signal, SIGINT);
    if (interval_ms > 0)
        uv_timer_start(&self.watchdog, on_watchdog, interval_ms, interval_ms);
    sd_notify_send("READY=1");
    log_info("ready");
}

static int serve(const struct daemon_spec *spec)
{
    struct error err;
    int status = 0;

    prepare_process();
    self.spec = spec;
    uv_loop_init(&self.loop);
    init_handles();
    if (spec->open(&self.loop, spec->user, &self.service, &err)) {
        self.phase = PHASE_SERVING;
        announce();
    } else {
        fprintf(stderr, "eos-%s: %s\n", spec->name, err.message);
        self.phase = PHASE_CLOSING;
        close_handles();
        status = EXIT_OPENING_FAILED;
    }
    uv_run(&self.loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&self.loop);
    assert(busy == 0); /* a handle without an owner is our mistake */
    if (status == 0)
        log_info("stopped");
    return status;
}

int daemon_main(const struct daemon_spec *spec, int argc, char **argv)
{
    struct error err;
    int status = 0;
    struct option *rows = join_rows(spec->options);

    if (!read_flags(spec, rows, argc, argv, &err)) {
        fprintf(stderr, "eos-%s: %s\n", spec->name, err.message);
        status = EXIT_WRONG_FLAGS;
    } else if (common.help) {
        show_help(spec, rows);
    } else if (common.version) {
        printf("eos-%s %s\n", spec->name, EOS_VERSION);
    } else {
        status = serve(spec);
    }
    options_done(rows);
    free(rows);
    return status;
}
