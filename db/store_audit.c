#include "store_audit.h"
#include "store_audit_sql.h"
#include "store_sql.h"

#include <string.h>

/* ---- the head ---- */

void store_audit_key(struct store *store, const uint8_t key[STORE_AUDIT_LINK])
{
    memcpy(store->audit_key, key, sizeof(store->audit_key));
    store->has_audit_key = true;
}

bool store_audit_keyed(const struct store *store)
{
    return store->has_audit_key;
}

void store_audit_read_place(sqlite3_stmt *s, void *row)
{
    struct audit_place *place = row;
    place->id = sqlite3_column_int64(s, 0);
    place->whole = store_column_blob(s, 1, place->link, AUDIT_CHAIN_SIZE) == AUDIT_CHAIN_SIZE;
    place->sealed = store_column_blob(s, 2, place->seal, AUDIT_CHAIN_SIZE) == AUDIT_CHAIN_SIZE;
}

static enum store_result read_head(struct store *store, struct audit_place *head)
{
    return store_one(store, store_bind(store, SQL_AUDIT_HEAD, ""), head, store_audit_read_place);
}

static bool seal_holds(const struct store *store, const struct audit_place *head)
{
    return head->sealed && store->has_audit_key &&
           audit_chain_sealed(store->audit_key, "head", head->id, head->link, head->seal);
}

static enum store_result write_head(struct store *store, int64_t id,
                                    const uint8_t link[AUDIT_CHAIN_SIZE], bool sealed)
{
    uint8_t seal[AUDIT_CHAIN_SIZE];
    if (sealed)
        audit_chain_seal(store->audit_key, "head", id, link, seal);
    return store_run(store,
                     store_bind(store, SQL_AUDIT_HEAD_SET, "ibb", id, link,
                                (size_t)AUDIT_CHAIN_SIZE, sealed ? seal : NULL, sizeof(seal)));
}

enum store_result store_audit_head(struct store *store, struct store_audit_head *out)
{
    struct audit_place head = {0};
    enum store_result result = read_head(store, &head);
    *out = (struct store_audit_head){
        .id = head.id, .bare = !head.sealed, .sealed = seal_holds(store, &head)};
    memcpy(out->link, head.link, sizeof(out->link));
    return result;
}

static enum store_result seal_bare(struct store *store)
{
    struct audit_place head = {0};
    enum store_result result = read_head(store, &head);
    if (result == STORE_NONE)
        return STORE_OK;
    if (result == STORE_OK && !head.sealed && store->has_audit_key)
        result = write_head(store, head.id, head.link, true);
    return result;
}

enum store_result store_audit_seal_bare(struct store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        return seal_bare(store);
    enum store_result result = store_begin(store);
    if (result == STORE_OK)
        result = seal_bare(store);
    if (result == STORE_OK)
        return store_commit(store);
    store_rollback(store);
    return result;
}

/* ---- adding ---- */

static void take_struct(const struct store_audit *audit, int64_t id, struct audit_chain_row *row)
{
    const char *const texts[AUDIT_CHAIN_TEXTS] = {audit->event, audit->outcome, audit->who,
                                                  audit->by,    audit->desktop, audit->conn,
                                                  audit->detail};
    row->id = id;
    row->at_ms = audit->at_ms;
    row->address = audit->has_address ? audit->address.bytes : NULL;
    for (size_t i = 0; i < AUDIT_CHAIN_TEXTS; i++) {
        row->texts[i].at = texts[i];
        row->texts[i].size = strlen(texts[i]);
    }
}

static void read_number(sqlite3_stmt *s, void *row)
{
    *(int64_t *)row = sqlite3_column_int64(s, 0);
}

/* Behind the head, and behind what somebody may have put there: a number that is taken must not
 * keep the log from being written. */
static enum store_result next_place(struct store *store, struct audit_place *head, int64_t *id,
                                    bool *sealed)
{
    int64_t newest = 0;
    enum store_result result = read_head(store, head);
    if (result != STORE_OK && result != STORE_NONE)
        return result;
    bool first = result == STORE_NONE;
    result = store_one(store, store_bind(store, SQL_AUDIT_NEWEST, ""), &newest, read_number);
    *id = (head->id > newest ? head->id : newest) + 1;
    *sealed = first ? store->has_audit_key && newest == 0 : seal_holds(store, head);
    return result;
}

/* Within a transaction: nobody adds one between. */
static enum store_result add_linked(struct store *store, const struct store_audit *audit)
{
    struct audit_chain_row row;
    struct audit_place head = {0};
    int64_t id = 0;
    bool sealed = false;
    enum store_result result = next_place(store, &head, &id, &sealed);
    if (result != STORE_OK)
        return result;
    take_struct(audit, id, &row);
    audit_chain_add(head.link, &row);
    result = store_run(store, store_bind(store, SQL_AUDIT_ADD, "iittttttatb", id, audit->at_ms,
                                         audit->event, audit->outcome, audit->who, audit->by,
                                         audit->desktop, audit->conn,
                                         audit->has_address ? &audit->address : NULL, audit->detail,
                                         head.link, sizeof(head.link)));
    return result == STORE_OK ? write_head(store, id, head.link, sealed) : result;
}

enum store_result store_audit_add(struct store *store, const struct store_audit *audit)
{
    if (!sqlite3_get_autocommit(store->db))
        return add_linked(store, audit);
    enum store_result result = store_begin(store);
    if (result == STORE_OK)
        result = add_linked(store, audit);
    if (result == STORE_OK)
        return store_commit(store);
    store_rollback(store);
    return result;
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
    if (store_column_blob(s, 10, audit->link, sizeof(audit->link)) != sizeof(audit->link))
        memset(audit->link, 0, sizeof(audit->link));
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
    int64_t before = filter->before_ms ? filter->before_ms : INT64_MAX;
    sqlite3_stmt *list = /* without a limit, no row has to be kept back */
        filter->last
            ? store_bind(store, SQL_AUDIT_LIST, "iiitti", filter->after_id, filter->since_ms,
                         before, filter->event, filter->who, (int64_t)filter->last)
            : store_bind(store, SQL_AUDIT_LIST_ALL, "iiitt", filter->after_id, filter->since_ms,
                         before, filter->event, filter->who);
    return store_each(store, list, &audit, read_audit, each_audit, &call);
}
