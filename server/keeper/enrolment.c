/* Enrolment by the people themselves: with an administrator's invitation they set a password and
 * confirm a second factor; signed in, they move the second factor to another device. Offered first,
 * and in force only when a code of it has come back. */
#include "asked.h"
#include "gate_link.h"
#include "may.h"
#include "record_audit.h"
#include "recovery.h"
#include "rekey.h"
#include "session.h"
#include "store_policy.h"
#include "totp.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define DEVICE_OFFER_SECONDS (15 * 60) /* an invitation's lives as long as that */
#define ISSUER "deskgate" /* when the gateway's name is too long for an authenticator's address */

/* ---- the offer ---- */

static enum ipc_status write_offer(struct rekey *rekey, uint8_t seed[TOTP_SEED_SIZE],
                                   struct ipc_enrol_offer *offer)
{
    const char *issuer = rekey->keeper->conf->name;
    text_copy(offer->username, sizeof(offer->username), rekey->user.name);
    totp_base32(seed, offer->secret);
    bool fits = totp_uri(seed, issuer[0] ? issuer : ISSUER, rekey->user.name, offer->uri) ||
                totp_uri(seed, ISSUER, rekey->user.name, offer->uri);
    sodium_memzero(seed, TOTP_SEED_SIZE);
    return fits ? IPC_OK : IPC_FAILED;
}

/* What an offer is sealed for: the invitation or the session that asked. Whoever holds an
 * invitation must not see what a person moves to, nor a session plant what an invitation shows. No
 * name of a person looks like it. */
static void name_asker(const struct rekey *rekey, char name[TEXT_NAME_SIZE])
{
    uint8_t hash[32];
    session_hash(rekey->token, hash);
    memcpy(name, "o:", 2);
    text_hex(name + 2, hash, (TEXT_NAME_SIZE - 3) / 2);
}

/* The seed on offer. NONE: none, too old, or another asker's. */
static enum store_result stored_offer(struct rekey *rekey, uint8_t seed[TOTP_SEED_SIZE])
{
    struct keeper *keeper = rekey->keeper;
    uint8_t sealed[STORE_SEED_SIZE], opened[STORE_SEED_SIZE];
    char asker[TEXT_NAME_SIZE];
    size_t size;
    enum store_result result =
        store_offer_get(keeper->store, rekey->user.id, keeper_now(), sealed, &size);
    if (result != STORE_OK)
        return result;
    name_asker(rekey, asker);
    bool good = size == TOTP_SEED_SIZE + SECRET_OVERHEAD &&
                secret_open(&keeper->key, asker, sealed, size, opened);
    if (good)
        memcpy(seed, opened, TOTP_SEED_SIZE);
    sodium_memzero(opened, sizeof(opened));
    return good ? STORE_OK : STORE_NONE;
}

/* Wipes the seed. */
static enum ipc_status offer_until(struct rekey *rekey, uint8_t seed[TOTP_SEED_SIZE],
                                   int64_t expires_at, struct ipc_enrol_offer *offer)
{
    struct keeper *keeper = rekey->keeper;
    uint8_t sealed[STORE_SEED_SIZE];
    char asker[TEXT_NAME_SIZE];
    name_asker(rekey, asker);
    size_t size = secret_seal(&keeper->key, asker, seed, TOTP_SEED_SIZE, sealed);
    enum store_result result =
        store_offer_set(keeper->store, rekey->user.id, sealed, size, expires_at);
    enum ipc_status status = write_offer(rekey, seed, offer);
    return result == STORE_OK ? status : rekey_status(rekey, result, IPC_FAILED);
}

/* It ends in a session, so the rules are those of the sign-in: OK, NOT_FROM_HERE, NOT_NOW, FAILED.
 * Whose account is not valid yet may get ready. */
static enum ipc_status may_come(struct rekey *rekey)
{
    struct keeper *keeper = rekey->keeper;
    struct store_person_policy policy;
    struct decision decision = {0};
    int64_t now = keeper_now();
    enum store_result result = store_policy_person(keeper->store, rekey->user.id, &policy);
    if (result == STORE_OK)
        result = may_judge_person(keeper->store, rekey->user.id, &rekey->origin.address,
                                  now < policy.valid_from ? policy.valid_from : now, &decision);
    if (result != STORE_OK || decision.rule == DECISION_ALLOWED)
        return rekey_status(rekey, result, IPC_BAD_INVITATION);
    record_note(keeper, &rekey->origin, "invitation", "denied", rekey->user.name, decision.words);
    return decision.rule == DECISION_ACCOUNT_DATES ? IPC_NOT_NOW : IPC_NOT_FROM_HERE;
}

/* Who holds the invitation now: OK with rekey->user, BAD_INVITATION, FAILED; or as may_come(). */
static enum ipc_status invited(struct rekey *rekey)
{
    struct keeper *keeper = rekey->keeper;
    uint8_t hash[32];
    int64_t user;
    session_hash(rekey->token, hash);
    enum store_result result = store_invitation_user(keeper->store, hash, keeper_now(), &user);
    if (result == STORE_OK)
        result = store_user_by_id(keeper->store, user, &rekey->user);
    enum ipc_status status = rekey_status(rekey, result, IPC_BAD_INVITATION);
    if (status == IPC_BAD_INVITATION)
        record_note(keeper, &rekey->origin, "invitation", "denied", NULL, NULL);
    return status == IPC_OK ? may_come(rekey) : status;
}

/* An offer that still stands is shown again: a reload of the page must not change the QR code. It
 * lives as long as its invitation: people take their time, and scan only once. */
static enum ipc_status offer_to_invited(struct rekey *rekey, union ipc_record *answer)
{
    uint8_t seed[TOTP_SEED_SIZE];
    int64_t until = 0;
    enum store_result result =
        store_invitation_until(rekey->keeper->store, rekey->user.id, keeper_now(), &until);
    if (result != STORE_OK)
        return rekey_status(rekey, result, IPC_BAD_INVITATION);
    result = stored_offer(rekey, seed);
    if (result == STORE_NONE)
        totp_new_seed(seed);
    else if (result != STORE_OK)
        return rekey_status(rekey, result, IPC_FAILED);
    return offer_until(rekey, seed, until, &answer->enrol_offer);
}

static enum ipc_status offer_new_device(struct rekey *rekey, union ipc_record *answer)
{
    uint8_t seed[TOTP_SEED_SIZE];
    enum ipc_status status = rekey_vouched(rekey);
    if (status != IPC_OK)
        return status;
    totp_new_seed(seed);
    return offer_until(rekey, seed, keeper_now() + DEVICE_OFFER_SECONDS, &answer->enrol_offer);
}

int asked_enrol_begin(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_enrol_begin *ask = &record->enrol_begin;
    if (!asked_origin_ok(&ask->origin) || !ipc_text_ok(ask->password, sizeof(ask->password)) ||
        ask->kind > IPC_ENROL_NEW_DEVICE)
        return -EPROTO;
    struct rekey *rekey = rekey_new(link, &ask->head, &ask->origin, ask->token, IPC_ENROL_OFFER);
    if (!rekey)
        return -ENOMEM;
    if (ask->kind == IPC_ENROL_INVITATION) {
        rekey->decide = offer_to_invited;
        rekey_begin(rekey, invited(rekey));
        return 0;
    }
    rekey->decide = offer_new_device;
    rekey->verify = rekey->guess = true;
    memcpy(rekey->password, ask->password, sizeof(rekey->password));
    rekey_begin(rekey, rekey_person(rekey));
    return 0;
}

/* ---- the confirmation ---- */

/* The code against the seed on offer; with OK that seed is the person's, its step used up, and the
 * answer has new recovery codes. OFFER_GONE is no wrong guess: there is nothing to guess at. */
static enum ipc_status take_offer(struct rekey *rekey, int64_t now, struct ipc_enrolled *enrolled)
{
    struct store *store = rekey->keeper->store;
    uint8_t sealed[STORE_SEED_SIZE], seed[TOTP_SEED_SIZE];
    int64_t step = 0, user = rekey->user.id;
    enum store_result result = stored_offer(rekey, seed);
    if (result != STORE_OK)
        return rekey_status(rekey, result, IPC_OFFER_GONE);
    bool right = totp_matches(seed, sizeof(seed), rekey->code, now, &step);
    size_t size = secret_seal(&rekey->keeper->key, rekey->user.name, seed, sizeof(seed), sealed);
    sodium_memzero(seed, sizeof(seed));
    if (!right)
        return IPC_WRONG_CODE;
    result = store_user_set_seed(store, user, sealed, size);
    if (result == STORE_OK)
        result = store_user_use_step(store, user, step, now);
    if (result == STORE_OK)
        result = recovery_renew(store, user, enrolled->recovery);
    if (result == STORE_OK)
        result = store_offer_forget(store, user);
    if (result == STORE_OK)
        result = store_invitation_forget(store, user);
    enrolled->recovery_count = IPC_RECOVERY_CODES;
    return rekey_status(rekey, result, IPC_FAILED);
}

static enum ipc_status confirm(struct rekey *rekey, const char *reason,
                               struct ipc_enrolled *enrolled)
{
    int64_t now = keeper_now();
    enum ipc_status status = take_offer(rekey, now, enrolled);
    rekey->factor_at = now; /* with the new device's code */
    if (status == IPC_OK)
        status = rekey_session(rekey, reason, now, enrolled);
    if (status == IPC_OK)
        status = rekey_status(
            rekey,
            record_audit(rekey->keeper, &rekey->origin, reason, "ok", rekey->user.name, NULL, NULL),
            IPC_FAILED);
    return status;
}

static enum ipc_status confirm_invited(struct rekey *rekey, union ipc_record *answer)
{
    /* Asked anew: it may have been used while the password was hashed. */
    enum ipc_status status = invited(rekey);
    if (status == IPC_OK)
        status = rekey_status(rekey,
                              store_user_set_password(rekey->keeper->store, rekey->user.id,
                                                      rekey->hashed, keeper_now()),
                              IPC_FAILED);
    return status == IPC_OK ? confirm(rekey, "enrolled", &answer->enrolled) : status;
}

static enum ipc_status confirm_new_device(struct rekey *rekey, union ipc_record *answer)
{
    enum ipc_status status = rekey_person(rekey);
    return status == IPC_OK ? confirm(rekey, "totp-changed", &answer->enrolled) : status;
}

int asked_enrol_finish(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_enrol_finish *ask = &record->enrol_finish;
    if (!asked_origin_ok(&ask->origin) || !ipc_text_ok(ask->password, sizeof(ask->password)) ||
        !ipc_text_ok(ask->code, sizeof(ask->code)) || ask->kind > IPC_ENROL_NEW_DEVICE)
        return -EPROTO;
    struct rekey *rekey = rekey_new(link, &ask->head, &ask->origin, ask->token, IPC_ENROLLED);
    if (!rekey)
        return -ENOMEM;
    memcpy(rekey->code, ask->code, sizeof(rekey->code));
    if (ask->kind == IPC_ENROL_NEW_DEVICE) {
        rekey->decide = confirm_new_device;
        rekey->guess = true; /* else a stolen cookie could try all codes of an offer that stands */
        rekey_begin(rekey, rekey_person(rekey));
        return 0;
    }
    rekey->decide = confirm_invited;
    rekey->hash = true;
    memcpy(rekey->new_password, ask->password, sizeof(rekey->new_password));
    enum ipc_status status = invited(rekey);
    if (status == IPC_OK)
        status = rekey_judge_password(rekey);
    rekey_begin(rekey, status);
    return 0;
}
