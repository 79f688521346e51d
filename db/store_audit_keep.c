#include "store_audit.h"
#include "store_audit_sql.h"
#include "store_sql.h"

#include <string.h>

static void read_number(sqlite3_stmt *s, void *row)
{
    *(int64_t *)row = sqlite3_column_int64(s, 0);
}

enum store_result store_audit_begin(struct store *store, struct store_audit_walk *walk)
{
    struct audit_place archived = {0};
    enum store_result result =
        store_one(store, store_bind(store, SQL_AUDIT_CHECKPOINT, "t", "archived"), &archived,
                  store_audit_read_place);
    *walk = (struct store_audit_walk){.last = archived.id, .after = archived.id};
    memcpy(walk->link, archived.link, sizeof(walk->link));
    return result == STORE_NONE ? STORE_OK : result;
}

enum store_result store_audit_before(struct store *store, int64_t before_ms, int64_t *last)
{
    return store_one(store, store_bind(store, SQL_AUDIT_BEFORE, "i", before_ms), last, read_number);
}

/* The row's own link, and nothing behind it. */
static void read_link(sqlite3_stmt *s, void *row)
{
    struct audit_place *place = row;
    place->id = sqlite3_column_int64(s, 0);
    place->whole = store_column_blob(s, 1, place->link, AUDIT_CHAIN_SIZE) == AUDIT_CHAIN_SIZE;
}

enum store_result store_audit_checkpoint(struct store *store, int64_t id, int64_t now, bool removed)
{
    const char *kind = removed ? "archived" : "accepted";
    struct audit_place place = {0};
    uint8_t seal[AUDIT_CHAIN_SIZE];
    enum store_result result =
        store_one(store, store_bind(store, SQL_AUDIT_LINK_OF, "i", id), &place, read_link);
    if (result != STORE_OK)
        return result;
    if (!place.whole || !store->has_audit_key)
        return STORE_REFUSED;
    audit_chain_seal(store->audit_key, kind, id, place.link, seal);
    result = store_run(store, store_bind(store, SQL_AUDIT_CHECKPOINT_ADD, "itibb", id, kind, now,
                                         place.link, sizeof(place.link), seal, sizeof(seal)));
    if (result != STORE_OK || !removed)
        return result;
    return store_run(store, store_bind(store, SQL_AUDIT_REMOVE, "i", id));
}

/* ---- handing on ---- */

enum store_result store_audit_forwarded(struct store *store, int64_t *id)
{
    *id = 0;
    return store_one(store, store_bind(store, SQL_AUDIT_FORWARDED, ""), id, read_number);
}

enum store_result store_audit_forwarded_set(struct store *store, int64_t id)
{
    return store_run(store, store_bind(store, SQL_AUDIT_FORWARDED_SET, "i", id));
}
