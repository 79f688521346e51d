#include "store_sql.h"

enum store_result store_clock_back(struct store *store, int64_t now)
{
    enum store_result result = store_run(store, store_bind(store, SQL_THROTTLE_BACK, "i", now));
    if (result == STORE_OK)
        result = store_run(store, store_bind(store, SQL_SESSION_BACK, "i", now));
    if (result == STORE_OK)
        result = store_run(store, store_bind(store, SQL_TICKET_BACK, "i", now));
    return result;
}
