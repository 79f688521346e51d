#include "store_sql.h"

/* Who and what as the first four parameters: person, group of people, desktop, group of desktops;
 * two of them 0. */
#define KEY(key)                                                                                   \
    (int64_t)((key)->group ? 0 : (key)->who), (int64_t)((key)->group ? (key)->who : 0),            \
        (int64_t)((key)->desktops ? 0 : (key)->what), (int64_t)((key)->desktops ? (key)->what : 0)

enum store_result store_grant_add(struct store *store, const struct store_grant_key *key)
{
    return store_run(store, store_bind(store, SQL_GRANT_ADD, "iiii", KEY(key)));
}

enum store_result store_grant_remove(struct store *store, const struct store_grant_key *key)
{
    return store_run_some(store, store_bind(store, SQL_GRANT_REMOVE, "iiii", KEY(key)), STORE_NONE);
}

enum store_result store_granted(struct store *store, int64_t user, const char *desktop,
                                struct store_desktop *out)
{
    return store_one(store, store_bind(store, SQL_GRANTED, "it", user, desktop), out,
                     store_read_desktop);
}

/* ---- terms ---- */

static void read_terms(sqlite3_stmt *s, int column, struct store_terms *terms)
{
    terms->valid_from = sqlite3_column_int64(s, column);
    terms->valid_until = sqlite3_column_int64(s, column + 1);
    store_column_text(s, column + 2, terms->hours, sizeof(terms->hours));
}

static void read_key_terms(sqlite3_stmt *s, void *row)
{
    read_terms(s, 0, row);
}

enum store_result store_grant_terms(struct store *store, const struct store_grant_key *key,
                                    struct store_terms *out)
{
    return store_one(store, store_bind(store, SQL_GRANT_TERMS, "iiii", KEY(key)), out,
                     read_key_terms);
}

enum store_result store_grant_set_terms(struct store *store, const struct store_grant_key *key,
                                        const struct store_terms *terms)
{
    return store_run_some(store,
                          store_bind(store, SQL_GRANT_SET_TERMS, "iiiiiit", KEY(key),
                                     terms->valid_from, terms->valid_until, terms->hours),
                          STORE_NONE);
}

/* ---- lists ---- */

static void read_grant(sqlite3_stmt *s, void *row)
{
    struct store_grant *grant = row;
    grant->group = sqlite3_column_int(s, 0) != 0;
    store_column_text(s, 1, grant->who, sizeof(grant->who));
    grant->desktops = sqlite3_column_int(s, 2) != 0;
    store_column_text(s, 3, grant->what, sizeof(grant->what));
    read_terms(s, 4, &grant->terms);
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

enum store_result store_grant_list_for(struct store *store, int64_t user, int64_t desktop,
                                       int (*each)(void *owner, const struct store_grant *),
                                       void *owner)
{
    struct grant_each call = {each, owner};
    struct store_grant grant;
    return store_each(store, store_bind(store, SQL_GRANT_LIST_FOR, "ii", user, desktop), &grant,
                      read_grant, each_grant, &call);
}
