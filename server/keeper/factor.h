/* The second factor as a person types it: a TOTP code, or a recovery code in its place. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"

struct factor {
    bool totp; /* the code is right for `step` */
    int64_t step;
    bool recovery; /* it is an unused recovery code, with this hash */
    uint8_t hash[32];
};

/* Looks at what was typed. `user` NULL: somebody unknown; the same work. */
void factor_read(struct keeper *keeper, const struct store_user *user, const char *code,
                 int64_t now, struct factor *out);

/* Uses it up and notes the sign-in, within the caller's transaction. OK; REFUSED: wrong, used
 * before, or the person is disabled; FAILED. */
enum store_result factor_use(struct keeper *keeper, const struct ipc_origin *origin,
                             const struct store_user *user, const struct factor *factor,
                             int64_t now);
