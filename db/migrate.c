/* The schema's version is PRAGMA user_version: the number of steps (db/schema) that have been
 * taken. Each step is one transaction with its new version in it, so a crash leaves a whole
 * version. Two processes may come at once: each looks at the version again with the write lock in
 * hand.
 *
 * A step that only adds (its file begins with "-- additive") may be taken while a program that does
 * not know it has the database open, and such a program may open it later, too. PRAGMA
 * application_id is the least version that a program must know; 0 means all steps that there are,
 * since it has been kept from version 10 on. */
#include "store_audit_sql.h"
#include "store_sql.h"

#include <stdio.h>

#define AUDIT_CHAIN_STEP 8 /* the rows of the audit log before it get their links */

static int number_of(struct store *store, const char *pragma)
{
    sqlite3_stmt *statement;
    int number = -1;
    if (sqlite3_prepare_v2(store->db, pragma, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

static int version_of(struct store *store)
{
    return number_of(store, "PRAGMA user_version");
}

/* Of the database as it is, or with the step behind `from`: what a program must know. */
static int least_of(struct store *store, int version)
{
    int least = number_of(store, "PRAGMA application_id");
    return least > 0 ? least : version;
}

/* The step that leads on from this version only adds. */
static bool step_adds(int from)
{
    return sql_additive[from] != 0;
}

/* One step, unless another process has taken it meanwhile. */
static bool take_step(struct store *store, int from)
{
    char set_version[96];
    int least = step_adds(from) ? least_of(store, from) : from + 1;
    snprintf(set_version, sizeof(set_version),
             "PRAGMA user_version = %d; PRAGMA application_id = %d", from + 1, least);
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

/* Whether the steps that are missing would hurt whoever has the database open. */
static bool only_adds(int version)
{
    while (version < SQL_STEPS && step_adds(version))
        version++;
    return version == SQL_STEPS;
}

enum store_result store_migrate(struct store *store, const char *path, enum store_open_mode mode,
                                char *why, size_t size)
{
    int version = version_of(store);
    if (version < 0) {
        snprintf(why, size, "%s: %s%s", path, sqlite3_errmsg(store->db), store_advice(store->db));
        return STORE_FAILED;
    }
    if (version == 0 && mode != STORE_CREATE) {
        snprintf(why, size,
                 "%s is not a database of deskgate: restore your backup with 'deskgate restore'",
                 path);
        return STORE_FAILED;
    }
    if (version > SQL_STEPS && least_of(store, version) <= SQL_STEPS)
        return STORE_OK; /* what is newer only adds */
    if (mode == STORE_IN_COMPANY && version < SQL_STEPS && !only_adds(version)) {
        snprintf(why, size,
                 "%s needs changes that the program which runs could not live with (schema %d to "
                 "%d): a restart makes them, with a backup first",
                 path, version, SQL_STEPS);
        return STORE_NEWER;
    }
    if (version > SQL_STEPS) {
        snprintf(why, size,
                 "%s was written by a newer deskgate (schema %d, this program knows %d): install "
                 "that version, or restore the backup from before the upgrade",
                 path, version, SQL_STEPS);
        return STORE_NEWER;
    }
    if (version > 0 && version < SQL_STEPS && !store_back_up(store, path, version, why, size))
        return STORE_FAILED;
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
