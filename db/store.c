#include "store_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000
#define WAL_RETRY_MS 10

/* Made by us, so that it is never readable by others, not even for a moment; SQLite gives its -wal
 * and -shm files the same mode and owner. */
static enum store_result make_file(const char *path, enum store_open_mode mode, char *why,
                                   size_t size)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there && st.st_size == 0 && mode != STORE_CREATE) {
        snprintf(why, size,
                 "%s is empty: restore your backup with 'deskgate restore'; for a new start remove "
                 "the file and run 'deskgate init'",
                 path);
        return STORE_FAILED;
    }
    if (there)
        return STORE_OK;
    if (mode != STORE_CREATE) {
        snprintf(why, size,
                 "there is no database at %s: restore your backup with 'deskgate restore', or make "
                 "an empty one with 'deskgate init'",
                 path);
        return STORE_MISSING;
    }
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST) {
        snprintf(why, size, "%s cannot be made: %s", path, strerror(errno));
        return STORE_FAILED;
    }
    if (fd >= 0)
        close(fd);
    return STORE_OK;
}

/* The one change for which SQLite does not call its busy handler: it would wait for itself when two
 * make the same new database. */
static bool enter_wal(struct store *store)
{
    int code = SQLITE_BUSY;
    for (int waited = 0; code == SQLITE_BUSY && waited < BUSY_MS; waited += WAL_RETRY_MS) {
        if (waited)
            usleep(WAL_RETRY_MS * 1000);
        code = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL;", NULL, NULL, NULL) & 0xff;
    }
    return code == SQLITE_OK;
}

static bool set_up(struct store *store)
{
    static const char pragmas[] =
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
        "PRAGMA cell_size_check = ON;";
    sqlite3_extended_result_codes(store->db, 1);
    return sqlite3_busy_timeout(store->db, BUSY_MS) == SQLITE_OK &&
           sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
           enter_wal(store) && sqlite3_exec(store->db, pragmas, NULL, NULL, NULL) == SQLITE_OK;
}

static bool prepare_all(struct store *store)
{
    for (int i = 0; i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(store->db, sql_queries[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[i], NULL) != SQLITE_OK)
            return false;
    }
    return sqlite3_prepare_v3(store->db, "PRAGMA data_version", -1, SQLITE_PREPARE_PERSISTENT,
                              &store->version, NULL) == SQLITE_OK;
}

enum store_result store_open(struct store **out, const char *path, enum store_open_mode mode,
                             char *why, size_t size)
{
    enum store_result result = make_file(path, mode, why, size);
    if (result != STORE_OK)
        return result;
    struct store *store = calloc(1, sizeof(*store));
    if (!store) {
        snprintf(why, size, "%s: out of memory", path);
        return STORE_FAILED;
    }
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        !set_up(store)) {
        snprintf(why, size, "%s: %s%s", path, sqlite3_errmsg(store->db), store_advice(store->db));
        result = STORE_FAILED;
    }
    if (result == STORE_OK && sqlite3_db_readonly(store->db, "main") == 1) {
        snprintf(why, size,
                 "%s may only be read: the gateway's user must be able to read and write it and "
                 "its folder",
                 path);
        result = STORE_FAILED;
    }
    if (result == STORE_OK)
        result = store_migrate(store, path, mode, why, size);
    if (result == STORE_OK && !prepare_all(store)) {
        snprintf(why, size, "%s: %s%s", path, sqlite3_errmsg(store->db), store_advice(store->db));
        result = STORE_FAILED;
    }
    if (result != STORE_OK) {
        store_close(store);
        return result;
    }
    store_changed(store);
    *out = store;
    return STORE_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_finalize(store->version);
    sqlite3_close(store->db);
    explicit_bzero(store->audit_key, sizeof(store->audit_key));
    free(store);
}

const char *store_error(const struct store *store)
{
    return store->error;
}

bool store_moved(struct store *store)
{
    int moved = 0;
    return sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
           moved;
}

bool store_changed(struct store *store)
{
    int64_t version = store->seen_version;
    sqlite3_reset(store->version);
    if (sqlite3_step(store->version) == SQLITE_ROW)
        version = sqlite3_column_int64(store->version, 0);
    sqlite3_reset(store->version);
    bool changed = version != store->seen_version;
    store->seen_version = version;
    return changed;
}

/* The first row of a check that is not as it should be, into `why`. */
static enum store_result check(struct store *store, const char *sql, const char *good, char *why,
                               size_t size)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        snprintf(why, size, "%s", sqlite3_errmsg(store->db));
        return store_fail(store);
    }
    enum store_result result = STORE_OK;
    int code = sqlite3_step(statement);
    const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        snprintf(why, size, "%s", sqlite3_errmsg(store->db));
        result = store_fail(store);
    } else if (code == SQLITE_ROW && (!good || !text || strcmp(text, good) != 0)) {
        snprintf(why, size, "%s", text ? text : "a row points to nothing");
        text_copy(store->error, sizeof(store->error), why);
        result = STORE_FAILED;
    }
    sqlite3_finalize(statement);
    return result;
}

enum store_result store_check(struct store *store, char *why, size_t size)
{
    enum store_result result = check(store, "PRAGMA integrity_check(1)", "ok", why, size);
    return result == STORE_OK ? check(store, "PRAGMA foreign_key_check", NULL, why, size) : result;
}

static enum store_result execute(struct store *store, const char *sql)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? STORE_OK
                                                                       : store_fail(store);
}

enum store_result store_begin(struct store *store)
{
    return execute(store, "BEGIN IMMEDIATE");
}

enum store_result store_commit(struct store *store)
{
    enum store_result result = execute(store, "COMMIT");
    if (result != STORE_OK)
        store_rollback(store);
    return result;
}

void store_rollback(struct store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}
