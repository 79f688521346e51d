#include "store_sql.h"

enum store_result store_alert_add(struct store *store, const struct store_alert *alert)
{
    return store_run(store, store_bind(store, SQL_ALERT_ADD, "ittttati", alert->at, alert->rule,
                                       alert->subject, alert->message, alert->who,
                                       alert->has_address ? &alert->address : NULL, alert->desktop,
                                       (int64_t)alert->test));
}

static void read_alert(sqlite3_stmt *s, void *row)
{
    struct store_alert *alert = row;
    alert->id = sqlite3_column_int64(s, 0);
    alert->at = sqlite3_column_int64(s, 1);
    store_column_text(s, 2, alert->rule, sizeof(alert->rule));
    store_column_text(s, 3, alert->subject, sizeof(alert->subject));
    store_column_text(s, 4, alert->message, sizeof(alert->message));
    store_column_text(s, 5, alert->who, sizeof(alert->who));
    alert->has_address = store_column_addr(s, 6, &alert->address);
    store_column_text(s, 7, alert->desktop, sizeof(alert->desktop));
    alert->test = sqlite3_column_int(s, 8) != 0;
    alert->sent = sqlite3_column_int(s, 9) != 0;
}

struct alert_each {
    int (*each)(void *owner, const struct store_alert *alert);
    void *owner;
};

static int each_alert(void *owner, const void *row)
{
    struct alert_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_alert_list(struct store *store, unsigned last,
                                   int (*each)(void *owner, const struct store_alert *),
                                   void *owner)
{
    struct alert_each call = {each, owner};
    struct store_alert alert;
    return store_each(store, store_bind(store, SQL_ALERT_LIST, "i", (int64_t)last), &alert,
                      read_alert, each_alert, &call);
}

enum store_result store_alert_unsent(struct store *store, struct store_alert *out)
{
    return store_one(store, store_bind(store, SQL_ALERT_UNSENT, "i", INT64_C(1)), out, read_alert);
}

enum store_result store_alert_sent(struct store *store, int64_t id)
{
    return store_run_some(store, store_bind(store, SQL_ALERT_SENT, "i", id), STORE_NONE);
}

static void read_seen(sqlite3_stmt *s, void *row)
{
    struct store_alerts_seen *seen = row;
    seen->last_at = sqlite3_column_int64(s, 0); /* NULL: 0 */
    seen->count = sqlite3_column_int64(s, 1);
    seen->failures = sqlite3_column_int64(s, 2);
}

enum store_result store_alert_last(struct store *store, const char *rule, const char *subject,
                                   struct store_alerts_seen *out)
{
    return store_one(store, store_bind(store, SQL_ALERT_LAST, "tt", rule, subject), out, read_seen);
}

enum store_result store_alert_since(struct store *store, int64_t after,
                                    struct store_alerts_seen *out)
{
    return store_one(store, store_bind(store, SQL_ALERT_SINCE, "i", after), out, read_seen);
}

enum store_result store_alert_sweep(struct store *store, int64_t before)
{
    return store_run(store, store_bind(store, SQL_ALERT_SWEEP, "i", before));
}

/* ---- the audit log ---- */

static void read_number(sqlite3_stmt *s, void *row)
{
    *(int64_t *)row = sqlite3_column_int64(s, 0);
}

enum store_result store_alert_place(struct store *store, int64_t *audit_id)
{
    return store_one(store, store_bind(store, SQL_ALERT_PLACE, ""), audit_id, read_number);
}

enum store_result store_alert_place_set(struct store *store, int64_t audit_id)
{
    return store_run(store, store_bind(store, SQL_ALERT_PLACE_SET, "i", audit_id));
}

enum store_result store_alert_newest(struct store *store, int64_t *audit_id)
{
    return store_one(store, store_bind(store, SQL_ALERT_NEWEST, ""), audit_id, read_number);
}

enum store_result store_alert_failures_who(struct store *store, const char *who, int64_t after_ms,
                                           int64_t last_id, int64_t *count)
{
    return store_one(store,
                     store_bind(store, SQL_ALERT_FAILURES_WHO, "tii", who, after_ms, last_id),
                     count, read_number);
}

enum store_result store_alert_failures_address(struct store *store, const struct addr_net *net,
                                               int64_t after_ms, int64_t last_id, int64_t *count)
{
    struct addr first = net->base, last = net->base;
    for (size_t bit = net->bits; bit < 128; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        first.bytes[bit / 8] &= (uint8_t)~mask;
        last.bytes[bit / 8] |= mask;
    }
    return store_one(
        store,
        store_bind(store, SQL_ALERT_FAILURES_ADDRESS, "aaii", &first, &last, after_ms, last_id),
        count, read_number);
}

/* ---- networks ---- */

static void read_networks(sqlite3_stmt *s, void *row)
{
    struct store_networks *networks = row;
    networks->known = sqlite3_column_int64(s, 0);
    networks->seen = sqlite3_column_int64(s, 1) != 0;
    networks->seen_at = sqlite3_column_int64(s, 2);
}

enum store_result store_network_look(struct store *store, const char *who,
                                     const struct addr *network, struct store_networks *out)
{
    return store_one(store, store_bind(store, SQL_NETWORK_LOOK, "ta", who, network), out,
                     read_networks);
}

enum store_result store_network_see(struct store *store, const char *who,
                                    const struct addr *network, int64_t now, unsigned most)
{
    enum store_result result =
        store_run(store, store_bind(store, SQL_NETWORK_SEE, "tai", who, network, now));
    if (result == STORE_OK)
        result = store_run(store, store_bind(store, SQL_NETWORK_TRIM, "ti", who, (int64_t)most));
    return result;
}
