#include "store_sql.h"

static void read_password(sqlite3_stmt *s, void *row)
{
    struct store_password *password = row;
    store_column_text(s, 0, password->user_name, sizeof(password->user_name));
    password->size = store_column_blob(s, 1, password->sealed, sizeof(password->sealed));
}

struct password_each {
    int (*each)(void *owner, const struct store_password *password);
    void *owner;
};

static int each_password(void *owner, const void *row)
{
    struct password_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_password_list(struct store *store, const char *name, const char *other_name,
                                      int64_t now, int64_t over, unsigned most,
                                      int (*each)(void *owner, const struct store_password *),
                                      void *owner)
{
    struct password_each call = {each, owner};
    struct store_password password;
    return store_each(
        store,
        store_bind(store, SQL_PASSWORD_LIST, "ttiii", name, other_name, now, over, (int64_t)most),
        &password, read_password, each_password, &call);
}
