#include "scheduler/store.h"

#include "base/cleanup.h"

#include "unit/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The store on a real disk. */

static char folder[] = "/tmp/eos-store.XXXXXX";
static char inner[64];

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    snprintf(inner, sizeof inner, "%s/a/state", folder); /* it is made when absent */
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* -- helpers -------------------------------------------------------------------------------------- */

static struct store *must_open(void)
{
    struct error err = { 0 };
    struct store *store = store_open(inner, &err);
    if (!store)
        fail_msg("%s", err.message);
    return store;
}

static struct record put(const char *key, const char *value)
{
    return (struct record){ ENTITY_TASK, slice_of(key), slice_of(value) };
}

static void must_append(struct store *store, const struct record *records, size_t count)
{
    struct error err;
    assert_true(store_append(store, records, count, &err));
}

struct contents {
    char text[512]; /* the values, each with a comma behind it */
    size_t len;
};

static bool add_value(void *ctx, enum entity_kind kind, struct slice value, struct error *err)
{
    struct contents *contents = ctx;
    (void)kind;
    (void)err;
    contents->len +=
        (size_t)snprintf(contents->text + contents->len, sizeof contents->text - contents->len,
                         "%.*s,", SLICE_ARG(value));
    return true;
}

static struct contents contents_of(struct store *store)
{
    struct contents contents = { .len = 0 };
    struct error err;
    assert_true(store_load(store, add_value, &contents, &err));
    return contents;
}

static void run_sql(const char *sql)
{
    char path[128];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/state.db", inner);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void must_refuse(enum error_code code, const char *message)
{
    struct error err = { 0 };
    struct store *store = store_open(inner, &err);
    assert_null(store);
    assert_int_equal(err.code, code);
    if (!strstr(err.message, message))
        fail_msg("\"%s\" lacks \"%s\"", err.message, message);
}

/* -- tests ---------------------------------------------------------------------------------------- */

static void keeps_what_was_appended(void **state)
{
    (void)state;
    struct store *store = must_open();
    struct record first[] = { put("b", "1"), put("a", "2"), put("c", "3") };
    struct record second[] = { put("a", "4"),
                               { ENTITY_TASK, SLICE("c"), { NULL, 0 } },
                               { ENTITY_JOB, SLICE("z"), SLICE("5") },
                               put("b", "6"),
                               put("b", "") };
    must_append(store, first, 3);
    assert_string_equal(contents_of(store).text, "2,1,3,");
    must_append(store, second, 5);
    store_close(store);
    store = must_open();
    assert_string_equal(contents_of(store).text, "5,4,,"); /* by kind, then by key */
    store_close(store);
}

static void is_for_one_process(void **state)
{
    (void)state;
    struct store *store = must_open();
    must_refuse(ERROR_FAILED_PRECONDITION, "in use by another scheduler");
    store_close(store);
    store_close(must_open());
}

static void a_later_version_is_refused(void **state)
{
    (void)state;
    store_close(must_open());
    run_sql("PRAGMA user_version=2");
    must_refuse(ERROR_FAILED_PRECONDITION, "has version 2, but");
    run_sql("PRAGMA user_version=1");
    store_close(must_open());
}

static void another_database_is_refused(void **state)
{
    (void)state;
    store_close(must_open());
    run_sql("PRAGMA application_id=1");
    must_refuse(ERROR_DATA_LOSS, "is not a scheduler's state");
}

static void overwrite(off_t at, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/state.db", inner);
    cleanup_close int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(pwrite(fd, "\xa5", 1, at + (off_t)i), 1);
}

static void a_damaged_file_is_refused(void **state)
{
    (void)state;
    struct store *store = must_open();
    char key[16], value[1000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "%d", i);
        struct record record = put(key, value);
        must_append(store, &record, 1);
    }
    store_close(store);
    overwrite(3 * 4096, 64); /* the head of a page */
    must_refuse(ERROR_DATA_LOSS, "");
}

static void garbage_is_refused(void **state)
{
    (void)state;
    store_close(must_open());
    overwrite(0, 100);
    must_refuse(ERROR_DATA_LOSS, "not a database");
}

static void a_snapshot_is_whole(void **state)
{
    (void)state;
    struct store *store = must_open();
    struct record record = put("a", "1");
    char path[128], copy[128];
    struct error err;
    must_append(store, &record, 1);
    snprintf(path, sizeof path, "%s/copy", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(copy, sizeof copy, "%s/copy/state.db", folder);
    assert_true(store_snapshot(store, copy, &err));
    assert_false(store_snapshot(store, copy, &err)); /* it does not overwrite */
    store_close(store);
    store = store_open(path, &err);
    assert_non_null(store);
    assert_string_equal(contents_of(store).text, "1,");
    store_close(store);
}

/* Appends pairs of records until it is killed, and tells on `out` of each pair that is on disk. */
static void write_until_killed(int out)
{
    struct error err;
    struct store *store = store_open(inner, &err);
    for (char round = 0; store; round = (char)((round + 1) % 100)) {
        char value[2] = { (char)('0' + round % 10), 0 };
        struct record pair[] = { put("a", value), put("b", value) };
        if (!store_append(store, pair, 2, &err) || write(out, value, 1) != 1)
            break;
    }
    _exit(1);
}

static void nothing_is_torn_or_lost_by_a_kill(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        int pipe_fds[2];
        char last = 0, seen[4096];
        assert_int_equal(pipe(pipe_fds), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            write_until_killed(pipe_fds[1]);
        close(pipe_fds[1]);
        for (int i = 0; i < 1 + round; i++)
            assert_int_equal(read(pipe_fds[0], &last, 1), 1);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        for (ssize_t n; (n = read(pipe_fds[0], seen, sizeof seen)) > 0;)
            last = seen[n - 1];
        close(pipe_fds[0]);

        struct store *store = must_open();
        struct contents contents = contents_of(store);
        store_close(store);
        assert_int_equal(contents.len, 4);
        assert_int_equal(contents.text[0], contents.text[2]);
        bool is_next = contents.text[0] == '0' + (last - '0' + 1) % 10;
        assert_true(contents.text[0] == last || is_next);
    }
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(keeps_what_was_appended),    STORE_TEST(is_for_one_process),
        STORE_TEST(a_later_version_is_refused), STORE_TEST(another_database_is_refused),
        STORE_TEST(a_damaged_file_is_refused),  STORE_TEST(garbage_is_refused),
        STORE_TEST(a_snapshot_is_whole),        STORE_TEST(nothing_is_torn_or_lost_by_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
