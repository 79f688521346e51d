#include "store_sql.h"

static void read_session(sqlite3_stmt *s, void *row)
{
    struct store_session *session = row;
    session->id = sqlite3_column_int64(s, 0);
    store_column_blob(s, 1, session->hash, sizeof(session->hash));
    session->user = sqlite3_column_int64(s, 2);
    store_column_text(s, 3, session->user_name, sizeof(session->user_name));
    session->user_disabled = sqlite3_column_int(s, 4) != 0;
    session->created_at = sqlite3_column_int64(s, 5);
    session->used_at = sqlite3_column_int64(s, 6);
    session->expires_at = sqlite3_column_int64(s, 7);
    session->ended_at = sqlite3_column_int64(s, 8);
    store_column_text(s, 9, session->end, sizeof(session->end));
    store_column_addr(s, 10, &session->address);
    store_column_text(s, 11, session->agent, sizeof(session->agent));
    session->factor_at = sqlite3_column_int64(s, 12);
    session->must_change = sqlite3_column_int(s, 13) != 0;
    session->password_at = sqlite3_column_int64(s, 14);
}

enum store_result store_session_add(struct store *store, const struct store_session *session,
                                    int64_t *id)
{
    int64_t factor_at = session->factor_at ? session->factor_at : session->created_at;
    enum store_result result = store_run(
        store, store_bind(store, SQL_SESSION_ADD, "biiiati", session->hash, sizeof(session->hash),
                          session->user, session->created_at, session->expires_at,
                          &session->address, session->agent, factor_at));
    if (result == STORE_OK)
        *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

enum store_result store_session_by_hash(struct store *store, const uint8_t hash[32],
                                        struct store_session *out)
{
    return store_one(store, store_bind(store, SQL_SESSION_BY_HASH, "b", hash, (size_t)32), out,
                     read_session);
}

enum store_result store_session_by_id(struct store *store, int64_t id, struct store_session *out)
{
    return store_one(store, store_bind(store, SQL_SESSION_BY_ID, "i", id), out, read_session);
}

enum store_result store_session_use(struct store *store, int64_t id, int64_t now)
{
    return store_run(store, store_bind(store, SQL_SESSION_USE, "ii", id, now));
}

enum store_result store_session_factor(struct store *store, int64_t id, int64_t now)
{
    return store_run(store, store_bind(store, SQL_SESSION_FACTOR, "ii", id, now));
}

enum store_result store_session_end(struct store *store, int64_t id, int64_t now, const char *end)
{
    return store_run_some(store, store_bind(store, SQL_SESSION_END, "iit", id, now, end),
                          STORE_REFUSED);
}

enum store_result store_session_end_user(struct store *store, int64_t user, int64_t now,
                                         const char *end)
{
    return store_run(store, store_bind(store, SQL_SESSION_END_USER, "iit", user, now, end));
}

enum store_result store_session_sweep(struct store *store, int64_t now, int64_t idle_before,
                                      int64_t forget_before, bool *expired)
{
    enum store_result result =
        store_run_some(store, store_bind(store, SQL_SESSION_EXPIRE, "i", now), STORE_NONE);
    *expired = result == STORE_OK;
    if (result != STORE_FAILED)
        result = store_run(store, store_bind(store, SQL_SESSION_IDLE, "ii", now, idle_before));
    if (result == STORE_OK)
        result = store_run(store, store_bind(store, SQL_SESSION_FORGET, "i", forget_before));
    return result;
}

struct session_each {
    int (*each)(void *owner, const struct store_session *session);
    void *owner;
};

static int each_session(void *owner, const void *row)
{
    struct session_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_session_list(struct store *store, bool live_only,
                                     int (*each)(void *owner, const struct store_session *),
                                     void *owner)
{
    struct session_each call = {each, owner};
    struct store_session session;
    return store_each(store, store_bind(store, SQL_SESSION_LIST, "i", (int64_t)live_only), &session,
                      read_session, each_session, &call);
}

enum store_result store_session_list_user(struct store *store, int64_t user, int64_t after,
                                          unsigned most,
                                          int (*each)(void *owner, const struct store_session *),
                                          void *owner)
{
    struct session_each call = {each, owner};
    struct store_session session;
    return store_each(store,
                      store_bind(store, SQL_SESSION_LIST_USER, "iii", user, after, (int64_t)most),
                      &session, read_session, each_session, &call);
}
