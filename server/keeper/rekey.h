/* People change their own factors. What all these acts have in common: a password to be verified
 * or hashed in the pool, guesses that are throttled in their session, a decision in one
 * transaction, and a new session in place of all that were. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"
#include "password_policy.h"
#include "pool.h"
#include "throttle.h"

struct rekey {
    struct rekey *next; /* of keeper->rekeys, while the pool works */
    struct pool_job job;
    struct gate_link *gate; /* referenced */
    struct keeper *keeper;
    uint32_t request;
    enum ipc_type answer_type; /* ENROL_OFFER or ENROLLED */
    struct ipc_origin origin;
    uint8_t token[IPC_TOKEN_SIZE];
    int64_t session;   /* its number */
    int64_t factor_at; /* when its second factor was shown */
    struct store_user user;
    struct throttle_keys keys;
    char password[IPC_PASSWORD_SIZE]; /* the present one */
    char new_password[IPC_PASSWORD_SIZE];
    char code[IPC_CODE_SIZE];
    bool verify, hash; /* what the pool has to do */
    bool changes;      /* the password: also allowed when that is due */
    bool vouched;      /* … and due it is, right behind the sign-in: its code will do */
    bool guess;        /* a wrong password or code makes the next one wait */
    bool unjudged;     /* … or not, for lack of memory */
    bool right;        /* … and has found: `password` is the one of this hash: */
    char verified[STORE_PASSWORD_SIZE];
    char hashed[STORE_PASSWORD_SIZE];
    char before[CONF_HISTORY_MOST + 1][STORE_PASSWORD_SIZE]; /* that may not be taken again */
    size_t before_count;
    enum password_fault fault; /* of the new password */
    /* Within a transaction, which is committed when it gives IPC_OK and rolled back otherwise.
     * Fills in the answer. */
    enum ipc_status (*decide)(struct rekey *rekey, union ipc_record *answer);
};

/* A new one, or NULL. `origin`'s texts are checked already. */
struct rekey *rekey_new(struct gate_link *gate, const struct ipc_head *ask,
                        const struct ipc_origin *origin, const uint8_t token[IPC_TOKEN_SIZE],
                        enum ipc_type answer_type);

/* `status` is what is known before anything is computed: with IPC_OK the work begins, and answer
 * and end come by themselves; otherwise the answer goes out now. Takes `rekey` in any case. */
void rekey_begin(struct rekey *rekey, enum ipc_status status);

/* Whether the new password may be used, as far as that is told at once: OK or WEAK_PASSWORD; the
 * pool looks at those of before. FAILED. */
enum ipc_status rekey_judge_password(struct rekey *rekey);

/* For decide(): the person behind the session, as the store has it now. OK, NO_SESSION,
 * PASSWORD_DUE, FAILED. */
enum ipc_status rekey_person(struct rekey *rekey);

/* For decide(): the same, and the verified password is still the person's. Also WRONG_PASSWORD. */
enum ipc_status rekey_vouched(struct rekey *rekey);

/* For decide(): ends all sessions for `reason`, and begins one in the answer; its second factor
 * counts as shown at rekey->factor_at. */
enum ipc_status rekey_session(struct rekey *rekey, const char *reason, int64_t now,
                              struct ipc_enrolled *enrolled);

/* For decide(): what a store's result means here. */
enum ipc_status rekey_status(struct rekey *rekey, enum store_result result,
                             enum ipc_status otherwise);
