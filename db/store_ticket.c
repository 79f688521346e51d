#include "store_sql.h"

static void read_ticket(sqlite3_stmt *s, void *row)
{
    struct store_ticket *ticket = row;
    ticket->id = sqlite3_column_int64(s, 0);
    store_column_blob(s, 1, ticket->hash, sizeof(ticket->hash));
    ticket->session = sqlite3_column_int64(s, 2);
    ticket->desktop = sqlite3_column_int64(s, 3);
    ticket->user = sqlite3_column_int64(s, 4);
    store_column_text(s, 5, ticket->user_name, sizeof(ticket->user_name));
    store_column_text(s, 6, ticket->desktop_name, sizeof(ticket->desktop_name));
    store_column_text(s, 7, ticket->way, sizeof(ticket->way));
    ticket->created_at = sqlite3_column_int64(s, 8);
    ticket->expires_at = sqlite3_column_int64(s, 9);
    ticket->used_at = sqlite3_column_int64(s, 10);
    ticket->tunnel = sqlite3_column_int64(s, 11);
    store_column_text(s, 12, ticket->outcome, sizeof(ticket->outcome));
    store_column_text(s, 13, ticket->tunnel_end, sizeof(ticket->tunnel_end));
    ticket->tunnel_ended_at = sqlite3_column_int64(s, 14);
    store_column_addr(s, 15, &ticket->address);
    ticket->password_size = store_column_blob(s, 16, ticket->password, sizeof(ticket->password));
    ticket->forbidden = (uint8_t)sqlite3_column_int(s, 17);
}

enum store_result store_ticket_add(struct store *store, const struct store_ticket *ticket,
                                   int64_t *id)
{
    enum store_result result = store_run(
        store, store_bind(store, SQL_TICKET_ADD, "biitiiab", ticket->hash, sizeof(ticket->hash),
                          ticket->session, ticket->desktop, ticket->way, ticket->created_at,
                          ticket->expires_at, &ticket->address,
                          ticket->password_size ? ticket->password : NULL, ticket->password_size));
    if (result == STORE_OK)
        *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

enum store_result store_ticket_by_hash(struct store *store, const uint8_t hash[32],
                                       struct store_ticket *out)
{
    return store_one(store, store_bind(store, SQL_TICKET_BY_HASH, "b", hash, (size_t)32), out,
                     read_ticket);
}

enum store_result store_ticket_by_id(struct store *store, int64_t id, struct store_ticket *out)
{
    return store_one(store, store_bind(store, SQL_TICKET_BY_ID, "i", id), out, read_ticket);
}

enum store_result store_ticket_use(struct store *store, int64_t id, int64_t now)
{
    return store_run_some(store, store_bind(store, SQL_TICKET_USE, "ii", id, now), STORE_REFUSED);
}

enum store_result store_ticket_end(struct store *store, int64_t id, int64_t tunnel,
                                   const char *outcome)
{
    return store_run_some(store, store_bind(store, SQL_TICKET_END, "iit", id, tunnel, outcome),
                          STORE_NONE);
}

static void read_count(sqlite3_stmt *s, void *row)
{
    *(unsigned *)row = (unsigned)sqlite3_column_int64(s, 0);
}

enum store_result store_ticket_waiting(struct store *store, int64_t session, int64_t now,
                                       unsigned *count)
{
    return store_one(store, store_bind(store, SQL_TICKET_WAITING, "ii", session, now), count,
                     read_count);
}

enum store_result store_ticket_sweep(struct store *store, int64_t before)
{
    return store_run(store, store_bind(store, SQL_TICKET_SWEEP, "i", before));
}
