#include "store_sql.h"

enum store_result store_grant_add(struct store *store, bool group, int64_t who, int64_t desktop)
{
    enum sql query = group ? SQL_GRANT_ADD_GROUP : SQL_GRANT_ADD_USER;
    return store_run(store, store_bind(store, query, "ii", who, desktop));
}

enum store_result store_grant_remove(struct store *store, bool group, int64_t who, int64_t desktop)
{
    enum sql query = group ? SQL_GRANT_REMOVE_GROUP : SQL_GRANT_REMOVE_USER;
    return store_run_some(store, store_bind(store, query, "ii", who, desktop), STORE_NONE);
}

enum store_result store_granted(struct store *store, int64_t user, const char *desktop,
                                struct store_desktop *out)
{
    return store_one(store, store_bind(store, SQL_GRANTED, "it", user, desktop), out,
                     store_read_desktop);
}

static void read_grant(sqlite3_stmt *s, void *row)
{
    struct store_grant *grant = row;
    grant->group = sqlite3_column_int(s, 0) != 0;
    store_column_text(s, 1, grant->who, sizeof(grant->who));
    store_column_text(s, 2, grant->desktop, sizeof(grant->desktop));
}

struct grant_each {
    int (*each)(void *owner, const struct store_grant *grant);
    void *owner;
};

static int each_grant(void *owner, const void *row)
{
    struct grant_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_grant_list(struct store *store,
                                   int (*each)(void *owner, const struct store_grant *),
                                   void *owner)
{
    struct grant_each call = {each, owner};
    struct store_grant grant;
    return store_each(store, store_bind(store, SQL_GRANT_LIST, ""), &grant, read_grant, each_grant,
                      &call);
}
