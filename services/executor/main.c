#include "executor/clean.h"
#include "executor/service.h"

#include "base/options.h"

#define HOUR (60 * 60 * 1000ll)

static struct service_options service = { .linger_ms = 60 * 1000 };
static bool wants_clean, wants_help, wants_version;

/* clang-format off */
static const struct option rows[] = {
    { .name = "plan", .type = OPTION_STRING, .target = &service.plan_file, .value = "FILE",
      .no_environment = true, .help = "the task to run, an eos.executor.v1.TaskPlan in binary form" },
    { .name = "linger", .type = OPTION_DURATION, .target = &service.linger_ms, .min = 0, .max = HOUR,
      .value = "DURATION", .no_environment = true,
      .help = "how long to wait for a launcher's acknowledgement after the end" },
    { .name = "clean", .type = OPTION_SWITCH, .target = &wants_clean, .no_environment = true,
      .help = "remove what an executor that was killed has left of the plan, and run nothing" },
    { .name = "help", .short_name = 'h', .type = OPTION_SWITCH, .target = &wants_help,
      .no_environment = true, .help = "show this text" },
    { .name = "version", .type = OPTION_SWITCH, .target = &wants_version, .no_environment = true,
      .help = "show the version" },
    { 0 },
};
/* clang-format on */

static int show_help(void)
{
    struct text text = TEXT_INIT;
    text_add(&text,
             "usage: eos-executor --plan FILE\n\nRuns one task: sets up its container, starts "
             "its processes in order, keeps their record.\n\n");
    options_help(rows, &text);
    fputs(text_string(&text), stdout);
    text_done(&text);
    return 0;
}

static int complain(const char *message)
{
    fprintf(stderr, "eos-executor: %s\n", message);
    return SERVICE_REFUSED;
}

int main(int argc, char **argv)
{
    struct error err;
    int positional_count;
    if (!options_parse(rows, argc, argv, &positional_count, &err))
        return complain(err.message);
    if (wants_help)
        return show_help();
    if (wants_version)
        return printf("eos-executor %s\n", EOS_VERSION) < 0;
    if (!service.plan_file || positional_count > 0)
        return complain("usage: eos-executor --plan FILE; see --help");
    if (!wants_clean)
        return (int)service_run(&service);
    return clean_plan(service.plan_file, &err) ? 0 : complain(err.message);
}
