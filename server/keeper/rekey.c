#include "rekey.h"

#include "asked.h"
#include "gate_link.h"
#include "live.h"
#include "owner.h"
#include "password.h"
#include "record_audit.h"
#include "session.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct rekey *rekey_new(struct gate_link *gate, const struct ipc_head *ask,
                        const struct ipc_origin *origin, const uint8_t token[IPC_TOKEN_SIZE],
                        enum ipc_type answer_type)
{
    struct rekey *rekey = calloc(1, sizeof(*rekey));
    if (!rekey)
        return NULL;
    rekey->gate = gate_link_ref(gate);
    rekey->keeper = gate->keeper;
    rekey->request = ask->request;
    rekey->answer_type = answer_type;
    rekey->origin = *origin;
    memcpy(rekey->token, token, IPC_TOKEN_SIZE);
    return rekey;
}

static void rekey_free(struct rekey *rekey)
{
    struct rekey **at = &rekey->keeper->rekeys;
    while (*at && *at != rekey)
        at = &(*at)->next;
    if (*at)
        *at = rekey->next;
    gate_link_unref(rekey->gate);
    sodium_memzero(rekey, sizeof(*rekey));
    free(rekey);
}

/* ---- answering ---- */

static void init_answer(const struct rekey *rekey, union ipc_record *answer)
{
    if (rekey->answer_type == IPC_ENROL_OFFER)
        IPC_INIT(&answer->enrol_offer, ENROL_OFFER, rekey->request);
    else
        IPC_INIT(&answer->enrolled, ENROLLED, rekey->request);
}

static void send_answer(struct rekey *rekey, union ipc_record *answer, enum ipc_status status,
                        int64_t retry)
{
    if (rekey->answer_type == IPC_ENROL_OFFER) {
        answer->enrol_offer.status = (uint8_t)status;
        answer->enrol_offer.retry_seconds = (uint32_t)retry;
    } else {
        answer->enrolled.status = (uint8_t)status;
        answer->enrolled.retry_seconds = (uint32_t)retry;
    }
    gate_link_send(rekey->gate, &answer->head, -1);
    sodium_memzero(answer, sizeof(*answer));
}

static void tell_fault(const struct rekey *rekey, struct ipc_enrolled *enrolled)
{
    password_policy_words(rekey->keeper->conf, rekey->fault, enrolled->words);
    text_copy(enrolled->reason, sizeof(enrolled->reason), password_policy_name(rekey->fault));
}

static void answer_now(struct rekey *rekey, enum ipc_status status, int64_t retry)
{
    union ipc_record answer;
    init_answer(rekey, &answer);
    if (status == IPC_WEAK_PASSWORD)
        tell_fault(rekey, &answer.enrolled);
    send_answer(rekey, &answer, status, retry);
    rekey_free(rekey);
}

/* ---- deciding ---- */

enum ipc_status rekey_status(struct rekey *rekey, enum store_result result,
                             enum ipc_status otherwise)
{
    if (result == STORE_OK)
        return IPC_OK;
    if (result != STORE_FAILED)
        return otherwise;
    return asked_failed(rekey->keeper);
}

enum ipc_status rekey_person(struct rekey *rekey)
{
    struct store_session session;
    enum store_result result = rekey->changes
                                   ? session_find_due(rekey->keeper, rekey->token, &session)
                                   : session_find(rekey->keeper, rekey->token, &session);
    if (result == STORE_REFUSED)
        return IPC_PASSWORD_DUE;
    if (result == STORE_OK)
        rekey->vouched = rekey->changes && session_vouched_seconds(rekey->keeper, &session) > 0;
    if (result == STORE_OK) {
        rekey->session = session.id;
        rekey->factor_at = session.factor_at;
        result = store_user_by_id(rekey->keeper->store, session.user, &rekey->user);
    }
    return rekey_status(rekey, result, IPC_NO_SESSION);
}

enum ipc_status rekey_judge_password(struct rekey *rekey)
{
    const struct conf *conf = rekey->keeper->conf;
    size_t most = conf->password_history ? conf->password_history + 1 : 0; /* and the present one */
    rekey->fault = password_policy_judge(conf, rekey->user.name, rekey->new_password);
    if (rekey->fault != PASSWORD_FITS)
        return IPC_WEAK_PASSWORD;
    return rekey_status(rekey,
                        store_user_passwords(rekey->keeper->store, rekey->user.id, most,
                                             rekey->before, &rekey->before_count),
                        IPC_FAILED);
}

enum ipc_status rekey_vouched(struct rekey *rekey)
{
    enum ipc_status status = rekey->right ? rekey_person(rekey) : IPC_WRONG_PASSWORD;
    if (status == IPC_OK && strcmp(rekey->verified, rekey->user.password) != 0)
        status = IPC_WRONG_PASSWORD; /* changed while we hashed */
    return status;
}

enum ipc_status rekey_session(struct rekey *rekey, const char *reason, int64_t now,
                              struct ipc_enrolled *enrolled)
{
    struct keeper *keeper = rekey->keeper;
    enum store_result result = store_session_end_user(keeper->store, rekey->user.id, now, reason);
    if (result == STORE_OK)
        result = session_begin(keeper, &rekey->origin, rekey->user.id, now, rekey->factor_at,
                               enrolled->token, &enrolled->expires);
    text_copy(enrolled->username, sizeof(enrolled->username), rekey->user.name);
    return rekey_status(rekey, result, IPC_FAILED);
}

/* A wrong guess counts in its session, where no stranger can make somebody wait. */
static void count_guess(struct rekey *rekey, enum ipc_status status)
{
    struct keeper *keeper = rekey->keeper;
    if (!rekey->guess || (status != IPC_WRONG_PASSWORD && status != IPC_WRONG_CODE))
        return;
    if (throttle_failed(keeper->store, keeper->conf, &rekey->keys, keeper_now()) != STORE_OK)
        rekey_status(rekey, STORE_FAILED, IPC_FAILED);
    record_audit(keeper, &rekey->origin, "re-authentication", "denied", rekey->user.name, NULL,
                 status == IPC_WRONG_CODE ? "code" : "password");
}

static enum ipc_status decide(struct rekey *rekey, union ipc_record *answer)
{
    struct store *store = rekey->keeper->store;
    if (store_begin(store) != STORE_OK)
        return rekey_status(rekey, STORE_FAILED, IPC_FAILED);
    enum ipc_status status = rekey->decide(rekey, answer);
    if (status == IPC_OK && rekey->guess && throttle_succeeded(store, &rekey->keys) != STORE_OK)
        status = IPC_FAILED;
    if (status != IPC_OK) {
        store_rollback(store);
        return status;
    }
    return rekey_status(rekey, store_commit(store), IPC_FAILED);
}

static void finish(struct rekey *rekey)
{
    struct keeper *keeper = rekey->keeper;
    union ipc_record answer;
    init_answer(rekey, &answer);
    enum ipc_status status = decide(rekey, &answer);
    count_guess(rekey, status);
    if (status != IPC_OK)
        init_answer(rekey, &answer); /* nothing of what did not come about */
    send_answer(rekey, &answer, status, 0);
    if (status == IPC_OK)
        live_review_person(keeper, rekey->user.id);
    rekey_free(rekey);
}

/* ---- the pool ---- */

static void work(struct pool_job *job)
{
    struct rekey *rekey = OWNER_OF(job, struct rekey, job);
    memcpy(rekey->verified, rekey->user.password, sizeof(rekey->verified));
    if (rekey->verify)
        rekey->unjudged = password_judge(rekey->verified, rekey->password, &rekey->right) != 0;
    if (rekey->hash &&
        password_policy_used(rekey->new_password, rekey->before, rekey->before_count))
        rekey->fault = PASSWORD_USED;
    if (rekey->hash && password_hash(rekey->new_password, rekey->hashed))
        rekey->hashed[0] = '\0';
}

static void on_worked(struct pool_job *job)
{
    struct rekey *rekey = OWNER_OF(job, struct rekey, job);
    if (rekey->gate->gone)
        rekey_free(rekey);
    else if (job->late || rekey->unjudged)
        answer_now(rekey, IPC_BUSY, ASKED_BUSY_SECONDS);
    else if (rekey->hash && !rekey->hashed[0])
        answer_now(rekey, IPC_FAILED, 0);
    else if (rekey->fault != PASSWORD_FITS && (rekey->right || !rekey->verify))
        answer_now(rekey, IPC_WEAK_PASSWORD, 0); /* told only to who knows the present one */
    else
        finish(rekey);
}

/* One at a time for each person: else many guesses at once would be judged before the first of
 * them counts. */
static bool under_way(const struct rekey *rekey)
{
    for (const struct rekey *other = rekey->keeper->rekeys; other; other = other->next) {
        if (other->user.id == rekey->user.id)
            return true;
    }
    return false;
}

/* How long to wait before the next guess; FAILED. */
static enum ipc_status throttled(struct rekey *rekey, int64_t *wait)
{
    static const struct throttle_under_way nobody = {0};
    struct keeper *keeper = rekey->keeper;
    throttle_keys_session(&rekey->keys, rekey->session, rekey->user.id);
    enum ipc_status status = rekey_status(
        rekey,
        throttle_check(keeper->store, keeper->conf, &rekey->keys, &nobody, keeper_now(), wait),
        IPC_FAILED);
    return status == IPC_OK && *wait ? IPC_THROTTLED : status;
}

void rekey_begin(struct rekey *rekey, enum ipc_status status)
{
    struct keeper *keeper = rekey->keeper;
    int64_t wait = 0;
    if (status == IPC_OK && under_way(rekey)) {
        status = IPC_BUSY;
        wait = 1;
    }
    if (status == IPC_OK && rekey->guess)
        status = throttled(rekey, &wait);
    if (status != IPC_OK) {
        answer_now(rekey, status, wait);
        return;
    }
    if (!rekey->verify && !rekey->hash) {
        finish(rekey);
        return;
    }
    rekey->job.work = work;
    rekey->job.finished = on_worked;
    if (pool_submit(keeper->hashers, &rekey->job, keeper->conf->login_deadline_seconds * 1000ULL)) {
        answer_now(rekey, IPC_BUSY, ASKED_BUSY_SECONDS);
        return;
    }
    rekey->next = keeper->rekeys;
    keeper->rekeys = rekey;
}
