#include "store_sql.h"

#include <string.h>

static void read_user(sqlite3_stmt *s, void *row)
{
    struct store_user *user = row;
    user->id = sqlite3_column_int64(s, 0);
    store_column_text(s, 1, user->name, sizeof(user->name));
    user->disabled = sqlite3_column_int(s, 2) != 0;
    store_column_text(s, 3, user->password, sizeof(user->password));
    user->seed_size = store_column_blob(s, 4, user->seed, sizeof(user->seed));
    user->created_at = sqlite3_column_int64(s, 5);
    user->signed_in_at = sqlite3_column_int64(s, 6);
    user->administrator = sqlite3_column_int(s, 7) != 0;
    user->must_change = sqlite3_column_int(s, 8) != 0;
    user->password_at = sqlite3_column_int64(s, 9);
}

enum store_result store_user_add(struct store *store, const struct store_user *user, int64_t *id)
{
    enum store_result result = store_run(
        store, store_bind(store, SQL_USER_ADD, "titbi", user->name, (int64_t)user->disabled,
                          user->password, user->seed, user->seed_size, user->created_at));
    if (result == STORE_OK)
        *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

enum store_result store_user_by_name(struct store *store, const char *name, struct store_user *out)
{
    return store_one(store, store_bind(store, SQL_USER_BY_NAME, "t", name), out, read_user);
}

enum store_result store_user_by_id(struct store *store, int64_t id, struct store_user *out)
{
    return store_one(store, store_bind(store, SQL_USER_BY_ID, "i", id), out, read_user);
}

enum store_result store_user_set_password(struct store *store, int64_t id, const char *password,
                                          int64_t now)
{
    return store_run_some(store, store_bind(store, SQL_USER_SET_PASSWORD, "iti", id, password, now),
                          STORE_NONE);
}

enum store_result store_user_must_change(struct store *store, int64_t id)
{
    return store_run_some(store, store_bind(store, SQL_USER_MUST_CHANGE, "i", id), STORE_NONE);
}

struct passwords {
    char (*hashes)[STORE_PASSWORD_SIZE];
    size_t count;
};

static void read_hash(sqlite3_stmt *s, void *row)
{
    store_column_text(s, 0, row, STORE_PASSWORD_SIZE);
}

static int put_hash(void *owner, const void *row)
{
    struct passwords *passwords = owner;
    memcpy(passwords->hashes[passwords->count++], row, STORE_PASSWORD_SIZE);
    return 0;
}

enum store_result store_user_passwords(struct store *store, int64_t id, size_t most,
                                       char (*hashes)[STORE_PASSWORD_SIZE], size_t *count)
{
    struct passwords passwords = {hashes, 0};
    char hash[STORE_PASSWORD_SIZE];
    enum store_result result =
        store_each(store, store_bind(store, SQL_USER_PASSWORDS, "ii", id, (int64_t)most), hash,
                   read_hash, put_hash, &passwords);
    *count = passwords.count;
    return result;
}

enum store_result store_user_set_seed(struct store *store, int64_t id, const uint8_t *seed,
                                      size_t size)
{
    return store_run_some(store, store_bind(store, SQL_USER_SET_SEED, "ib", id, seed, size),
                          STORE_NONE);
}

enum store_result store_user_set_disabled(struct store *store, int64_t id, bool disabled)
{
    return store_run_some(
        store, store_bind(store, SQL_USER_SET_DISABLED, "ii", id, (int64_t)disabled), STORE_NONE);
}

enum store_result store_user_set_administrator(struct store *store, int64_t id, bool administrator)
{
    const char *role = administrator ? "administrator" : "user";
    return store_run_some(store, store_bind(store, SQL_USER_SET_ROLE, "it", id, role), STORE_NONE);
}

enum store_result store_user_remove(struct store *store, int64_t id)
{
    return store_run_some(store, store_bind(store, SQL_USER_REMOVE, "i", id), STORE_NONE);
}

enum store_result store_user_use_step(struct store *store, int64_t id, int64_t step, int64_t now)
{
    return store_run_some(store, store_bind(store, SQL_USER_USE_STEP, "iii", id, step, now),
                          STORE_REFUSED);
}

/* A typed callback behind the untyped one. */
struct user_each {
    int (*each)(void *owner, const struct store_user *user);
    void *owner;
};

static int each_user(void *owner, const void *row)
{
    struct user_each *call = owner;
    return call->each(call->owner, row);
}

enum store_result store_user_list(struct store *store,
                                  int (*each)(void *owner, const struct store_user *), void *owner)
{
    struct user_each call = {each, owner};
    struct store_user user;
    return store_each(store, store_bind(store, SQL_USER_LIST, ""), &user, read_user, each_user,
                      &call);
}
