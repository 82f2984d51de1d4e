#include "launcher/log_files.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "folder.h"
#include "unit/test.h"

#include <fcntl.h>
#include <sys/stat.h>

#define STDOUT EOS__LAUNCHER__V1__LOG_STREAM__STDOUT
#define STDERR EOS__LAUNCHER__V1__LOG_STREAM__STDERR

static struct folder make_logs(void)
{
    struct folder folder = folder_make();
    folder_add_file(&folder, ".logs/second/0/stdout", "s");
    folder_add_file(&folder, ".logs/first/0/stdout", "a");
    folder_add_file(&folder, ".logs/first/0/stderr", "");
    folder_add_file(&folder, ".logs/first/2/stdout", "abc");
    folder_add_file(&folder, ".logs/first/10/stdout", "newest");
    folder_add_file(&folder, ".logs/first/x/stdout", "not a run");
    folder_add_file(&folder, "secret", "of the sandbox");
    return folder;
}

static void all_are_listed_in_order(void **state)
{
    struct folder folder = make_logs();
    struct arena *arena = arena_new();
    Eos__Launcher__V1__ListLogsResponse response = EOS__LAUNCHER__V1__LIST_LOGS_RESPONSE__INIT;
    struct error err;
    (void)state;

    assert_true(log_files_list(folder.path, arena, &response, &err));
    assert_int_equal(response.n_files, 5);
    assert_string_equal(response.files[0]->process, "second"); /* it began before the other */
    assert_string_equal(response.files[1]->process, "first");
    assert_int_equal(response.files[2]->stream, STDERR);
    assert_int_equal(response.files[3]->run, 2);
    assert_int_equal(response.files[3]->size_bytes, 3);
    assert_int_equal(response.files[4]->run, 10);
    arena_free(arena);
    folder_remove(&folder);
}

static void no_logs_are_an_empty_list(void **state)
{
    struct folder folder = folder_make();
    struct arena *arena = arena_new();
    Eos__Launcher__V1__ListLogsResponse response = EOS__LAUNCHER__V1__LIST_LOGS_RESPONSE__INIT;
    struct error err;
    (void)state;
    assert_true(log_files_list(folder.path, arena, &response, &err));
    assert_int_equal(response.n_files, 0);
    arena_free(arena);
    folder_remove(&folder);
}

static const struct open_case {
    const char *name, *process;
    int32_t run;
    Eos__Launcher__V1__LogStream stream;
    const char *content; /* NULL: not found */
    enum error_code code;
} opens[] = {
    { "a run", "first", 2, STDOUT, "abc", ERROR_OK },
    { "the newest run", "first", LOG_RUN_NEWEST, STDOUT, "newest", ERROR_OK },
    { "the process that began first", "", LOG_RUN_NEWEST, STDOUT, "s", ERROR_OK },
    { "an unknown process", "third", 0, STDOUT, NULL, ERROR_NOT_FOUND },
    { "an unknown run", "first", 5, STDOUT, NULL, ERROR_NOT_FOUND },
    { "no such stream", "second", 0, STDERR, NULL, ERROR_NOT_FOUND },
    { "a parent", "..", 0, STDOUT, NULL, ERROR_INVALID_ARGUMENT },
    { "a path", "first/../..", 0, STDOUT, NULL, ERROR_INVALID_ARGUMENT },
};

static void opens_or_explains(void **state)
{
    const struct open_case *c = *state;
    struct folder folder = make_logs();
    struct log_file file = { .fd = -1 };
    struct error err = { 0 };
    char content[16] = "";

    bool ok = log_files_open(folder.path, c->process, c->run, c->stream, &file, &err);
    assert_int_equal(ok, c->content != NULL);
    assert_int_equal(err.code, c->code);
    if (ok) {
        assert_true(read(file.fd, content, sizeof content - 1) >= 0);
        assert_string_equal(content, c->content);
        close(file.fd);
    }
    folder_remove(&folder);
}

/* What the user of a task may put in the place of a log. */
static void nothing_outside_is_read(void **state)
{
    static const char *const links[][2] = {
        { ".logs/a/0/stdout", "../../../secret" },
        { ".logs/b/0/stdout", "/etc/passwd" },
        { ".logs/c/0", "../../.logs/first/0" },
        { ".logs/d", "/etc" },
    };
    struct folder folder = make_logs();
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        cleanup_free char *placeholder = xasprintf("%s.x", links[i][0]);
        cleanup_free char *path = xasprintf("%s/%s", folder.path, links[i][0]);
        struct log_file file;
        struct error err;
        folder_add_file(&folder, placeholder, "");
        assert_int_equal(symlink(links[i][1], path), 0);
        char process[2] = { (char)('a' + (int)i), 0 };
        assert_false(log_files_open(folder.path, process, 0, STDOUT, &file, &err));
    }
    folder_remove(&folder);
}

static void only_regular_files_are_read(void **state)
{
    struct folder folder = make_logs();
    cleanup_free char *path = xasprintf("%s/.logs/first/3", folder.path);
    cleanup_free char *pipe = xasprintf("%s/stdout", path);
    struct log_file file;
    struct error err;
    (void)state;
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(mkfifo(pipe, 0644), 0);
    assert_false(log_files_open(folder.path, "first", 3, STDOUT, &file, &err));
    folder_remove(&folder);
}

static void the_whole_folder_may_be_a_trap(void **state)
{
    struct folder folder = folder_make();
    cleanup_free char *logs = xasprintf("%s/.logs", folder.path);
    struct arena *arena = arena_new();
    Eos__Launcher__V1__ListLogsResponse response = EOS__LAUNCHER__V1__LIST_LOGS_RESPONSE__INIT;
    struct log_file file;
    struct error err;
    (void)state;
    assert_int_equal(symlink("/", logs), 0);
    assert_false(log_files_open(folder.path, "etc", LOG_RUN_NEWEST, STDOUT, &file, &err));
    assert_false(log_files_list(folder.path, arena, &response, &err));
    arena_free(arena);
    folder_remove(&folder);
}

/* What a task fills its directories with costs the reader no more than the bound. */
static void only_so_much_is_looked_at(void **state)
{
    struct folder folder = make_logs();
    struct arena *arena = arena_new();
    Eos__Launcher__V1__ListLogsResponse response = EOS__LAUNCHER__V1__LIST_LOGS_RESPONSE__INIT;
    struct error err;
    (void)state;
    folder_add_file(&folder, ".logs/zz/0/stdout", "behind the others");
    for (unsigned i = 0; i < LOG_ENTRIES_MAX; i++) {
        cleanup_free char *path = xasprintf("%s/.logs/first/junk-%u", folder.path, i);
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
    assert_true(log_files_list(folder.path, arena, &response, &err));
    assert_true(response.n_files >= 1);
    assert_string_equal(response.files[0]->process, "second"); /* in front of the junk */
    for (size_t i = 0; i < response.n_files; i++)
        assert_string_not_equal(response.files[i]->process, "zz");
    arena_free(arena);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(all_are_listed_in_order),
        cmocka_unit_test(no_logs_are_an_empty_list),
        cmocka_unit_test(nothing_outside_is_read),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(the_whole_folder_may_be_a_trap),
        cmocka_unit_test(only_so_much_is_looked_at),
    };
    return RUN_CASES(opens, opens_or_explains) + cmocka_run_group_tests(others, NULL, NULL);
}
