#include "client/verb.h"

#include "base/cleanup.h"
#include "unit/test.h"

#include <sys/wait.h>

/* The script is run by a real bash: what it offers is what counts. */
static const struct verb verbs[] = {
    { .noun = "job",
      .name = "create",
      .arguments = "KEY FILE",
      .summary = "",
      .complete = { ARGUMENT_FREE, ARGUMENT_FILE },
      .flags = F(BIND) | F(OUTPUT) | F(ALLOW_READ) },
    { .noun = "job", .name = "kill", .arguments = "KEY", .summary = "", .flags = F(STRICT) },
    { .noun = "job",
      .name = "many",
      .arguments = "FILE…",
      .summary = "",
      .max_arguments = 1000,
      .complete = { ARGUMENT_FILE } },
    { .noun = "dev", .arguments = "", .summary = "", .flags = F(HTTP) },
    { 0 },
};

static const struct completion_case {
    const char *name;
    const char *words;    /* of the line; the last one is completed */
    const char *expected; /* sorted, separated by spaces */
} cases[] = {
    { "commands", "eos ''", "dev help job" },
    { "a command that has begun", "eos d", "dev" },
    { "verbs", "eos job ''", "create kill many" },
    { "a verb that has begun", "eos job k", "kill" },
    { "flags of a verb", "eos job kill --", "--help --strict" },
    { "flags of another", "eos job create --", "--allow-read --bind --help --output" },
    { "flags of a command without verbs", "eos dev --h", "--help --http" },
    { "a flag's words", "eos job create --output ''", "json text" },
    { "a flag's word that has begun", "eos job create --output j", "json" },
    { "a free value", "eos job create --bind ''", "" },
    { "a key is free", "eos job create ''", "" },
    { "a file", "eos job create a/b/c/d ./f", "./file.aurora" },
    { "a file behind a flag with its value", "eos job create --bind a=b a/b/c/d ./f",
      "./file.aurora" },
    { "one of many files", "eos job many ./a ./b ./f", "./file.aurora" },
    { "a directory", "eos job create --allow-read ./f", "./folder" },
    { "help takes commands", "eos help ''", "dev help job" },
    { "help takes verbs", "eos help job ''", "create kill many" },
    { "nothing for what is not there", "eos nothing ''", "" },
};

static char directory[] = "/tmp/eos-completion.XXXXXX";

static int make_directory(void **state)
{
    char command[200];
    struct text script = TEXT_INIT;
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(command, sizeof command, "cd %s && touch file.aurora && mkdir folder && cat > script",
             directory);
    completion_add_bash(verbs, &script);
    FILE *pipe = popen(command, "w");
    bool is_written = pipe && fwrite(script.ptr, 1, script.len, pipe) == script.len;
    text_done(&script);
    return pipe && pclose(pipe) == 0 && is_written ? 0 : -1;
}

static int remove_directory(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

static void offers(void **state)
{
    const struct completion_case *c = *state;
    char command[500], got[500];
    snprintf(command, sizeof command,
             "cd %s && bash -c '. ./script; eval \"COMP_WORDS=($0)\"; "
             "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _eos; printf \"%%s\\n\" \"${COMPREPLY[@]}\"' "
             "\"%s\" "
             "| sort | xargs",
             directory, c->words);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t len = fread(got, 1, sizeof got - 1, pipe);
    got[len] = '\0';
    assert_int_equal(pclose(pipe), 0);
    got[strcspn(got, "\n")] = '\0';
    if (strcmp(c->expected, "./folder") == 0 || strcmp(c->expected, "./file.aurora") == 0)
        assert_non_null(strstr(got, c->expected)); /* bash may offer both for a file */
    else
        assert_string_equal(got, c->expected);
}

int main(void)
{
    if (system("bash -c 'compgen -W x' > /dev/null 2>&1") != 0)
        return 77;
    if (make_directory(NULL) != 0)
        return 1;
    int failed = RUN_CASES(cases, offers);
    return remove_directory(NULL) + failed;
}
