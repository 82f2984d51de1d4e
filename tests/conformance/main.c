#include "base/cleanup.h"
#include "conformance/conformance.h"

#include <dirent.h>
#include <limits.h>

static bool is_wanted(const char *name, char **wanted)
{
    if (!*wanted)
        return true;
    for (; *wanted; wanted++)
        if (strncmp(name, *wanted, strlen(*wanted)) == 0)
            return true;
    return false;
}

static bool run_case(const char *program, const char *name)
{
    struct text why = TEXT_INIT;
    json_t *expected = case_expected(name, &why);
    json_t *got = expected ? case_compile(program, name, &why) : NULL;
    bool is_passed = got && compare_results(expected, got, &why);
    if (!is_passed)
        printf("%s: %s\n", name, text_string(&why));
    json_decref(expected);
    json_decref(got);
    text_done(&why);
    return is_passed;
}

/* The program `eos` stands in the folder above this one's. */
static bool find_program(char out[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return false;
    self[len] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(self, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
    return snprintf(out, PATH_MAX, "%s/eos", self) < PATH_MAX && access(out, X_OK) == 0;
}

static int is_source(const struct dirent *entry)
{
    return slice_ends_with(slice_of(entry->d_name), SLICE(".aurora"));
}

int main(int argc, char **argv)
{
    char program[PATH_MAX];
    struct dirent **entries;
    size_t passed = 0, failed = 0;
    if (argc < 2) {
        fputs("usage: run DIRECTORY [CASE...]\n", stderr);
        return 2;
    }
    int count = chdir(argv[1]) == 0 ? scandir(".", &entries, is_source, alphasort) : -1;
    if (count <= 0 || !find_program(program)) {
        fprintf(stderr,
                count <= 0 ? "there are no cases in %s\n"
                           : "the program eos is not built; looked for it beside %s\n",
                count <= 0 ? argv[1] : argv[0]);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - strlen(".aurora")] = '\0';
        if (is_wanted(entries[i]->d_name, argv + 2))
            *(run_case(program, entries[i]->d_name) ? &passed : &failed) += 1;
        free(entries[i]);
    }
    free(entries);
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed ? 1 : 0;
}
