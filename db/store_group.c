#include "store_sql.h"

#include <string.h>

static const struct queries {
    enum sql add, by_name, list, remove, join, leave, members, names;
} queries[] = {
    [STORE_OF_PEOPLE] = {SQL_GROUP_ADD, SQL_GROUP_BY_NAME, SQL_GROUP_LIST, SQL_GROUP_REMOVE,
                         SQL_GROUP_JOIN, SQL_GROUP_LEAVE, SQL_GROUP_MEMBERS, SQL_GROUP_NAMES},
    [STORE_OF_DESKTOPS] = {SQL_DESKTOP_GROUP_ADD, SQL_DESKTOP_GROUP_BY_NAME, SQL_DESKTOP_GROUP_LIST,
                           SQL_DESKTOP_GROUP_REMOVE, SQL_DESKTOP_GROUP_JOIN,
                           SQL_DESKTOP_GROUP_LEAVE, SQL_DESKTOP_GROUP_MEMBERS,
                           SQL_DESKTOP_GROUP_NAMES},
};

static void read_group(sqlite3_stmt *s, void *row)
{
    struct store_group *group = row;
    group->id = sqlite3_column_int64(s, 0);
    store_column_text(s, 1, group->name, sizeof(group->name));
    group->members = sqlite3_column_int64(s, 2);
}

enum store_result store_group_add(struct store *store, enum store_group_kind kind, const char *name,
                                  int64_t *id)
{
    enum store_result result = store_run(store, store_bind(store, queries[kind].add, "t", name));
    if (result == STORE_OK)
        *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

enum store_result store_group_by_name(struct store *store, enum store_group_kind kind,
                                      const char *name, struct store_group *out)
{
    return store_one(store, store_bind(store, queries[kind].by_name, "t", name), out, read_group);
}

enum store_result store_group_remove(struct store *store, enum store_group_kind kind, int64_t id)
{
    return store_run_some(store, store_bind(store, queries[kind].remove, "i", id), STORE_NONE);
}

enum store_result store_group_join(struct store *store, enum store_group_kind kind, int64_t group,
                                   int64_t member)
{
    return store_run(store, store_bind(store, queries[kind].join, "ii", group, member));
}

enum store_result store_group_leave(struct store *store, enum store_group_kind kind, int64_t group,
                                    int64_t member)
{
    return store_run_some(store, store_bind(store, queries[kind].leave, "ii", group, member),
                          STORE_NONE);
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

enum store_result store_group_list(struct store *store, enum store_group_kind kind,
                                   int (*each)(void *owner, const struct store_group *),
                                   void *owner)
{
    struct group_each call = {each, owner};
    struct store_group group;
    return store_each(store, store_bind(store, queries[kind].list, ""), &group, read_group,
                      each_group, &call);
}

static void read_member(sqlite3_stmt *s, void *row)
{
    struct store_member *member = row;
    store_column_text(s, 0, member->name, sizeof(member->name));
    member->disabled = sqlite3_column_int(s, 1) != 0;
}

struct member_each {
    int (*each)(void *owner, const struct store_member *member);
    void *owner;
};

static int each_member(void *owner, const void *row)
{
    struct member_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_group_members(struct store *store, enum store_group_kind kind,
                                      int64_t group,
                                      int (*each)(void *owner, const struct store_member *),
                                      void *owner)
{
    struct member_each call = {each, owner};
    struct store_member member;
    return store_each(store, store_bind(store, queries[kind].members, "i", group), &member,
                      read_member, each_member, &call);
}

static void read_names(sqlite3_stmt *s, void *row)
{
    char *names = row;
    store_column_text(s, 0, names, STORE_GROUP_NAMES_SIZE);
    char *last = sqlite3_column_bytes(s, 0) < STORE_GROUP_NAMES_SIZE ? NULL : strrchr(names, '\n');
    if (last) /* the last one is cut */
        *last = '\0';
}

enum store_result store_group_names(struct store *store, enum store_group_kind kind, int64_t member,
                                    char names[STORE_GROUP_NAMES_SIZE])
{
    return store_one(store, store_bind(store, queries[kind].names, "i", member), names, read_names);
}
