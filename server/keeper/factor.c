#include "factor.h"

#include "log.h"
#include "record_audit.h"
#include "recovery.h"
#include "totp.h"

#include <sodium.h>
#include <stdio.h>

void factor_read(struct keeper *keeper, const struct store_user *user, const char *code,
                 int64_t now, struct factor *out)
{
    uint8_t seed[STORE_SEED_SIZE] = {0};
    *out = (struct factor){0};
    bool opened = user && secret_open(&keeper->key, user->name, user->seed, user->seed_size, seed);
    if (user && !opened)
        LOG_ERROR("secret", "a person's TOTP seed cannot be opened: is secret.key the right one?",
                  LOG_TEXT("who", user->name));
    bool right = totp_matches(seed, TOTP_SEED_SIZE, code, now, &out->step);
    sodium_memzero(seed, sizeof(seed));
    out->totp = right && opened;
    int64_t id = user ? user->id : 0;
    bool formed = recovery_hash(id, code, out->hash);
    bool known = store_recovery_known(keeper->store, id, out->hash) == STORE_OK;
    out->recovery = formed && known;
}

enum store_result factor_use(struct keeper *keeper, const struct ipc_origin *origin,
                             const struct store_user *user, const struct factor *factor,
                             int64_t now)
{
    unsigned left = 0;
    char detail[32];
    if (factor->totp)
        return store_user_use_step(keeper->store, user->id, factor->step, now);
    if (!factor->recovery)
        return STORE_REFUSED;
    enum store_result result = store_recovery_use(keeper->store, user->id, factor->hash, now);
    if (result == STORE_OK)
        result = store_recovery_left(keeper->store, user->id, &left);
    if (result != STORE_OK)
        return result;
    snprintf(detail, sizeof(detail), "left=%u", left);
    return record_audit(keeper, origin, "recovery-code", "ok", user->name, NULL, detail);
}
