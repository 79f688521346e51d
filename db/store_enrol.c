#include "store_sql.h"

static void read_number(sqlite3_stmt *s, void *row)
{
    *(int64_t *)row = sqlite3_column_int64(s, 0);
}

enum store_result store_invitation_set(struct store *store, int64_t user, const uint8_t hash[32],
                                       int64_t now, int64_t expires_at)
{
    return store_run(store, store_bind(store, SQL_INVITATION_SET, "ibii", user, hash, (size_t)32,
                                       now, expires_at));
}

enum store_result store_invitation_user(struct store *store, const uint8_t hash[32], int64_t now,
                                        int64_t *user)
{
    return store_one(store, store_bind(store, SQL_INVITATION_USER, "bi", hash, (size_t)32, now),
                     user, read_number);
}

static void read_until(sqlite3_stmt *s, void *row)
{
    *(int64_t *)row = sqlite3_column_int64(s, 0);
}

enum store_result store_invitation_until(struct store *store, int64_t user, int64_t now,
                                         int64_t *until)
{
    return store_one(store, store_bind(store, SQL_INVITATION_UNTIL, "ii", user, now), until,
                     read_until);
}

enum store_result store_invitation_forget(struct store *store, int64_t user)
{
    return store_run(store, store_bind(store, SQL_INVITATION_FORGET, "i", user));
}

enum store_result store_offer_set(struct store *store, int64_t user, const uint8_t *seed,
                                  size_t size, int64_t expires_at)
{
    return store_run(store, store_bind(store, SQL_OFFER_SET, "ibi", user, seed, size, expires_at));
}

struct offer {
    uint8_t *seed;
    size_t size;
};

static void read_offer(sqlite3_stmt *s, void *row)
{
    struct offer *offer = row;
    offer->size = store_column_blob(s, 0, offer->seed, STORE_SEED_SIZE);
}

enum store_result store_offer_get(struct store *store, int64_t user, int64_t now, uint8_t *seed,
                                  size_t *size)
{
    struct offer offer = {.seed = seed};
    enum store_result result =
        store_one(store, store_bind(store, SQL_OFFER_GET, "ii", user, now), &offer, read_offer);
    *size = offer.size;
    return result;
}

enum store_result store_offer_forget(struct store *store, int64_t user)
{
    return store_run(store, store_bind(store, SQL_OFFER_FORGET, "i", user));
}

enum store_result store_recovery_set(struct store *store, int64_t user, const uint8_t (*hashes)[32],
                                     size_t count)
{
    enum store_result result = store_run(store, store_bind(store, SQL_RECOVERY_CLEAR, "i", user));
    for (size_t i = 0; i < count && result == STORE_OK; i++)
        result = store_run(store,
                           store_bind(store, SQL_RECOVERY_ADD, "ib", user, hashes[i], (size_t)32));
    return result;
}

enum store_result store_recovery_known(struct store *store, int64_t user, const uint8_t hash[32])
{
    int64_t found;
    return store_one(store, store_bind(store, SQL_RECOVERY_KNOWN, "ib", user, hash, (size_t)32),
                     &found, read_number);
}

enum store_result store_recovery_use(struct store *store, int64_t user, const uint8_t hash[32],
                                     int64_t now)
{
    enum store_result result = store_run_some(
        store, store_bind(store, SQL_RECOVERY_USE, "ibi", user, hash, (size_t)32, now),
        STORE_REFUSED);
    if (result == STORE_OK)
        result = store_run(store, store_bind(store, SQL_USER_SIGNED_IN, "ii", user, now));
    return result;
}

enum store_result store_recovery_left(struct store *store, int64_t user, unsigned *count)
{
    int64_t left = 0;
    enum store_result result =
        store_one(store, store_bind(store, SQL_RECOVERY_LEFT, "i", user), &left, read_number);
    *count = (unsigned)left;
    return result;
}
