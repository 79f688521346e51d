#include "store_sql.h"

static void read_tunnel(sqlite3_stmt *s, void *row)
{
    struct store_tunnel *tunnel = row;
    tunnel->id = sqlite3_column_int64(s, 0);
    tunnel->session = sqlite3_column_int64(s, 1);
    tunnel->user = sqlite3_column_int64(s, 2);
    tunnel->desktop = sqlite3_column_int64(s, 3);
    store_column_text(s, 4, tunnel->user_name, sizeof(tunnel->user_name));
    store_column_text(s, 5, tunnel->desktop_name, sizeof(tunnel->desktop_name));
    store_column_text(s, 6, tunnel->way, sizeof(tunnel->way));
    store_column_text(s, 7, tunnel->conn, sizeof(tunnel->conn));
    store_column_addr(s, 8, &tunnel->address);
    tunnel->opened_at = sqlite3_column_int64(s, 9);
    tunnel->ended_at = sqlite3_column_int64(s, 10);
    tunnel->up = (uint64_t)sqlite3_column_int64(s, 11);
    tunnel->down = (uint64_t)sqlite3_column_int64(s, 12);
    store_column_text(s, 13, tunnel->end, sizeof(tunnel->end));
}

enum store_result store_tunnel_add(struct store *store, const struct store_tunnel *tunnel,
                                   int64_t *id)
{
    enum store_result result = store_run_some(
        store,
        store_bind(store, SQL_TUNNEL_ADD, "iiittai", tunnel->session, tunnel->user, tunnel->desktop,
                   tunnel->way, tunnel->conn, &tunnel->address, tunnel->opened_at),
        STORE_NONE);
    if (result == STORE_OK)
        *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

enum store_result store_tunnel_counts(struct store *store, int64_t id, uint64_t up, uint64_t down)
{
    return store_run(store,
                     store_bind(store, SQL_TUNNEL_COUNTS, "iii", id, (int64_t)up, (int64_t)down));
}

enum store_result store_tunnel_end(struct store *store, int64_t id, int64_t now, uint64_t up,
                                   uint64_t down, const char *end)
{
    return store_run_some(
        store, store_bind(store, SQL_TUNNEL_END, "iiiit", id, now, (int64_t)up, (int64_t)down, end),
        STORE_REFUSED);
}

static void read_nothing(sqlite3_stmt *s, void *row)
{
    (void)s;
    (void)row;
}

enum store_result store_tunnel_request_end(struct store *store, int64_t id)
{
    enum store_result result =
        store_one(store, store_bind(store, SQL_TUNNEL_EXISTS, "i", id), NULL, read_nothing);
    if (result != STORE_OK)
        return result;
    return store_run_some(store, store_bind(store, SQL_TUNNEL_REQUEST_END, "i", id), STORE_REFUSED);
}

struct tunnel_each {
    int (*each)(void *owner, const struct store_tunnel *tunnel);
    void *owner;
};

static int each_tunnel(void *owner, const void *row)
{
    struct tunnel_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_tunnel_list(struct store *store, bool live_only,
                                    int (*each)(void *owner, const struct store_tunnel *),
                                    void *owner)
{
    struct tunnel_each call = {each, owner};
    struct store_tunnel tunnel;
    /* Two statements, since only one that speaks of live ones alone goes by their index. */
    return store_each(store,
                      store_bind(store, live_only ? SQL_TUNNEL_LIST : SQL_TUNNEL_LIST_ALL, ""),
                      &tunnel, read_tunnel, each_tunnel, &call);
}

struct of_each {
    int (*each)(void *owner, const struct store_tunnel_of *of);
    void *owner;
};

static void read_of(sqlite3_stmt *s, void *row)
{
    *(struct store_tunnel_of *)row =
        (struct store_tunnel_of){.id = sqlite3_column_int64(s, 0),
                                 .person = sqlite3_column_int(s, 1) != 0,
                                 .desktop = sqlite3_column_int(s, 2) != 0};
}

static int each_of(void *owner, const void *row)
{
    struct of_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_tunnel_of(struct store *store, int64_t user, int64_t desktop,
                                  int (*each)(void *owner, const struct store_tunnel_of *),
                                  void *owner)
{
    struct of_each call = {each, owner};
    struct store_tunnel_of of;
    return store_each(store, store_bind(store, SQL_TUNNEL_OF, "ii", user, desktop), &of, read_of,
                      each_of, &call);
}

struct desktops_each {
    int (*each)(void *owner, const char *desktop);
    void *owner;
};

static void read_name(sqlite3_stmt *s, void *row)
{
    store_column_text(s, 0, row, TEXT_NAME_SIZE);
}

static int each_name(void *owner, const void *row)
{
    struct desktops_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_tunnel_desktops(struct store *store, int64_t session,
                                        int (*each)(void *owner, const char *desktop), void *owner)
{
    struct desktops_each call = {each, owner};
    char name[TEXT_NAME_SIZE];
    return store_each(store, store_bind(store, SQL_TUNNEL_DESKTOPS, "i", session), name, read_name,
                      each_name, &call);
}

static void read_verdict(sqlite3_stmt *s, void *row)
{
    *(enum store_tunnel_verdict *)row = (enum store_tunnel_verdict)sqlite3_column_int(s, 0);
}

enum store_result store_tunnel_verdict(struct store *store, int64_t id,
                                       enum store_tunnel_verdict *out)
{
    return store_one(store, store_bind(store, SQL_TUNNEL_VERDICT, "i", id), out, read_verdict);
}
