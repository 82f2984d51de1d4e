#include "launcher/host_file.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "folder.h"
#include "unit/test.h"

#include <fcntl.h>
#include <sys/stat.h>

static void a_file_is_replaced_whole(void **state)
{
    struct folder folder = folder_make();
    cleanup_free char *path = xasprintf("%s/f", folder.path);
    cleanup_text struct text content = TEXT_INIT;
    struct error err;
    (void)state;

    assert_true(host_file_replace(path, SLICE("one"), &err));
    assert_true(host_file_replace(path, SLICE("2"), &err));
    assert_true(host_file_read(path, 10, &content, &err));
    assert_string_equal(text_string(&content), "2");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    folder_remove(&folder);
}

static void reading_is_bounded_and_follows_no_link(void **state)
{
    struct folder folder = folder_make();
    cleanup_free char *path = xasprintf("%s/f", folder.path),
                      *link = xasprintf("%s/l", folder.path);
    cleanup_text struct text content = TEXT_INIT;
    struct error err;
    (void)state;

    folder_add_file(&folder, "f", "12345");
    assert_int_equal(symlink("f", link), 0);
    assert_false(host_file_read(path, 4, &content, &err));
    assert_int_equal(err.code, ERROR_RESOURCE_EXHAUSTED);
    assert_false(host_file_read(link, 100, &content, &err));
    assert_false(host_file_read(folder.path, 100, &content, &err));
    cleanup_free char *none = xasprintf("%s/none", folder.path);
    assert_false(host_file_read(none, 100, &content, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    cleanup_free char *pipe = xasprintf("%s/pipe", folder.path);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_false(host_file_read(pipe, 100, &content, &err)); /* and does not wait for a writer */
    folder_remove(&folder);
}

static void a_directory_gets_its_mode(void **state)
{
    struct folder folder = folder_make();
    cleanup_free char *path = xasprintf("%s/a/b", folder.path);
    struct stat status;
    struct error err;
    (void)state;

    assert_true(host_directory_make(path, 0700, &err));
    assert_true(host_directory_make(path, 0777, &err));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0777);
    cleanup_free char *link = xasprintf("%s/link", folder.path);
    assert_int_equal(symlink("a", link), 0);
    assert_false(host_directory_make(link, 0700, &err));
    folder_remove(&folder);
}

static void removing_follows_no_link(void **state)
{
    struct folder folder = folder_make();
    cleanup_free char *tree = xasprintf("%s/tree", folder.path);
    cleanup_free char *link = xasprintf("%s/tree/deep/link", folder.path);
    cleanup_free char *outside = xasprintf("%s/outside/f", folder.path);
    struct error err;
    (void)state;

    folder_add_file(&folder, "outside/f", "stays");
    folder_add_file(&folder, "tree/deep/f", "goes");
    assert_int_equal(symlink("../../outside", link), 0);
    assert_true(host_tree_remove(tree, &err));
    assert_false(host_file_exists(tree));
    assert_true(host_file_exists(outside));
    assert_true(host_tree_remove(tree, &err)); /* nothing to remove is fine */
    folder_remove(&folder);
}

/* As a task can, by way of its working directory: deeper than a path can say. */
static void make_deep(const char *path, int depth)
{
    assert_int_equal(mkdir(path, 0755), 0);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(dir, "d", 0755), 0);
        int next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(dir);
        dir = next;
    }
    close(dir);
}

static void removing_goes_to_any_depth(void **state)
{
    struct folder folder = folder_make();
    cleanup_free char *tree = xasprintf("%s/tree", folder.path);
    struct error err;
    (void)state;

    make_deep(tree, 10000);
    folder_add_file(&folder, "tree/.moved-up-0", "in the way");
    folder_add_file(&folder, "tree/.moved-up-1/f", "in the way");
    assert_true(host_tree_remove(tree, &err));
    assert_false(host_file_exists(tree));
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_replaced_whole),
        cmocka_unit_test(reading_is_bounded_and_follows_no_link),
        cmocka_unit_test(a_directory_gets_its_mode),
        cmocka_unit_test(removing_follows_no_link),
        cmocka_unit_test(removing_goes_to_any_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
