#include "base/cleanup.h"
#include "client/config.h"
#include "client/dev_verb.h"
#include "client/host.h"
#include "client/image.h"
#include "client/import_verb.h"
#include "client/job.h"
#include "client/output.h"
#include "client/task.h"
#include "client/version.h"

#include <signal.h>

static verb_fn completion_bash;

#define JOB_KEY     "CLUSTER/ROLE/ENV/NAME"
#define JOB_PATTERN "CLUSTER[/ROLE[/ENV[/NAME]]]"

#define IMAGE_REFERENCE                                                                            \
    "REFERENCE is NAME[:TAG], HOST[:PORT]/NAME[:TAG], NAME@DIGEST or {{docker.image[NAME][TAG]}}."

#define MANY 1000 /* arguments */

#define ON_GATEWAY F(VERBOSE) | F(GATEWAY) | F(TOKEN_FILE) | F(CA_FILE) | F(OUTPUT) | F(WRITE_JSON)
#define ON_SOURCE                                                                                  \
    F(BIND) | F(ENV) | F(USER) | F(JSON) | F(READ_JSON) | F(NO_TIER_BACKFILL) | F(ALLOW_READ)
#define ON_KILL                                                                                    \
    F(VERBOSE) | F(BATCH_SIZE) | F(NO_BATCHING) | F(MAX_TOTAL_FAILURES) | F(MESSAGE) |             \
        F(TIMEOUT) | F(GATEWAY) | F(TOKEN_FILE) | F(CA_FILE)

// clang-format off
static const struct verb verbs[] = {
    { .noun = "completion", .name = "bash", .arguments = "", .run = completion_bash,
      .summary = "print a script that lets bash complete commands",
      .details = "For this shell: source <(eos completion bash)" },
    { .noun = "config", .name = "check", .arguments = "FILE…", .min_arguments = 1, .max_arguments = MANY,
      .complete = { ARGUMENT_FILE }, .run = config_check,
      .flags = F(OUTPUT) | F(WRITE_JSON) | ON_SOURCE,
      .summary = "say what is wrong with configurations; needs no cluster",
      .details = "Prints nothing and ends with 0 when there is nothing to say; with 3 when there is an error." },
    { .noun = "config", .name = "compile", .arguments = "FILE", .min_arguments = 1, .max_arguments = 1,
      .complete = { ARGUMENT_FILE }, .run = config_compile,
      .flags = F(OUTPUT) | F(WRITE_JSON) | F(SELECT) | F(INSTANCES) | ON_SOURCE,
      .summary = "compile a configuration; needs no cluster",
      .details = "FILE \"-\" is stdin.  Images stay as the configuration names them." },
    { .noun = "config", .name = "deps", .arguments = "FILE", .min_arguments = 1, .max_arguments = 1,
      .complete = { ARGUMENT_FILE }, .run = config_deps,
      .flags = F(OUTPUT) | F(WRITE_JSON) | ON_SOURCE,
      .summary = "list the files that a configuration includes or opens, and those that they do" },
    { .noun = "config", .name = "explain", .arguments = "FILE KEY.path", .min_arguments = 2, .max_arguments = 2,
      .complete = { ARGUMENT_FILE, ARGUMENT_FREE }, .run = config_explain,
      .flags = F(OUTPUT) | F(WRITE_JSON) | ON_SOURCE,
      .summary = "say where a value of a job comes from, step by step",
      .details = "Such as CLUSTER/ROLE/ENV/NAME.task.processes[0].cmdline; the key may be left out when there is one job." },
    { .noun = "config", .name = "fmt", .arguments = "FILE…", .min_arguments = 1, .max_arguments = MANY,
      .complete = { ARGUMENT_FILE }, .run = config_fmt, .flags = F(CHECK),
      .summary = "lay configurations out in one style, without changing what they mean",
      .details = "Prints the names of the files that it changes; FILE \"-\" goes from stdin to stdout." },
    { .noun = "config", .name = "list", .arguments = "FILE", .min_arguments = 1, .max_arguments = 1,
      .complete = { ARGUMENT_FILE }, .run = config_list,
      .flags = F(OUTPUT) | F(WRITE_JSON) | ON_SOURCE,
      .summary = "list the keys of the jobs that a configuration defines, one per line" },
    { DEV_VERB, .run = dev_exec },
    { .noun = "host", .name = "list", .arguments = "[CLUSTER]", .max_arguments = 1, .run = host_list,
      .flags = ON_GATEWAY | F(ON_CLUSTER),
      .summary = "list the hosts of a cluster and what they have" },
    { IMPORT_VERB, .run = import_exec },
    { .noun = "image", .name = "inspect", .arguments = "REFERENCE", .min_arguments = 1, .max_arguments = 1, .run = image_inspect,
      .flags = ON_GATEWAY | F(ON_CLUSTER) | F(PLATFORM),
      .summary = "show what an image is: digests, platforms, size, layers, configuration",
      .details = IMAGE_REFERENCE },
    { .noun = "image", .name = "list", .arguments = "", .run = image_list,
      .flags = ON_GATEWAY | F(ON_CLUSTER) | F(ON_HOST),
      .summary = "list the images that the hosts have" },
    { .noun = "image", .name = "outdated", .arguments = JOB_KEY, .min_arguments = 1, .max_arguments = 1, .run = image_outdated,
      .flags = ON_GATEWAY,
      .summary = "say which images that a job runs their tag no longer names",
      .details = "Prints nothing and ends with 0 when there is none; with 4 when there is one." },
    { .noun = "image", .name = "prune", .arguments = "[IMAGE…]", .max_arguments = MANY, .run = image_prune,
      .flags = ON_GATEWAY | F(ON_CLUSTER) | F(ON_HOST) | F(UNUSED_FOR) | F(KEEP) | F(IMPORTED) | F(DRY_RUN),
      .summary = "remove images from the hosts that no task uses",
      .details = "IMAGE is NAME:TAG, NAME@DIGEST or a digest; without one, all but the imported ones." },
    { .noun = "image", .name = "pull", .arguments = "REFERENCE", .min_arguments = 1, .max_arguments = 1, .run = image_pull,
      .flags = ON_GATEWAY | F(ON_CLUSTER) | F(ON_HOST),
      .summary = "have the hosts fetch an image before a task needs it",
      .details = "REFERENCE is NAME[:TAG], HOST[:PORT]/NAME[:TAG] or NAME@DIGEST." },
    { .noun = "image", .name = "resolve", .arguments = "REFERENCE", .min_arguments = 1, .max_arguments = 1, .run = image_resolve,
      .flags = ON_GATEWAY | F(ON_CLUSTER) | F(SKIP_CACHE),
      .summary = "find the digest of an image",
      .details = IMAGE_REFERENCE },
    { .noun = "image", .name = "verify", .arguments = "REFERENCE", .min_arguments = 1, .max_arguments = 1, .run = image_verify,
      .flags = ON_GATEWAY | F(ON_CLUSTER) | F(SKIP_CACHE) | F(KEY),
      .summary = "check that an image is signed, by a key of the cluster or one of yours",
      .details = IMAGE_REFERENCE "  Ends with 4 when no signature counts." },
    { .noun = "job", .name = "create", .arguments = JOB_KEY " FILE", .min_arguments = 2, .max_arguments = 2,
      .complete = { ARGUMENT_FREE, ARGUMENT_FILE }, .run = job_create,
      .flags = ON_GATEWAY | ON_SOURCE | F(COMPILER) | F(PIN) | F(NO_PIN) | F(SKIP_CACHE) | F(WAIT_UNTIL) | F(TIMEOUT),
      .summary = "create a job from a configuration" },
    { .noun = "job", .name = "inspect", .arguments = JOB_KEY " FILE", .min_arguments = 2, .max_arguments = 2,
      .complete = { ARGUMENT_FREE, ARGUMENT_FILE }, .run = job_inspect,
      .flags = ON_GATEWAY | ON_SOURCE | F(COMPILER) | F(RAW),
      .summary = "show what a configuration makes of a job, without creating it" },
    { .noun = "job", .name = "kill", .arguments = JOB_KEY "/INSTANCES", .min_arguments = 1, .max_arguments = 1, .run = job_kill,
      .flags = ON_KILL | F(STRICT),
      .summary = "end instances of a job",
      .details = "INSTANCES are numbers and ranges, such as 0,2-5." },
    { .noun = "job", .name = "killall", .arguments = JOB_KEY, .min_arguments = 1, .max_arguments = 1, .run = job_killall,
      .flags = ON_KILL,
      .summary = "end all instances of a job" },
    { .noun = "job", .name = "list", .arguments = JOB_PATTERN, .min_arguments = 1, .max_arguments = 1, .run = job_list,
      .flags = ON_GATEWAY,
      .summary = "list the jobs that match, one key per line",
      .details = "Parts may hold *, ? and [...]; the cluster \"*\" is every cluster of clusters.json." },
    { .noun = "job", .name = "status", .arguments = JOB_PATTERN, .min_arguments = 1, .max_arguments = 1, .run = job_status,
      .flags = ON_GATEWAY | F(IMAGES),
      .summary = "show the tasks of the jobs that match" },
    { .noun = "task", .name = "logs", .arguments = JOB_KEY "/INSTANCE", .min_arguments = 1, .max_arguments = 1, .run = task_logs,
      .flags = ON_GATEWAY | F(FOLLOW) | F(PROCESS) | F(RUN) | F(STDERR) | F(BYTES) | F(LIST),
      .summary = "show what a process of a task wrote" },
    { .noun = "version", .arguments = "[CLUSTER]", .max_arguments = 1, .run = version_show,
      .flags = ON_GATEWAY,
      .summary = "show the version of this program, and of a cluster's gateway" },
    { 0 },
};
// clang-format on

static enum exit_status completion_bash(const struct invocation *invocation)
{
    cleanup_text struct text script = TEXT_INIT;
    (void)invocation;
    completion_add_bash(verbs, &script);
    return output_print(&script);
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `words` are those behind "help": none, a noun, or a noun and a verb. */
static enum exit_status show_help(int count, char *const *words)
{
    cleanup_text struct text page = TEXT_INIT;
    struct error err;
    int used;
    const struct verb *verb = count > 0 ? verb_find(verbs, count, words, &used, &err) : NULL;
    if (count == 0 || is_help(words[0]))
        help_add_all(verbs, &page);
    else if (verb)
        help_add_verb(verb, &page);
    else if (count == 1 && verb_noun_exists(verbs, words[0]))
        help_add_noun(verbs, words[0], &page);
    else
        return output_complain(STATUS_SYNTAX, &err);
    return output_print(&page);
}

int main(int argc, char **argv)
{
    struct error err;
    int words;
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2 || is_help(argv[1]))
        return (int)show_help(argc > 2 ? argc - 2 : 0, argv + 2);
    if (argc > 2 && is_help(argv[2]) && verb_noun_exists(verbs, argv[1])) {
        argv[2] = argv[1]; /* "job --help list" is "help job list" */
        return (int)show_help(argc - 2, argv + 2);
    }
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = (char *)"version";
    const struct verb *verb = verb_find(verbs, argc - 1, argv + 1, &words, &err);
    if (!verb)
        return (int)output_complain(STATUS_SYNTAX, &err);
    return (int)verb_run(verb, argc - words, argv + words);
}
