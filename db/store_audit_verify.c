#include "store_audit.h"
#include "store_audit_sql.h"
#include "store_sql.h"

#include <string.h>

/* The columns of audit_walk as they are, however long somebody has made them. The texts live until
 * the next step. False: the row's link is none. */
static bool take_row(sqlite3_stmt *s, struct audit_chain_row *row, uint8_t link[AUDIT_CHAIN_SIZE])
{
    static const int texts[AUDIT_CHAIN_TEXTS] = {2, 3, 4, 5, 6, 7, 9};
    row->id = sqlite3_column_int64(s, 0);
    row->at_ms = sqlite3_column_int64(s, 1);
    row->address = sqlite3_column_bytes(s, 8) == 16 ? sqlite3_column_blob(s, 8) : NULL;
    for (size_t i = 0; i < AUDIT_CHAIN_TEXTS; i++) {
        const char *text = (const char *)sqlite3_column_text(s, texts[i]);
        row->texts[i].at = text ? text : "";
        row->texts[i].size = (size_t)sqlite3_column_bytes(s, texts[i]);
    }
    return store_column_blob(s, 10, link, AUDIT_CHAIN_SIZE) == AUDIT_CHAIN_SIZE;
}

/* ---- walking ---- */

static void fault(struct store_audit_walk *walk, enum store_audit_fault what, int64_t bad)
{
    walk->fault = what;
    walk->bad = bad;
    walk->ended = true;
}

static void read_number(sqlite3_stmt *s, void *row)
{
    *(int64_t *)row = sqlite3_column_int64(s, 0);
}

/* The last checkpoint of a kind. */
static enum store_result checkpoint(struct store *store, struct store_audit_walk *walk,
                                    const char *kind, struct audit_place *place)
{
    enum store_result result = store_one(store, store_bind(store, SQL_AUDIT_CHECKPOINT, "t", kind),
                                         place, store_audit_read_place);
    if (result == STORE_OK && place->id >= walk->after && store->has_audit_key &&
        !audit_chain_sealed(store->audit_key, kind, place->id, place->link, place->seal))
        fault(walk, STORE_AUDIT_CHECKPOINT, place->id);
    return result == STORE_NONE ? STORE_OK : result;
}

static void go_to(struct store_audit_walk *walk, const struct audit_place *place)
{
    if (place->id <= walk->last)
        return;
    walk->after = walk->last = place->id;
    memcpy(walk->link, place->link, sizeof(walk->link));
}

static void compare_expected(struct store_audit_walk *walk)
{
    if (walk->expect_id && walk->last == walk->expect_id)
        walk->expect_seen = memcmp(walk->link, walk->expect_link, sizeof(walk->link)) == 0;
}

/* The walk begins behind the last checkpoint, or is taken there when rows were archived before it
 * came to them. What an administrator has accepted is not looked at again. */
static enum store_result obey_checkpoints(struct store *store, struct store_audit_walk *walk)
{
    struct audit_place archived = {0}, accepted = {0};
    int64_t leftover = 0;
    enum store_result result = checkpoint(store, walk, "accepted", &accepted);
    if (result == STORE_OK && !walk->ended) {
        go_to(walk, &accepted);
        result = checkpoint(store, walk, "archived", &archived);
    }
    if (result != STORE_OK || walk->ended)
        return result;
    go_to(walk, &archived);
    compare_expected(walk);
    if (archived.id < accepted.id)
        return STORE_OK;
    result = store_one(store, store_bind(store, SQL_AUDIT_LEFTOVER, "i", archived.id), &leftover,
                       read_number);
    if (result == STORE_OK)
        fault(walk, STORE_AUDIT_RETURNED, leftover);
    return result == STORE_NONE ? STORE_OK : result;
}

/* One row. False: it does not fit behind those before it. */
static bool step(sqlite3_stmt *s, struct store_audit_walk *walk)
{
    struct audit_chain_row row;
    uint8_t link[AUDIT_CHAIN_SIZE], stored[AUDIT_CHAIN_SIZE];
    bool linked = take_row(s, &row, stored);
    memcpy(link, walk->link, sizeof(link));
    audit_chain_add(link, &row);
    if (row.id != walk->last + 1)
        fault(walk, STORE_AUDIT_REMOVED, row.id);
    else if (!linked || memcmp(stored, link, sizeof(link)) != 0)
        fault(walk, STORE_AUDIT_CHANGED, row.id);
    if (walk->ended)
        return false;
    walk->rows++;
    walk->last = row.id;
    memcpy(walk->link, link, sizeof(link));
    compare_expected(walk);
    return true;
}

/* Behind the last row. */
static enum store_result compare_head(struct store *store, struct store_audit_walk *walk)
{
    struct audit_place head = {0};
    enum store_result result =
        store_one(store, store_bind(store, SQL_AUDIT_HEAD, ""), &head, store_audit_read_place);
    if (result == STORE_FAILED)
        return result;
    walk->ended = true;
    bool good = !store->has_audit_key ||
                (head.sealed &&
                 audit_chain_sealed(store->audit_key, "head", head.id, head.link, head.seal));
    if (result == STORE_NONE ? walk->last != 0 : !good)
        fault(walk, STORE_AUDIT_UNSEALED, walk->last);
    else if (head.id > walk->last)
        fault(walk, STORE_AUDIT_CUT, head.id);
    else if (head.id < walk->last)
        fault(walk, STORE_AUDIT_CHANGED, head.id + 1);
    else if (memcmp(head.link, walk->link, sizeof(head.link)) != 0 && walk->last != 0)
        fault(walk, STORE_AUDIT_REMADE, walk->last);
    else if (walk->expect_id >= walk->after && walk->expect_id && !walk->expect_seen)
        fault(walk, STORE_AUDIT_UNEXPECTED, walk->expect_id);
    return STORE_OK;
}

static enum store_result go(struct store *store, struct store_audit_walk *walk, int64_t most)
{
    enum store_result result = obey_checkpoints(store, walk);
    if (result != STORE_OK || walk->ended)
        return result;
    int64_t done = 0;
    sqlite3_stmt *s = store_bind(store, SQL_AUDIT_WALK, "ii", walk->last, most ? most : INT64_MAX);
    while ((result = store_step(store, s)) == STORE_OK && step(s, walk))
        done++;
    if (result == STORE_OK) /* stopped at a fault */
        sqlite3_reset(s);
    if (result == STORE_FAILED || walk->ended)
        return result;
    return most && done == most ? STORE_OK : compare_head(store, walk);
}

enum store_result store_audit_verify(struct store *store, struct store_audit_walk *walk,
                                     int64_t most)
{
    if (walk->ended)
        return STORE_OK;
    if (!sqlite3_get_autocommit(store->db))
        return go(store, walk, most);
    if (sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        return store_fail(store);
    enum store_result result = go(store, walk, most);
    store_rollback(store); /* nothing was written */
    return result;
}

/* ---- rows from before there were links ---- */

static bool link_row(sqlite3_stmt *rows, sqlite3_stmt *set, uint8_t link[AUDIT_CHAIN_SIZE],
                     int64_t *last)
{
    struct audit_chain_row row;
    uint8_t none[AUDIT_CHAIN_SIZE];
    take_row(rows, &row, none);
    audit_chain_add(link, &row);
    *last = row.id;
    sqlite3_reset(set);
    sqlite3_bind_blob(set, 1, link, AUDIT_CHAIN_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(set, 2, row.id);
    return sqlite3_step(set) == SQLITE_DONE;
}

static bool set_head(sqlite3 *db, int64_t last, const uint8_t link[AUDIT_CHAIN_SIZE])
{
    sqlite3_stmt *head = NULL;
    bool done =
        sqlite3_prepare_v2(db, sql_queries[SQL_AUDIT_HEAD_SET], -1, &head, NULL) == SQLITE_OK &&
        sqlite3_bind_int64(head, 1, last) == SQLITE_OK &&
        sqlite3_bind_blob(head, 2, link, AUDIT_CHAIN_SIZE, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(head) == SQLITE_DONE;
    sqlite3_finalize(head);
    return done;
}

bool store_audit_link_all(sqlite3 *db)
{
    sqlite3_stmt *rows = NULL, *set = NULL;
    uint8_t link[AUDIT_CHAIN_SIZE] = {0};
    int64_t last = 0;
    int code = SQLITE_ERROR;
    bool good = sqlite3_prepare_v2(db, sql_queries[SQL_AUDIT_WALK], -1, &rows, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(db, sql_queries[SQL_AUDIT_LINK], -1, &set, NULL) == SQLITE_OK &&
                sqlite3_bind_int64(rows, 1, 0) == SQLITE_OK &&
                sqlite3_bind_int64(rows, 2, INT64_MAX) == SQLITE_OK;
    while (good && (code = sqlite3_step(rows)) == SQLITE_ROW)
        good = link_row(rows, set, link, &last);
    sqlite3_finalize(rows);
    sqlite3_finalize(set);
    return good && code == SQLITE_DONE && (last == 0 || set_head(db, last, link));
}
