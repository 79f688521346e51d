#include "store_sql.h"

enum store_result store_clock_back(struct store *store, int64_t now)
{
    static const enum sql all[] = {SQL_THROTTLE_BACK,  SQL_SESSION_BACK, SQL_TICKET_BACK,
                                   SQL_TUNNEL_BACK,    SQL_ALERT_BACK,   SQL_PASSWORD_BACK,
                                   SQL_INVITATION_BACK};
    enum store_result result = STORE_OK;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all) && result == STORE_OK; i++)
        result = store_run(store, store_bind(store, all[i], "i", now));
    return result;
}
