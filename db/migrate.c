/* The schema's version is PRAGMA user_version: the number of steps (db/schema) that have been
 * taken. Each step is one transaction with its new version in it, so a crash leaves a whole
 * version. Two processes may come at once: each looks at the version again with the write lock in
 * hand. */
#include "store_audit_sql.h"
#include "store_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AUDIT_CHAIN_STEP 8 /* the rows of the audit log before it get their links */

static int version_of(struct store *store)
{
    sqlite3_stmt *statement;
    int version = -1;
    if (sqlite3_prepare_v2(store->db, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

/* A whole copy beside the file: "….before-v3". Left alone when it is there already (another process
 * is at the same step, or an earlier try was cut short after it). */
static bool back_up(struct store *store, const char *path, int to_version)
{
    char copy[4096];
    sqlite3_stmt *statement;
    if ((size_t)snprintf(copy, sizeof(copy), "%s.before-v%d", path, to_version) >= sizeof(copy))
        return false;
    int fd = open(copy, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST;
    close(fd); /* VACUUM INTO fills an empty file, and keeps its mode */
    if (sqlite3_prepare_v2(store->db, "VACUUM INTO ?1", -1, &statement, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(statement, 1, copy, -1, SQLITE_STATIC);
    bool made = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_finalize(statement);
    if (!made)
        unlink(copy);
    return made;
}

/* One step, unless another process has taken it meanwhile. */
static bool take_step(struct store *store, int from)
{
    char set_version[40];
    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d", from + 1);
    if (sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return false;
    bool good = true;
    if (version_of(store) == from)
        good = sqlite3_exec(store->db, sql_steps[from], NULL, NULL, NULL) == SQLITE_OK &&
               (from + 1 != AUDIT_CHAIN_STEP || store_audit_link_all(store->db)) &&
               sqlite3_exec(store->db, set_version, NULL, NULL, NULL) == SQLITE_OK;
    if (good && sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return true;
    store_fail(store); /* before the rollback changes the words */
    store_rollback(store);
    return false;
}

enum store_result store_migrate(struct store *store, const char *path, char *why, size_t size)
{
    int version = version_of(store);
    if (version < 0) {
        snprintf(why, size, "%s: %s", path, sqlite3_errmsg(store->db));
        return STORE_FAILED;
    }
    if (version > SQL_STEPS) {
        snprintf(why, size,
                 "%s was written by a newer deskgate (schema %d, this program knows %d): install "
                 "that version, or restore the backup from before the upgrade",
                 path, version, SQL_STEPS);
        return STORE_NEWER;
    }
    if (version > 0 && version < SQL_STEPS && !back_up(store, path, SQL_STEPS)) {
        snprintf(why, size, "%s: the backup before the upgrade failed: %s", path,
                 sqlite3_errmsg(store->db));
        return STORE_FAILED;
    }
    while (version >= 0 && version < SQL_STEPS) {
        if (!take_step(store, version)) {
            snprintf(why, size, "%s: the upgrade to schema %d failed: %s", path, version + 1,
                     store->error);
            return STORE_FAILED;
        }
        version = version_of(store);
    }
    return STORE_OK;
}
