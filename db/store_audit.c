#include "store_sql.h"

#include <limits.h>

enum store_result store_audit_add(struct store *store, const struct store_audit *audit)
{
    return store_run(store,
                     store_bind(store, SQL_AUDIT_ADD, "ittttttat", audit->at_ms, audit->event,
                                audit->outcome, audit->who, audit->by, audit->desktop, audit->conn,
                                audit->has_address ? &audit->address : NULL, audit->detail));
}

static void read_audit(sqlite3_stmt *s, void *row)
{
    struct store_audit *audit = row;
    audit->id = sqlite3_column_int64(s, 0);
    audit->at_ms = sqlite3_column_int64(s, 1);
    store_column_text(s, 2, audit->event, sizeof(audit->event));
    store_column_text(s, 3, audit->outcome, sizeof(audit->outcome));
    store_column_text(s, 4, audit->who, sizeof(audit->who));
    store_column_text(s, 5, audit->by, sizeof(audit->by));
    store_column_text(s, 6, audit->desktop, sizeof(audit->desktop));
    store_column_text(s, 7, audit->conn, sizeof(audit->conn));
    audit->has_address = store_column_addr(s, 8, &audit->address);
    store_column_text(s, 9, audit->detail, sizeof(audit->detail));
}

struct audit_each {
    int (*each)(void *owner, const struct store_audit *audit);
    void *owner;
};

static int each_audit(void *owner, const void *row)
{
    struct audit_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_audit_list(struct store *store, const struct store_audit_filter *filter,
                                   int (*each)(void *owner, const struct store_audit *),
                                   void *owner)
{
    struct audit_each call = {each, owner};
    struct store_audit audit;
    int64_t most = filter->last ? (int64_t)filter->last : INT64_MAX;
    return store_each(store,
                      store_bind(store, SQL_AUDIT_LIST, "iitti", filter->after_id, filter->since_ms,
                                 filter->event, filter->who, most),
                      &audit, read_audit, each_audit, &call);
}
