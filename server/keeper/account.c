#include "account.h"

#include "password.h"

#include <sodium.h>
#include <string.h>

_Static_assert(TOTP_SEED_SIZE + SECRET_OVERHEAD <= STORE_SEED_SIZE, "a sealed seed fits");

enum store_result account_add(struct store *store, const struct secret_key *key, const char *name,
                              const char *password, int64_t now, struct store_user *user,
                              uint8_t seed[TOTP_SEED_SIZE])
{
    *user = (struct store_user){.created_at = now};
    text_copy(user->name, sizeof(user->name), name);
    if (password_hash(password, user->password))
        return STORE_FAILED;
    totp_new_seed(seed);
    user->seed_size = secret_seal(key, name, seed, TOTP_SEED_SIZE, user->seed);
    enum store_result result = store_user_add(store, user, &user->id);
    if (result != STORE_OK)
        sodium_memzero(seed, TOTP_SEED_SIZE);
    return result;
}

/* Who else has come to know a factor may have the link, too. */
static enum store_result uninvite(struct store *store, int64_t user)
{
    enum store_result result = store_invitation_forget(store, user);
    return result == STORE_OK ? store_offer_forget(store, user) : result;
}

enum store_result account_set_password(struct store *store, const struct store_user *user,
                                       const char *password, int64_t now)
{
    char hash[STORE_PASSWORD_SIZE];
    if (password_hash(password, hash))
        return STORE_FAILED;
    enum store_result result = store_user_set_password(store, user->id, hash, now);
    if (result == STORE_OK)
        result = uninvite(store, user->id);
    if (result == STORE_OK)
        result = store_user_must_change(store, user->id);
    if (result == STORE_OK)
        result = store_session_end_user(store, user->id, now, "password-changed");
    return result;
}

enum store_result account_must_change(struct store *store, const struct store_user *user,
                                      int64_t now)
{
    enum store_result result = store_user_must_change(store, user->id);
    if (result == STORE_OK)
        result = store_session_end_user(store, user->id, now, "password-due");
    return result;
}

enum store_result account_new_seed(struct store *store, const struct secret_key *key,
                                   const struct store_user *user, int64_t now,
                                   uint8_t seed[TOTP_SEED_SIZE])
{
    uint8_t sealed[STORE_SEED_SIZE];
    totp_new_seed(seed);
    size_t size = secret_seal(key, user->name, seed, TOTP_SEED_SIZE, sealed);
    enum store_result result = store_user_set_seed(store, user->id, sealed, size);
    if (result == STORE_OK)
        result = store_recovery_set(store, user->id, NULL, 0);
    if (result == STORE_OK)
        result = uninvite(store, user->id);
    if (result == STORE_OK)
        result = store_session_end_user(store, user->id, now, "totp-changed");
    if (result != STORE_OK)
        sodium_memzero(seed, TOTP_SEED_SIZE);
    return result;
}

enum store_result account_set_disabled(struct store *store, const struct store_user *user,
                                       bool disabled, int64_t now)
{
    enum store_result result = store_user_set_disabled(store, user->id, disabled);
    if (result == STORE_OK && disabled)
        result = uninvite(store, user->id);
    if (result == STORE_OK && disabled)
        result = store_session_end_user(store, user->id, now, "user-disabled");
    return result;
}

static enum store_result add_without_factors(struct store *store, const struct secret_key *key,
                                             struct store_user *user, int64_t now)
{
    uint8_t seed[TOTP_SEED_SIZE];
    user->created_at = now;
    totp_new_seed(seed);
    user->seed_size = secret_seal(key, user->name, seed, sizeof(seed), user->seed);
    sodium_memzero(seed, sizeof(seed));
    return store_user_add(store, user, &user->id);
}

enum store_result account_invite(struct store *store, const struct secret_key *key,
                                 struct store_user *user, int64_t now, int64_t expires_at,
                                 uint8_t invitation[ACCOUNT_INVITATION_SIZE])
{
    uint8_t hash[32];
    enum store_result result = user->id ? STORE_OK : add_without_factors(store, key, user, now);
    randombytes_buf(invitation, ACCOUNT_INVITATION_SIZE);
    crypto_hash_sha256(hash, invitation, ACCOUNT_INVITATION_SIZE);
    if (result == STORE_OK)
        result = store_invitation_set(store, user->id, hash, now, expires_at);
    if (result == STORE_OK)
        result = store_offer_forget(store, user->id);
    if (result != STORE_OK)
        sodium_memzero(invitation, ACCOUNT_INVITATION_SIZE);
    return result;
}
