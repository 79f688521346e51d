#include "store_backup.h"

#include "store_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store_backup {
    sqlite3 *db;
    char error[256];
};

static enum store_result fail(struct store_backup *backup)
{
    text_copy(backup->error, sizeof(backup->error), sqlite3_errmsg(backup->db));
    return STORE_FAILED;
}

static enum store_result execute(struct store_backup *backup, const char *sql)
{
    return sqlite3_exec(backup->db, sql, NULL, NULL, NULL) == SQLITE_OK ? STORE_OK : fail(backup);
}

/* VACUUM INTO: like SQLite's backup interface one moment's copy while others write, and without the
 * pages in which deleted secrets may still stand. */
enum store_result store_backup_copy(struct store *store, const char *path)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(store->db, "VACUUM INTO ?1", -1, &statement, NULL) != SQLITE_OK)
        return store_fail(store);
    sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
    enum store_result result =
        sqlite3_step(statement) == SQLITE_DONE ? STORE_OK : store_fail(store);
    sqlite3_finalize(statement);
    return result;
}

/* One row of text, "ok" when all is well. */
static bool is_whole(struct store_backup *backup)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(backup->db, "PRAGMA integrity_check(1)", -1, &statement, NULL) !=
        SQLITE_OK)
        return false;
    bool whole = sqlite3_step(statement) == SQLITE_ROW &&
                 strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
    sqlite3_finalize(statement);
    return whole;
}

enum store_result store_backup_open(struct store_backup **out, const char *path, bool made,
                                    char *why, size_t size)
{
    static const char tables[] =
        "BEGIN;"
        "CREATE TABLE backup_about (made_at INTEGER NOT NULL, version TEXT NOT NULL) STRICT;"
        "CREATE TABLE backup_files (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;";
    struct store_backup *backup = calloc(1, sizeof(*backup));
    if (!backup) {
        snprintf(why, size, "out of memory");
        return STORE_FAILED;
    }
    bool good = sqlite3_open_v2(path, &backup->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                NULL) == SQLITE_OK &&
                sqlite3_db_config(backup->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
                execute(backup, "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;"
                                "PRAGMA cell_size_check = ON;") == STORE_OK &&
                (!made || execute(backup, tables) == STORE_OK);
    if (good && !made && !is_whole(backup)) {
        snprintf(why, size, "the database in it is damaged");
        store_backup_close(backup);
        return STORE_FAILED;
    }
    if (!good) {
        snprintf(why, size, "%s", sqlite3_errmsg(backup->db));
        store_backup_close(backup);
        return STORE_FAILED;
    }
    *out = backup;
    return STORE_OK;
}

void store_backup_close(struct store_backup *backup)
{
    if (!backup)
        return;
    sqlite3_close(backup->db);
    free(backup);
}

const char *store_backup_error(const struct store_backup *backup)
{
    return backup->error;
}

static enum store_result run(struct store_backup *backup, sqlite3_stmt *statement)
{
    enum store_result result = sqlite3_step(statement) == SQLITE_DONE ? STORE_OK : fail(backup);
    sqlite3_finalize(statement);
    return result;
}

enum store_result store_backup_put(struct store_backup *backup, const char *name, const void *data,
                                   size_t size)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(backup->db, "INSERT INTO backup_files (name, data) VALUES (?1, ?2)", -1,
                           &statement, NULL) != SQLITE_OK)
        return fail(backup);
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 2, size ? data : "", size, SQLITE_STATIC);
    return run(backup, statement);
}

enum store_result store_backup_commit(struct store_backup *backup)
{
    return execute(backup, "COMMIT");
}

enum store_result store_backup_about_set(struct store_backup *backup,
                                         const struct store_backup_about *about)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(backup->db, "INSERT INTO backup_about VALUES (?1, ?2)", -1, &statement,
                           NULL) != SQLITE_OK)
        return fail(backup);
    sqlite3_bind_int64(statement, 1, about->made_at);
    sqlite3_bind_text(statement, 2, about->version, -1, SQLITE_STATIC);
    return run(backup, statement);
}

enum store_result store_backup_about(struct store_backup *backup, struct store_backup_about *out)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(backup->db, "SELECT made_at, version FROM backup_about", -1, &statement,
                           NULL) != SQLITE_OK)
        return fail(backup);
    enum store_result result = sqlite3_step(statement) == SQLITE_ROW ? STORE_OK : STORE_NONE;
    if (result == STORE_OK) {
        out->made_at = sqlite3_column_int64(statement, 0);
        store_column_text(statement, 1, out->version, sizeof(out->version));
    }
    sqlite3_finalize(statement);
    return result;
}

enum store_result store_backup_files(struct store_backup *backup,
                                     int (*each)(void *owner, const char *name, const void *data,
                                                 size_t size),
                                     void *owner)
{
    sqlite3_stmt *statement;
    enum store_result result = STORE_OK;
    int code;
    if (sqlite3_prepare_v2(backup->db, "SELECT name, data FROM backup_files ORDER BY name", -1,
                           &statement, NULL) != SQLITE_OK)
        return fail(backup);
    while (result == STORE_OK && (code = sqlite3_step(statement)) != SQLITE_DONE) {
        if (code != SQLITE_ROW) {
            result = fail(backup);
            break;
        }
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        const void *data = sqlite3_column_blob(statement, 1);
        size_t size = (size_t)sqlite3_column_bytes(statement, 1);
        if (!name || each(owner, name, size ? data : "", size) != 0)
            result = STORE_REFUSED;
    }
    sqlite3_finalize(statement);
    return result;
}

enum store_result store_backup_strip(struct store_backup *backup)
{
    return execute(backup, "DROP TABLE backup_files; DROP TABLE backup_about; VACUUM");
}

enum store_result store_backup_settle(struct store *store, int64_t now)
{
    enum store_result result = store_run(store, store_bind(store, SQL_SETTLE_SESSIONS, "i", now));
    if (result == STORE_OK)
        result = store_run(store, store_bind(store, SQL_SETTLE_TUNNELS, "i", now));
    return result == STORE_OK ? store_run(store, store_bind(store, SQL_SETTLE_INVITATIONS, ""))
                              : result;
}
