#include "store_sql.h"

static void read_group(sqlite3_stmt *s, void *row)
{
    struct store_group *group = row;
    group->id = sqlite3_column_int64(s, 0);
    store_column_text(s, 1, group->name, sizeof(group->name));
    group->members = sqlite3_column_int64(s, 2);
}

enum store_result store_group_add(struct store *store, const char *name, int64_t *id)
{
    enum store_result result = store_run(store, store_bind(store, SQL_GROUP_ADD, "t", name));
    if (result == STORE_OK)
        *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

enum store_result store_group_by_name(struct store *store, const char *name,
                                      struct store_group *out)
{
    return store_one(store, store_bind(store, SQL_GROUP_BY_NAME, "t", name), out, read_group);
}

enum store_result store_group_remove(struct store *store, int64_t id)
{
    return store_run_some(store, store_bind(store, SQL_GROUP_REMOVE, "i", id), STORE_NONE);
}

enum store_result store_group_join(struct store *store, int64_t group, int64_t user)
{
    return store_run(store, store_bind(store, SQL_GROUP_JOIN, "ii", group, user));
}

enum store_result store_group_leave(struct store *store, int64_t group, int64_t user)
{
    return store_run_some(store, store_bind(store, SQL_GROUP_LEAVE, "ii", group, user), STORE_NONE);
}

struct group_each {
    int (*each)(void *owner, const struct store_group *group);
    void *owner;
};

static int each_group(void *owner, const void *row)
{
    struct group_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_group_list(struct store *store,
                                   int (*each)(void *owner, const struct store_group *),
                                   void *owner)
{
    struct group_each call = {each, owner};
    struct store_group group;
    return store_each(store, store_bind(store, SQL_GROUP_LIST, ""), &group, read_group, each_group,
                      &call);
}
