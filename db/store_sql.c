#include "store_sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *store_advice(sqlite3 *db)
{
    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ": stop the gateway and restore your backup with 'deskgate restore'";
    case SQLITE_FULL:
        return ": make room on the disk of the state folder";
    case SQLITE_IOERR:
        return ": the disk of the state folder is full or failing";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return ": the gateway's user must be able to read and write it and its folder";
    case SQLITE_BUSY:
    case SQLITE_PROTOCOL: /* the same, for the locks of the log in front of it */
        return ": another program holds it";
    default:
        return "";
    }
}

enum store_result store_fail(struct store *store)
{
    snprintf(store->error, sizeof(store->error), "%s%s", sqlite3_errmsg(store->db),
             store_advice(store->db));
    return STORE_FAILED;
}

static void bind_one(sqlite3_stmt *statement, int at, char type, va_list *arguments)
{
    switch (type) {
    case 't': {
        const char *text = va_arg(*arguments, const char *);
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
        break;
    }
    case 'i':
        sqlite3_bind_int64(statement, at, va_arg(*arguments, int64_t));
        break;
    case 'b': {
        const void *data = va_arg(*arguments, const void *);
        size_t size = va_arg(*arguments, size_t);
        sqlite3_bind_blob64(statement, at, data, size, SQLITE_STATIC);
        break;
    }
    default: { /* 'a' */
        const struct addr *addr = va_arg(*arguments, const struct addr *);
        if (addr)
            sqlite3_bind_blob(statement, at, addr->bytes, sizeof(addr->bytes), SQLITE_STATIC);
        else
            sqlite3_bind_null(statement, at);
        break;
    }
    }
}

sqlite3_stmt *store_bind(struct store *store, enum sql query, const char *types, ...)
{
    sqlite3_stmt *statement = store->statements[query];
    va_list arguments;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    va_start(arguments, types);
    for (int i = 0; types[i]; i++)
        bind_one(statement, i + 1, types[i], &arguments);
    va_end(arguments);
    return statement;
}

/* Releases the statement at once: bound secrets and read locks do not linger. */
static void done(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

static enum store_result verdict(struct store *store)
{
    switch (sqlite3_extended_errcode(store->db)) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        return STORE_EXISTS;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return STORE_NONE;
    default:
        return store_fail(store);
    }
}

enum store_result store_run(struct store *store, sqlite3_stmt *statement)
{
    enum store_result result = sqlite3_step(statement) == SQLITE_DONE ? STORE_OK : verdict(store);
    done(statement);
    return result;
}

enum store_result store_run_some(struct store *store, sqlite3_stmt *statement,
                                 enum store_result none)
{
    enum store_result result = store_run(store, statement);
    return result == STORE_OK && sqlite3_changes64(store->db) == 0 ? none : result;
}

enum store_result store_step(struct store *store, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return STORE_OK;
    enum store_result result = code == SQLITE_DONE ? STORE_NONE : store_fail(store);
    done(statement);
    return result;
}

enum store_result store_each(struct store *store, sqlite3_stmt *statement, void *row,
                             void (*read)(sqlite3_stmt *statement, void *row),
                             int (*each)(void *owner, const void *row), void *owner)
{
    enum store_result result;
    while ((result = store_step(store, statement)) == STORE_OK) {
        read(statement, row);
        if (each(owner, row)) {
            done(statement);
            return STORE_OK;
        }
    }
    return result == STORE_NONE ? STORE_OK : result;
}

enum store_result store_one(struct store *store, sqlite3_stmt *statement, void *row,
                            void (*read)(sqlite3_stmt *statement, void *row))
{
    enum store_result result = store_step(store, statement);
    if (result != STORE_OK)
        return result;
    read(statement, row);
    done(statement);
    return STORE_OK;
}

void store_column_text(sqlite3_stmt *statement, int column, char *to, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    text_copy(to, size, text ? text : "");
}

size_t store_column_blob(sqlite3_stmt *statement, int column, uint8_t *to, size_t size)
{
    const void *data = sqlite3_column_blob(statement, column);
    size_t length = (size_t)sqlite3_column_bytes(statement, column);
    if (!data || length > size)
        return 0;
    memcpy(to, data, length);
    return length;
}

bool store_column_addr(sqlite3_stmt *statement, int column, struct addr *to)
{
    memset(to, 0, sizeof(*to));
    return store_column_blob(statement, column, to->bytes, sizeof(to->bytes)) == sizeof(to->bytes);
}
