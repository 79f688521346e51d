/* A signed-in person sets a new password: the present one and a code vouch for it. */
#include "asked.h"
#include "factor.h"
#include "gate_link.h"
#include "record_audit.h"
#include "rekey.h"

#include <errno.h>
#include <string.h>

static enum ipc_status change(struct rekey *rekey, union ipc_record *answer)
{
    struct keeper *keeper = rekey->keeper;
    struct factor factor;
    int64_t now = keeper_now();
    enum ipc_status status = rekey_vouched(rekey);
    if (status != IPC_OK)
        return status;
    if (rekey->code[0] || !rekey->vouched) {
        rekey->factor_at = now;
        factor_read(keeper, &rekey->user, rekey->code, now, &factor);
        status = rekey_status(rekey, factor_use(keeper, &rekey->origin, &rekey->user, &factor, now),
                              IPC_WRONG_CODE);
    }
    if (status == IPC_OK)
        status = rekey_status(
            rekey, store_user_set_password(keeper->store, rekey->user.id, rekey->hashed, now),
            IPC_FAILED);
    if (status == IPC_OK)
        status = rekey_session(rekey, "password-changed", now, &answer->enrolled);
    if (status == IPC_OK)
        status = rekey_status(rekey,
                              record_audit(keeper, &rekey->origin, "password-changed", "ok",
                                           rekey->user.name, NULL, NULL),
                              IPC_FAILED);
    return status;
}

int asked_password(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_password *ask = &record->password;
    if (!asked_origin_ok(&ask->origin) || !ipc_text_ok(ask->password, sizeof(ask->password)) ||
        !ipc_text_ok(ask->new_password, sizeof(ask->new_password)) ||
        !ipc_text_ok(ask->code, sizeof(ask->code)))
        return -EPROTO;
    struct rekey *rekey = rekey_new(link, &ask->head, &ask->origin, ask->token, IPC_ENROLLED);
    if (!rekey)
        return -ENOMEM;
    rekey->decide = change;
    rekey->changes = true;
    rekey->verify = rekey->hash = rekey->guess = true;
    memcpy(rekey->password, ask->password, sizeof(rekey->password));
    memcpy(rekey->new_password, ask->new_password, sizeof(rekey->new_password));
    memcpy(rekey->code, ask->code, sizeof(rekey->code));
    enum ipc_status status = rekey_person(rekey);
    if (status == IPC_OK)
        status = rekey_judge_password(rekey);
    rekey_begin(rekey, status);
    return 0;
}
