#include "store_sql.h"

static void read_throttle(sqlite3_stmt *s, void *row)
{
    struct store_throttle *throttle = row;
    throttle->failures = sqlite3_column_int64(s, 0);
    throttle->since = sqlite3_column_int64(s, 1);
    throttle->last_at = sqlite3_column_int64(s, 2);
}

enum store_result store_throttle_get(struct store *store, const char *key,
                                     struct store_throttle *out)
{
    return store_one(store, store_bind(store, SQL_THROTTLE_GET, "t", key), out, read_throttle);
}

enum store_result store_throttle_set(struct store *store, const char *key,
                                     const struct store_throttle *throttle)
{
    return store_run(store, store_bind(store, SQL_THROTTLE_SET, "tiii", key, throttle->failures,
                                       throttle->since, throttle->last_at));
}

enum store_result store_throttle_clear(struct store *store, const char *key)
{
    return store_run(store, store_bind(store, SQL_THROTTLE_CLEAR, "t", key));
}

enum store_result store_throttle_sweep(struct store *store, int64_t last_before)
{
    return store_run(store, store_bind(store, SQL_THROTTLE_SWEEP, "i", last_before));
}
