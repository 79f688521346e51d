/* The second factor once more, within a session: for desktops and pages that want it fresh. No
 * password is asked, so there is nothing to hash, and the answer comes at once. */
#include "asked.h"
#include "factor.h"
#include "gate_link.h"
#include "record_audit.h"
#include "session.h"
#include "throttle.h"

#include <errno.h>
#include <string.h>

struct step_up {
    struct keeper *keeper;
    const struct ipc_factor *ask;
    struct store_session session;
    struct store_user user;
    struct throttle_keys keys;
    int64_t now;
};

/* How long to wait before the next guess. It counts in the session alone: whoever guesses at the
 * sign-in from the same place must not keep out who is in. */
static enum store_result prepare(struct step_up *step, int64_t *wait)
{
    static const struct throttle_under_way nobody = {0};
    struct keeper *keeper = step->keeper;
    enum store_result result = session_find(keeper, step->ask->token, &step->session);
    if (result == STORE_OK)
        result = store_user_by_id(keeper->store, step->session.user, &step->user);
    if (result != STORE_OK)
        return result;
    throttle_keys_session(&step->keys, step->session.id, step->user.id);
    return throttle_check(keeper->store, keeper->conf, &step->keys, &nobody, step->now, wait);
}

static enum store_result accept_factor(struct step_up *step, const struct factor *factor)
{
    struct keeper *keeper = step->keeper;
    const struct ipc_origin *origin = &step->ask->origin;
    enum store_result result = factor_use(keeper, origin, &step->user, factor, step->now);
    if (result == STORE_OK)
        result = store_session_factor(keeper->store, step->session.id, step->now);
    if (result == STORE_OK)
        result = throttle_succeeded(keeper->store, &step->keys);
    if (result == STORE_OK)
        result = record_audit(keeper, origin, "second-factor", "ok", step->user.name, NULL, NULL);
    return result;
}

static enum store_result refuse_factor(struct step_up *step)
{
    struct keeper *keeper = step->keeper;
    enum store_result result = throttle_failed(keeper->store, keeper->conf, &step->keys, step->now);
    if (result == STORE_OK)
        result = record_audit(keeper, &step->ask->origin, "second-factor", "denied",
                              step->user.name, NULL, NULL);
    return result;
}

/* OK: it was right and is used up; REFUSED: it was not, and that is written down; FAILED. */
static enum store_result judge(struct step_up *step)
{
    struct keeper *keeper = step->keeper;
    struct factor factor;
    factor_read(keeper, &step->user, step->ask->code, step->now, &factor);
    if (store_begin(keeper->store) != STORE_OK)
        return STORE_FAILED;
    enum store_result verdict = accept_factor(step, &factor);
    enum store_result written = verdict == STORE_REFUSED ? refuse_factor(step) : verdict;
    if (written != STORE_OK) {
        store_rollback(keeper->store);
        return STORE_FAILED;
    }
    return store_commit(keeper->store) == STORE_OK ? verdict : STORE_FAILED;
}

static enum ipc_status told(struct keeper *keeper, enum store_result verdict)
{
    return verdict == STORE_REFUSED ? IPC_WRONG_CODE : asked_status(keeper, verdict);
}

int asked_factor(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_factor *ask = &record->factor;
    struct step_up step = {.keeper = link->keeper, .ask = ask, .now = keeper_now()};
    struct ipc_factor_shown answer;
    int64_t wait = 0;
    if (!asked_origin_ok(&ask->origin) || !ipc_text_ok(ask->code, sizeof(ask->code)))
        return -EPROTO;
    IPC_INIT(&answer, FACTOR_SHOWN, ask->head.request);
    enum ipc_status status = asked_status(link->keeper, prepare(&step, &wait));
    if (status == IPC_OK && wait)
        status = IPC_THROTTLED;
    if (status == IPC_OK)
        status = told(link->keeper, judge(&step));
    answer.status = (uint8_t)status;
    answer.retry_seconds = (uint32_t)wait;
    gate_link_send(link, &answer.head, -1);
    explicit_bzero(&step, sizeof(step));
    return 0;
}
