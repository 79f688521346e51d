#include "session.h"

#include "live.h"
#include "password_policy.h"

#include <sodium.h>

#define TOUCH_SECONDS 30
#define VOUCHED_SECONDS 300

void session_hash(const uint8_t token[IPC_TOKEN_SIZE], uint8_t hash[32])
{
    crypto_hash_sha256(hash, token, IPC_TOKEN_SIZE);
}

static bool stands(struct keeper *keeper, const struct store_session *session, int64_t now)
{
    if (session->ended_at || session->user_disabled || session->expires_at <= now)
        return false;
    /* An open tunnel is use: whoever works in a desktop is not idle. */
    return now - session->used_at < (int64_t)keeper->conf->session_idle_seconds ||
           live_in_session(keeper, session->id);
}

/* Not every request writes. */
static void touch(struct keeper *keeper, const struct store_session *session, int64_t now)
{
    if (now - session->used_at >= TOUCH_SECONDS)
        store_session_use(keeper->store, session->id, now); /* lost: it idles out a little early */
}

static enum store_result if_it_stands(struct keeper *keeper, enum store_result result,
                                      struct store_session *session)
{
    return result == STORE_OK && !stands(keeper, session, keeper_now()) ? STORE_NONE : result;
}

static enum store_result used(struct keeper *keeper, enum store_result result,
                              const struct store_session *session)
{
    if (result == STORE_OK)
        touch(keeper, session, keeper_now());
    return result;
}

bool session_password_due(const struct keeper *keeper, const struct store_session *session)
{
    return session->must_change ||
           password_policy_left(keeper->conf, session->password_at, keeper_now()) == 0;
}

int64_t session_vouched_seconds(const struct keeper *keeper, const struct store_session *session)
{
    int64_t left = session->factor_at + VOUCHED_SECONDS - keeper_now();
    if (left <= 0 || !session_password_due(keeper, session))
        return 0;
    return left < VOUCHED_SECONDS ? left : VOUCHED_SECONDS;
}

/* All that a session is for asks here, so that nothing is forgotten. */
static enum store_result if_nothing_is_due(struct keeper *keeper, enum store_result result,
                                           const struct store_session *session)
{
    return result == STORE_OK && session_password_due(keeper, session) ? STORE_REFUSED : result;
}

static enum store_result by_token(struct keeper *keeper, const uint8_t token[IPC_TOKEN_SIZE],
                                  struct store_session *out)
{
    uint8_t hash[32];
    session_hash(token, hash);
    return if_it_stands(keeper, store_session_by_hash(keeper->store, hash, out), out);
}

enum store_result session_find_due(struct keeper *keeper, const uint8_t token[IPC_TOKEN_SIZE],
                                   struct store_session *out)
{
    return used(keeper, by_token(keeper, token, out), out);
}

enum store_result session_look(struct keeper *keeper, const uint8_t token[IPC_TOKEN_SIZE],
                               struct store_session *out)
{
    return if_nothing_is_due(keeper, by_token(keeper, token, out), out);
}

enum store_result session_find(struct keeper *keeper, const uint8_t token[IPC_TOKEN_SIZE],
                               struct store_session *out)
{
    return if_nothing_is_due(keeper, session_find_due(keeper, token, out), out);
}

enum store_result session_by_id(struct keeper *keeper, int64_t id, struct store_session *out)
{
    enum store_result result = store_session_by_id(keeper->store, id, out);
    return if_nothing_is_due(keeper, used(keeper, if_it_stands(keeper, result, out), out), out);
}

enum store_result session_begin(struct keeper *keeper, const struct ipc_origin *origin,
                                int64_t user, int64_t now, int64_t factor_at,
                                uint8_t token[IPC_TOKEN_SIZE], int64_t *expires)
{
    struct store_session session = {
        .user = user, .created_at = now, .factor_at = factor_at, .address = origin->address};
    int64_t id;
    randombytes_buf(token, IPC_TOKEN_SIZE);
    session_hash(token, session.hash);
    session.expires_at = now + (int64_t)keeper->conf->session_absolute_seconds;
    text_copy(session.agent, sizeof(session.agent), origin->agent);
    *expires = session.expires_at;
    return store_session_add(keeper->store, &session, &id);
}
