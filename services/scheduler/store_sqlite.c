#include "scheduler/store.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

/* The store on SQLite: one table, one transaction per batch, write-ahead log with a sync per commit.
 * SQLite's own locks would let two schedulers take turns, so a lock file keeps the second one out. */

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x456f5353 /* tells our files from other SQLite databases */

struct store {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *rollback, *put, *delete;
    int lock_fd;
};

/* -- SQLite in our terms -------------------------------------------------------------------------- */

static enum error_code code_of(int status)
{
    switch (status & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERROR_DATA_LOSS;
    case SQLITE_FULL:
        return ERROR_RESOURCE_EXHAUSTED;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return ERROR_PERMISSION_DENIED;
    default:
        return ERROR_UNAVAILABLE;
    }
}

static bool fail(const struct store *store, int status, const char *what, struct error *err)
{
    return error_set(err, code_of(status), "could not %s the state: %s", what,
                     store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(status));
}

static bool run(const struct store *store, const char *sql, const char *what, struct error *err)
{
    int status = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return status == SQLITE_OK || fail(store, status, what, err);
}

static bool prepare(struct store *store, const char *sql, sqlite3_stmt **ret_statement,
                    struct error *err)
{
    int status =
        sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);
    return status == SQLITE_OK || fail(store, status, "read", err);
}

static bool step(const struct store *store, sqlite3_stmt *statement, const char *what,
                 struct error *err)
{
    int status = sqlite3_step(statement);
    bool ok = status == SQLITE_DONE || status == SQLITE_ROW;
    if (!ok)
        fail(store, status, what, err);
    sqlite3_reset(statement);
    return ok;
}

/* The first column of the first row of a query, as a number or a text. */
static bool ask(struct store *store, const char *sql, int64_t *ret_number, bool *ret_is_ok,
                struct error *err)
{
    sqlite3_stmt *statement = NULL;
    if (!prepare(store, sql, &statement, err))
        return false;
    int status = sqlite3_step(statement);
    if (status != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return fail(store, status, "read", err);
    }
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    *ret_is_ok = text && strcmp(text, "ok") == 0;
    *ret_number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return true;
}

/* -- opening -------------------------------------------------------------------------------------- */

static bool make_folder(const char *folder, struct error *err)
{
    cleanup_free char *path = xstrdup(folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return error_set_errno(err, errno, "could not create folder \"%s\"", path);
        *slash = '/';
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set_errno(err, errno, "could not create state folder \"%s\"", path);
    return true;
}

static bool lock_folder(struct store *store, const char *folder, struct error *err)
{
    cleanup_free char *path = xasprintf("%s/lock", folder);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->lock_fd < 0)
        return error_set_errno(err, errno, "could not open \"%s\"", path);
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "state folder \"%s\" is in use by another scheduler", folder);
    return error_set_errno(err, errno, "could not lock \"%s\"", path);
}

static bool open_database(struct store *store, const char *folder, struct error *err)
{
    cleanup_free char *path = xasprintf("%s/state.db", folder);
    int status =
        sqlite3_open_v2(path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
    if (status != SQLITE_OK)
        return fail(store, status, "open", err);
    return run(store,
               "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA locking_mode=EXCLUSIVE;"
               "PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-65536;"
               "PRAGMA cell_size_check=ON",
               "open", err);
}

static bool create_schema(struct store *store, struct error *err)
{
    cleanup_free char *sql =
        xasprintf("BEGIN IMMEDIATE;"
                  "CREATE TABLE records (kind INTEGER NOT NULL, key BLOB NOT NULL,"
                  " value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;"
                  "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                  APPLICATION_ID, SCHEMA_VERSION);
    return run(store, sql, "create", err);
}

static bool check_schema(struct store *store, const char *folder, struct error *err)
{
    int64_t tables, application, version;
    bool is_ok;

    if (!ask(store, "SELECT count(*) FROM sqlite_master", &tables, &is_ok, err) ||
        !ask(store, "PRAGMA application_id", &application, &is_ok, err) ||
        !ask(store, "PRAGMA user_version", &version, &is_ok, err))
        return false;
    if (tables == 0 && application == 0 && version == 0)
        return create_schema(store, err);
    if (application != APPLICATION_ID)
        return error_set(err, ERROR_DATA_LOSS, "\"%s/state.db\" is not a scheduler's state",
                         folder);
    if (version != SCHEMA_VERSION)
        return error_set(err, ERROR_FAILED_PRECONDITION,
                         "the state in \"%s\" has version %" PRId64
                         ", but this scheduler understands version %d only",
                         folder, version, SCHEMA_VERSION);
    return true;
}

static bool check_health(struct store *store, const char *folder, struct error *err)
{
    int64_t number;
    bool is_ok;

    if (!ask(store, "PRAGMA quick_check(1)", &number, &is_ok, err))
        return false;
    if (!is_ok)
        return error_set(err, ERROR_DATA_LOSS, "the state in \"%s\" is damaged, restore a copy",
                         folder);
    return true;
}

static bool open_all(struct store *store, const char *folder, struct error *err)
{
    if (!make_folder(folder, err) || !lock_folder(store, folder, err) ||
        !open_database(store, folder, err))
        return false;
    if (!check_schema(store, folder, err) || !check_health(store, folder, err))
        return false;
    return prepare(store, "BEGIN IMMEDIATE", &store->begin, err) &&
           prepare(store, "COMMIT", &store->commit, err) &&
           prepare(store, "ROLLBACK", &store->rollback, err) &&
           prepare(store, "INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)", &store->put, err) &&
           prepare(store, "DELETE FROM records WHERE kind = ?1 AND key = ?2", &store->delete, err);
}

struct store *store_open(const char *folder, struct error *err)
{
    struct store *store = xcalloc(1, sizeof *store);
    store->lock_fd = -1;
    if (open_all(store, folder, err))
        return store;
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    sqlite3_stmt *statements[] = { store->begin, store->commit, store->rollback, store->put,
                                   store->delete };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(store->db);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store);
}

/* -- reading and writing -------------------------------------------------------------------------- */

bool store_load(struct store *store, store_take_fn *take, void *ctx, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int status;
    bool ok = true;

    if (!prepare(store, "SELECT kind, value FROM records ORDER BY kind, key", &statement, err))
        return false;
    while (ok && (status = sqlite3_step(statement)) == SQLITE_ROW) {
        struct slice value = { sqlite3_column_blob(statement, 1),
                               (size_t)sqlite3_column_bytes(statement, 1) };
        ok = take(ctx, (enum entity_kind)sqlite3_column_int(statement, 0), value, err);
    }
    if (ok && status != SQLITE_DONE)
        ok = fail(store, status, "read", err);
    sqlite3_finalize(statement);
    return ok;
}

static bool write_record(struct store *store, const struct record *record, struct error *err)
{
    sqlite3_stmt *statement = record->value.ptr ? store->put : store->delete;
    int status = sqlite3_bind_int(statement, 1, (int)record->kind);
    if (status == SQLITE_OK)
        status = sqlite3_bind_blob64(statement, 2, record->key.ptr, record->key.len, SQLITE_STATIC);
    if (status == SQLITE_OK && record->value.ptr)
        status =
            sqlite3_bind_blob64(statement, 3, record->value.ptr, record->value.len, SQLITE_STATIC);
    if (status != SQLITE_OK)
        return fail(store, status, "write", err);
    bool ok = step(store, statement, "write", err);
    sqlite3_clear_bindings(statement);
    return ok;
}

bool store_append(struct store *store, const struct record *records, size_t count,
                  struct error *err)
{
    struct error ignored;
    bool ok = step(store, store->begin, "write", err);

    for (size_t i = 0; ok && i < count; i++)
        ok = write_record(store, &records[i], err);
    if (ok)
        ok = step(store, store->commit, "write", err);
    if (!ok && !sqlite3_get_autocommit(store->db) &&
        !step(store, store->rollback, "write", &ignored))
        return false;
    return ok;
}

bool store_snapshot(struct store *store, const char *path, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    if (!prepare(store, "VACUUM INTO ?1", &statement, err))
        return false;
    sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
    bool ok = step(store, statement, "copy", err);
    sqlite3_finalize(statement);
    return ok;
}
