#include "base/alloc.h"
#include "launcher/image_digest.h"
#include "launcher/image_upload.h"
#include "unit/test.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* Blobs of an import, on a disk of 3 MB of their own: chunks in any order, again, of several senders, and
 * more than there is room for. */

#define MB (1u << 20)

static char folder[] = "/tmp/eos-upload.XXXXXX";
static struct image_directory directory;
static char content[4 * MB];

static int set_up(void **state)
{
    struct error err = { 0 };
    (void)state;
    if (!mkdtemp(folder) || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", folder, "tmpfs", 0, "size=3m") < 0)
        return -1;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 31 + i / 997);
    return image_directory_open(&directory, folder, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    image_directory_close(&directory);
    umount(folder);
    return rmdir(folder);
}

static struct image_blob blob_of(size_t len, char digest[IMAGE_DIGEST_BYTES])
{
    image_digest_of(IMAGE_SHA256, (struct slice){ content, len }, digest);
    return (struct image_blob){ digest, (int64_t)len, "" };
}

static struct slice part(size_t offset, size_t len)
{
    return (struct slice){ content + offset, len };
}

static int count_uploads(void)
{
    struct error err;
    struct arena *arena = arena_new();
    const char **names;
    size_t count = 99;
    assert_true(
        image_directory_list(&directory, IMAGE_FOLDER_UPLOADS, arena, &names, &count, &err));
    arena_free(arena);
    return (int)count;
}

static void remove_uploads(void)
{
    struct error err;
    struct arena *arena = arena_new();
    const char **names;
    size_t count;
    assert_true(
        image_directory_list(&directory, IMAGE_FOLDER_UPLOADS, arena, &names, &count, &err));
    for (size_t i = 0; i < count; i++)
        unlinkat(directory.folder_fds[IMAGE_FOLDER_UPLOADS], names[i], 0);
    arena_free(arena);
}

static void chunks_may_come_again_and_too_early(void **state)
{
    char digest[IMAGE_DIGEST_BYTES];
    const struct image_blob blob = blob_of(1000, digest);
    struct error err = { 0 };
    int64_t offset = -1;
    (void)state;
    assert_int_equal(image_upload_offset(&directory, &blob), 0);
    assert_true(image_upload_add(&directory, &blob, 500, part(500, 100), &offset, &err));
    assert_int_equal(offset, 0); /* behind a gap */
    assert_true(image_upload_add(&directory, &blob, 0, part(0, 400), &offset, &err));
    assert_int_equal(offset, 400);
    assert_true(image_upload_add(&directory, &blob, 0, part(0, 400), &offset, &err));
    assert_int_equal(offset, 400);
    assert_true(image_upload_add(&directory, &blob, 300, part(300, 300), &offset, &err));
    assert_int_equal(offset, 600);
    assert_int_equal(image_upload_offset(&directory, &blob), 600);
    assert_true(image_upload_add(&directory, &blob, 600, part(600, 400), &offset, &err));
    assert_int_equal(offset, 1000);
    assert_true(image_upload_add(&directory, &blob, 0, part(0, 10), &offset, &err));
    assert_int_equal(offset, 1000); /* it is whole already */
    assert_int_equal(count_uploads(), 1);
    remove_uploads();
}

static void a_lie_is_dropped_when_it_is_whole(void **state)
{
    char digest[IMAGE_DIGEST_BYTES];
    const struct image_blob blob = blob_of(1000, digest);
    struct error err = { 0 };
    int64_t offset = -1;
    (void)state;
    assert_false(image_upload_add(&directory, &blob, 0, part(1, 1000), &offset, &err));
    assert_int_equal(err.code, ERROR_DATA_LOSS);
    assert_int_equal(offset, -1);
    assert_int_equal(count_uploads(), 0);
    assert_true(image_upload_add(&directory, &blob, 0, part(0, 1000), &offset, &err));
    assert_int_equal(offset, 1000);
    remove_uploads();
}

static void one_that_lies_about_the_size_harms_nobody(void **state)
{
    char digest[IMAGE_DIGEST_BYTES];
    const struct image_blob blob = blob_of(1000, digest);
    const struct image_blob liar = { digest, 5000, "" };
    struct error err = { 0 };
    int64_t offset = -1;
    (void)state;
    assert_true(image_upload_add(&directory, &liar, 0, part(0, 3000), &offset, &err));
    assert_int_equal(image_upload_offset(&directory, &blob), 0);
    assert_true(image_upload_add(&directory, &blob, 0, part(0, 1000), &offset, &err));
    assert_int_equal(offset, 1000);
    remove_uploads();
}

static void a_full_disk_says_what_is_needed_and_loses_nothing(void **state)
{
    char digest[IMAGE_DIGEST_BYTES];
    const struct image_blob blob = blob_of(sizeof content, digest);
    struct error err = { 0 };
    int64_t offset = 0;
    (void)state;
    while (image_upload_add(&directory, &blob, offset, part((size_t)offset, MB / 2), &offset, &err))
        assert_true(offset < blob.bytes);
    assert_int_equal(err.code, ERROR_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(err.message, folder));
    assert_non_null(strstr(err.message, "is full: 0.0 MB are free, and the blob needs 1."));
    assert_true(image_upload_offset(&directory, &blob) >= offset);
    assert_true(offset >= 2 * (int64_t)MB);
    remove_uploads();
}

static const struct bad_case {
    const char *name;
    int64_t offset;
    size_t len;
} bad_cases[] = {
    { "before the beginning", -1, 1 },
    { "behind the end", 1001, 0 },
    { "over the end", 999, 2 },
    { "more than a chunk", 0, MB + 1 },
};

static void refuses(void **state)
{
    const struct bad_case *c = *state;
    char digest[IMAGE_DIGEST_BYTES];
    const struct image_blob blob = blob_of(c->len > MB ? 2 * MB : 1000, digest);
    struct error err = { 0 };
    int64_t offset = -7;
    assert_false(image_upload_add(&directory, &blob, c->offset, part(0, c->len), &offset, &err));
    assert_int_equal(err.code, ERROR_INVALID_ARGUMENT);
    assert_int_equal(offset, -7);
    assert_int_equal(count_uploads(), 0);
}

struct sender {
    pthread_t thread;
    struct image_blob blob;
    bool ok;
};

static void *send_all(void *user)
{
    struct sender *sender = user;
    struct error err;
    int64_t offset = 0;
    sender->ok = true;
    while (sender->ok && offset < sender->blob.bytes) {
        size_t left = (size_t)(sender->blob.bytes - offset), len = left < 10000 ? left : 10000;
        sender->ok = image_upload_add(&directory, &sender->blob, offset, part((size_t)offset, len),
                                      &offset, &err);
    }
    return NULL;
}

static void two_may_send_the_same(void **state)
{
    char digest[IMAGE_DIGEST_BYTES];
    struct sender senders[4];
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        senders[i].blob = blob_of(MB, digest);
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        pthread_join(senders[i].thread, NULL);
    for (size_t i = 0; i < 4; i++)
        assert_true(senders[i].ok);
    assert_int_equal(count_uploads(), 1);
    remove_uploads();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_may_come_again_and_too_early),
        cmocka_unit_test(a_lie_is_dropped_when_it_is_whole),
        cmocka_unit_test(one_that_lies_about_the_size_harms_nobody),
        cmocka_unit_test(two_may_send_the_same),
        cmocka_unit_test(a_full_disk_says_what_is_needed_and_loses_nothing),
    };
    if (getuid() != 0)
        return 77;
    if (set_up(NULL) < 0)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL) + RUN_CASES(bad_cases, refuses);
    return failed + (tear_down(NULL) < 0);
}
