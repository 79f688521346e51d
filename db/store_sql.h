/* What the store's files share: the engine's handle, prepared statements, binding and reading.
 * Private to db/. */
#pragma once

#include "sql.h"
#include "store.h"

#include <sqlite3.h>

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    int64_t seen_version; /* PRAGMA data_version at the last look */
    sqlite3_stmt *version;
    char error[256];
    bool has_audit_key;
    uint8_t audit_key[32]; /* seals the head of the audit log */
};

/* The prepared statement, reset, with parameters bound from the first on. `types` has a letter per
 * parameter: t text (NULL: SQL NULL), i int64_t, b blob (pointer, size_t), a struct addr * (NULL:
 * SQL NULL). Text and blobs must stay until the statement has run. */
sqlite3_stmt *store_bind(struct store *store, enum sql query, const char *types, ...);

/* Runs a statement that gives no rows. OK, EXISTS (unique), NONE (foreign key), FAILED. */
enum store_result store_run(struct store *store, sqlite3_stmt *statement);
/* The same, and NONE-or-what-you-say when no row was touched. */
enum store_result store_run_some(struct store *store, sqlite3_stmt *statement,
                                 enum store_result none);
/* Steps to the next row: OK, NONE (no more; reset), FAILED (reset). */
enum store_result store_step(struct store *store, sqlite3_stmt *statement);

/* Runs a statement and gives each row to `read`, which fills the caller's `row`, and then that to
 * `each`, which ends it by another answer than 0. OK, also without any row, or FAILED, perhaps
 * after some rows. */
enum store_result store_each(struct store *store, sqlite3_stmt *statement, void *row,
                             void (*read)(sqlite3_stmt *statement, void *row),
                             int (*each)(void *owner, const void *row), void *owner);
/* One row: OK, or NONE or FAILED with `row` as it was. */
enum store_result store_one(struct store *store, sqlite3_stmt *statement, void *row,
                            void (*read)(sqlite3_stmt *statement, void *row));

/* NULL is "", what is too long is cut. */
void store_column_text(sqlite3_stmt *statement, int column, char *to, size_t size);
/* How many bytes it has; 0 with `to` untouched where it is NULL, empty or too long. */
size_t store_column_blob(sqlite3_stmt *statement, int column, uint8_t *to, size_t size);
/* False where it is NULL, which gives all zero, or of another size. */
bool store_column_addr(sqlite3_stmt *statement, int column, struct addr *to);

enum store_result store_fail(struct store *store); /* notes the engine's words; STORE_FAILED */
/* What to do about the engine's last error: ": …", or "" when nobody can do anything about it. */
const char *store_advice(sqlite3 *db);

/* Brings the schema up to date; see migrate.c. */
enum store_result store_migrate(struct store *store, const char *path, enum store_open_mode mode,
                                char *why, size_t size);
/* A whole copy of the database, which is of this version, beside it; `why` gets words. */
bool store_back_up(struct store *store, const char *path, int version, char *why, size_t size);

void store_read_desktop(sqlite3_stmt *statement, void *row); /* a struct store_desktop */
