#include "store_sql.h"

static void read_counts(sqlite3_stmt *s, void *row)
{
    struct store_throttle *throttle = row;
    throttle->failures = sqlite3_column_int64(s, 0);
    throttle->since = sqlite3_column_int64(s, 1);
    throttle->last_at = sqlite3_column_int64(s, 2);
}

enum store_result store_throttle_get(struct store *store, const char *key,
                                     struct store_throttle *out)
{
    return store_one(store, store_bind(store, SQL_THROTTLE_GET, "t", key), out, read_counts);
}

enum store_result store_throttle_set(struct store *store, const struct store_throttle_of *of,
                                     const struct store_throttle *throttle)
{
    return store_run(store,
                     store_bind(store, SQL_THROTTLE_SET, "tiiitiai", of->key, throttle->failures,
                                throttle->since, throttle->last_at, of->bucket, of->user,
                                of->has_net ? &of->net.base : NULL, (int64_t)of->net.bits));
}

enum store_result store_throttle_clear(struct store *store, const char *key)
{
    return store_run(store, store_bind(store, SQL_THROTTLE_CLEAR, "t", key));
}

enum store_result store_throttle_sweep(struct store *store, int64_t last_before)
{
    return store_run(store, store_bind(store, SQL_THROTTLE_SWEEP, "i", last_before));
}

static void read_item(sqlite3_stmt *s, void *row)
{
    struct store_throttle_item *item = row;
    read_counts(s, &item->counts);
    store_column_text(s, 3, item->bucket, sizeof(item->bucket));
    store_column_text(s, 4, item->user_name, sizeof(item->user_name));
    item->has_net = store_column_addr(s, 5, &item->net.base);
    item->net.bits = (uint8_t)sqlite3_column_int(s, 6);
}

struct item_each {
    int (*each)(void *owner, const struct store_throttle_item *item);
    void *owner;
};

static int each_item(void *owner, const void *row)
{
    struct item_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_throttle_list(struct store *store,
                                      int (*each)(void *owner, const struct store_throttle_item *),
                                      void *owner)
{
    struct item_each call = {each, owner};
    struct store_throttle_item item;
    return store_each(store, store_bind(store, SQL_THROTTLE_LIST, ""), &item, read_item, each_item,
                      &call);
}

enum store_result store_throttle_clear_user(struct store *store, int64_t user)
{
    return store_run_some(store, store_bind(store, SQL_THROTTLE_CLEAR_USER, "i", user), STORE_NONE);
}

enum store_result store_throttle_clear_place(struct store *store, const struct addr_net *net)
{
    return store_run_some(
        store, store_bind(store, SQL_THROTTLE_CLEAR_PLACE, "ai", &net->base, (int64_t)net->bits),
        STORE_NONE);
}

enum store_result store_throttle_clear_all(struct store *store)
{
    return store_run_some(store, store_bind(store, SQL_THROTTLE_CLEAR_ALL, ""), STORE_NONE);
}

/* ---- known browsers ---- */

enum store_result store_browser_add(struct store *store, const uint8_t hash[32], int64_t user,
                                    int64_t now)
{
    enum store_result result =
        store_run(store, store_bind(store, SQL_BROWSER_ADD, "bii", hash, (size_t)32, user, now));
    return result == STORE_OK ? store_run(store, store_bind(store, SQL_BROWSER_PRUNE, "ii", user,
                                                            (int64_t)STORE_BROWSERS))
                              : result;
}

static void read_nothing(sqlite3_stmt *s, void *row)
{
    (void)s;
    (void)row;
}

enum store_result store_browser_known(struct store *store, const uint8_t hash[32], int64_t user)
{
    return store_one(store, store_bind(store, SQL_BROWSER_KNOWN, "bi", hash, (size_t)32, user),
                     NULL, read_nothing);
}

enum store_result store_browser_use(struct store *store, const uint8_t hash[32], int64_t now)
{
    return store_run(store, store_bind(store, SQL_BROWSER_USE, "bi", hash, (size_t)32, now));
}

enum store_result store_browser_failed(struct store *store, const uint8_t hash[32], unsigned most)
{
    enum store_result result =
        store_run(store, store_bind(store, SQL_BROWSER_FAILED, "b", hash, (size_t)32));
    return result == STORE_OK ? store_run(store, store_bind(store, SQL_BROWSER_GIVE_UP, "bi", hash,
                                                            (size_t)32, (int64_t)most))
                              : result;
}

enum store_result store_browser_sweep(struct store *store, int64_t used_before)
{
    return store_run(store, store_bind(store, SQL_BROWSER_SWEEP, "i", used_before));
}
