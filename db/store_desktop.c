#include "store_sql.h"

#include <string.h>

void store_read_desktop(sqlite3_stmt *s, void *row)
{
    struct store_desktop *desktop = row;
    desktop->id = sqlite3_column_int64(s, 0);
    store_column_text(s, 1, desktop->name, sizeof(desktop->name));
    store_column_text(s, 2, desktop->host, sizeof(desktop->host));
    desktop->port = (uint16_t)sqlite3_column_int(s, 3);
    store_column_text(s, 4, desktop->description, sizeof(desktop->description));
    store_column_text(s, 5, desktop->mac, sizeof(desktop->mac));
    desktop->same_credentials = sqlite3_column_int(s, 6) != 0;
    store_column_text(s, 7, desktop->trust, sizeof(desktop->trust));
    if (!store_column_blob(s, 8, desktop->fingerprint, sizeof(desktop->fingerprint)))
        memset(desktop->fingerprint, 0, sizeof(desktop->fingerprint));
    desktop->fingerprint_at = sqlite3_column_int64(s, 9);
    desktop->forbidden = (uint8_t)sqlite3_column_int(s, 10);
    store_column_text(s, 11, desktop->rdp_settings, sizeof(desktop->rdp_settings));
}

enum store_result store_desktop_add(struct store *store, const struct store_desktop *desktop,
                                    int64_t *id)
{
    enum store_result result =
        store_run(store, store_bind(store, SQL_DESKTOP_ADD, "ttittiit", desktop->name,
                                    desktop->host, (int64_t)desktop->port, desktop->description,
                                    desktop->mac, (int64_t)desktop->same_credentials,
                                    (int64_t)desktop->forbidden, desktop->rdp_settings));
    if (result == STORE_OK)
        *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

enum store_result store_desktop_by_name(struct store *store, const char *name,
                                        struct store_desktop *out)
{
    return store_one(store, store_bind(store, SQL_DESKTOP_BY_NAME, "t", name), out,
                     store_read_desktop);
}

enum store_result store_desktop_set(struct store *store, const struct store_desktop *desktop)
{
    return store_run_some(store,
                          store_bind(store, SQL_DESKTOP_SET, "ittittiit", desktop->id,
                                     desktop->name, desktop->host, (int64_t)desktop->port,
                                     desktop->description, desktop->mac,
                                     (int64_t)desktop->same_credentials,
                                     (int64_t)desktop->forbidden, desktop->rdp_settings),
                          STORE_NONE);
}

enum store_result store_desktop_trust(struct store *store, int64_t id, const char *trust,
                                      const uint8_t *fingerprint, int64_t now)
{
    return store_run_some(store,
                          store_bind(store, SQL_DESKTOP_TRUST, "itbi", id, trust, fingerprint,
                                     (size_t)(fingerprint ? 32 : 0), now),
                          STORE_NONE);
}

enum store_result store_desktop_fingerprint(struct store *store, int64_t id,
                                            const uint8_t fingerprint[32], int64_t now)
{
    return store_run_some(
        store, store_bind(store, SQL_DESKTOP_FINGERPRINT, "ibi", id, fingerprint, (size_t)32, now),
        STORE_REFUSED);
}

enum store_result store_desktop_remove(struct store *store, int64_t id)
{
    return store_run_some(store, store_bind(store, SQL_DESKTOP_REMOVE, "i", id), STORE_NONE);
}

struct desktop_each {
    int (*each)(void *owner, const struct store_desktop *desktop);
    void *owner;
};

static int each_desktop(void *owner, const void *row)
{
    struct desktop_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_desktop_list(struct store *store,
                                     int (*each)(void *owner, const struct store_desktop *),
                                     void *owner)
{
    struct desktop_each call = {each, owner};
    struct store_desktop desktop;
    return store_each(store, store_bind(store, SQL_DESKTOP_LIST, ""), &desktop, store_read_desktop,
                      each_desktop, &call);
}

static void read_granted(sqlite3_stmt *s, void *row)
{
    struct store_granted *granted = row;
    store_read_desktop(s, &granted->desktop);
    granted->last_used = sqlite3_column_int64(s, 12);
    granted->in_use = sqlite3_column_int(s, 13) != 0;
}

struct granted_each {
    int (*each)(void *owner, const struct store_granted *granted);
    void *owner;
};

static int each_granted(void *owner, const void *row)
{
    struct granted_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_granted_list(struct store *store, int64_t user, const char *after,
                                     unsigned most,
                                     int (*each)(void *owner, const struct store_granted *),
                                     void *owner)
{
    struct granted_each call = {each, owner};
    struct store_granted granted = {0};
    return store_each(store, store_bind(store, SQL_GRANTED_LIST, "iti", user, after, (int64_t)most),
                      &granted, read_granted, each_granted, &call);
}
