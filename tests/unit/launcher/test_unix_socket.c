#include "launcher/unix_socket.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "folder.h"
#include "unit/test.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static bool answers(const char *directory, const char *name, enum unix_socket_link link)
{
    cleanup_close int fd = unix_socket_dial(directory, name, link);
    return fd >= 0;
}

static void a_link_is_followed_only_when_told(void **state)
{
    struct folder folder = folder_make();
    cleanup_free char *path = xasprintf("%s/socket", folder.path);
    cleanup_free char *link = xasprintf("%s/link", folder.path);
    (void)state;

    cleanup_close int listener = listen_at(path);
    assert_true(listener >= 0);
    assert_int_equal(symlink(path, link), 0);
    assert_true(answers(folder.path, "socket", LINK_IS_REFUSED));
    assert_true(answers(folder.path, "link", LINK_IS_FOLLOWED));
    assert_false(answers(folder.path, "link", LINK_IS_REFUSED));
    assert_false(answers(folder.path, "none", LINK_IS_FOLLOWED));
    assert_int_equal(errno, ENOENT);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_link_is_followed_only_when_told) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
