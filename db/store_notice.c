#include "store_sql.h"

enum store_result store_notice_add(struct store *store, int64_t tunnel, const char *words,
                                   int64_t now)
{
    return store_run_some(store, store_bind(store, SQL_NOTICE_ADD, "iti", tunnel, words, now),
                          STORE_REFUSED);
}

static void read_notice(sqlite3_stmt *s, void *row)
{
    struct store_notice *notice = row;
    notice->id = sqlite3_column_int64(s, 0);
    notice->tunnel = sqlite3_column_int64(s, 1);
    store_column_text(s, 2, notice->words, sizeof(notice->words));
}

struct notice_each {
    int (*each)(void *owner, const struct store_notice *notice);
    void *owner;
};

static int each_notice(void *owner, const void *row)
{
    struct notice_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_notice_list(struct store *store, int64_t after, unsigned most,
                                    int (*each)(void *owner, const struct store_notice *),
                                    void *owner)
{
    struct notice_each call = {each, owner};
    struct store_notice notice;
    return store_each(store, store_bind(store, SQL_NOTICE_LIST, "ii", after, (int64_t)most),
                      &notice, read_notice, each_notice, &call);
}

enum store_result store_notice_sweep(struct store *store, int64_t before)
{
    return store_run(store, store_bind(store, SQL_NOTICE_SWEEP, "i", before));
}
