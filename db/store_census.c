#include "store_sql.h"

static void read_census(sqlite3_stmt *s, void *row)
{
    struct store_census *census = row;
    census->sessions = (uint32_t)sqlite3_column_int64(s, 0);
    census->people = (uint32_t)sqlite3_column_int64(s, 1);
    census->disabled = (uint32_t)sqlite3_column_int64(s, 2);
    census->desktops = (uint32_t)sqlite3_column_int64(s, 3);
}

enum store_result store_census(struct store *store, int64_t now, int64_t idle_before,
                               struct store_census *out)
{
    return store_one(store, store_bind(store, SQL_CENSUS, "ii", now, idle_before), out,
                     read_census);
}
