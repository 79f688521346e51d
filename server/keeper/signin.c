/* The sign-in. Whatever is wrong, the same work is done: one Argon2id verification (of the person's
 * hash, or of one that nothing matches), one TOTP computation, one transaction that writes the
 * verdict. Nobody learns from answer or time which part was wrong.
 *
 * Only that transaction makes a session: it uses up the TOTP step by compare-and-set, so a code
 * works once, across restarts and processes. Nothing is written for an attempt that there is no
 * room to judge, so a storm of them costs next to nothing. */
#include "asked.h"
#include "factor.h"
#include "gate_link.h"
#include "log.h"
#include "may.h"
#include "owner.h"
#include "password.h"
#include "record_audit.h"
#include "session.h"
#include "throttle.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct signin {
    struct signin *next; /* of keeper->signins */
    struct pool_job job;
    struct gate_link *gate; /* referenced */
    struct ipc_sign_in ask;
    struct throttle_keys keys;
    bool known;
    bool known_browser;     /* this very person has signed in with it before */
    uint8_t browser[32];    /* its hash */
    struct store_user user; /* as it was when the hash was taken */
    char hash[STORE_PASSWORD_SIZE];
    bool password_right;
    bool unjudged;        /* for lack of memory */
    char refused_by[256]; /* a rule that both factors do not help against; for the audit log */
};

static const char *name_of(const struct signin *signin)
{
    /* People type passwords into the name's field: an unknown name is not written down. */
    return signin->known ? signin->user.name : "(unknown)";
}

static struct throttle_under_way under_way(const struct keeper *keeper, const struct signin *signin)
{
    struct throttle_under_way count = {0};
    for (const struct signin *other = keeper->signins; other; other = other->next)
        throttle_count(&count, &signin->keys, &other->keys);
    return count;
}

static void signin_free(struct signin *signin)
{
    struct signin **at = &signin->gate->keeper->signins;
    while (*at && *at != signin)
        at = &(*at)->next;
    if (*at)
        *at = signin->next;
    gate_link_unref(signin->gate);
    sodium_memzero(signin, sizeof(*signin));
    free(signin);
}

static void answer(struct gate_link *gate, uint32_t request, enum ipc_status status, int64_t retry)
{
    struct ipc_signed_in signed_in;
    IPC_INIT(&signed_in, SIGNED_IN, request);
    signed_in.status = (uint8_t)status;
    signed_in.retry_seconds = (uint32_t)retry;
    gate_link_send(gate, &signed_in.head, -1);
}

static enum store_result failed(struct keeper *keeper)
{
    asked_failed(keeper);
    store_rollback(keeper->store);
    return STORE_FAILED;
}

/* ---- the verdict ---- */

/* The browser is known from now on, by a cookie that it has or is given. */
static enum store_result remember_browser(struct keeper *keeper, const struct signin *signin,
                                          int64_t now, struct ipc_signed_in *made)
{
    uint8_t hash[32];
    if (!signin->ask.in_browser)
        return STORE_OK;
    if (signin->known_browser)
        return store_browser_use(keeper->store, signin->browser, now);
    randombytes_buf(made->browser, sizeof(made->browser));
    session_hash(made->browser, hash);
    return store_browser_add(keeper->store, hash, signin->user.id, now);
}

/* Both factors at the present state of the account; OK makes the session. Within a transaction. */
static enum store_result let_in(struct keeper *keeper, struct signin *signin,
                                const struct factor *factor, int64_t now,
                                struct ipc_signed_in *made)
{
    struct store_user user;
    enum store_result result = store_user_by_id(keeper->store, signin->user.id, &user);
    if (result != STORE_OK)
        return result == STORE_NONE ? STORE_REFUSED : result;
    /* Changed while we hashed: the old password must not win. */
    bool same = strcmp(user.password, signin->hash) == 0 &&
                user.seed_size == signin->user.seed_size &&
                memcmp(user.seed, signin->user.seed, user.seed_size) == 0;
    if (!same)
        return STORE_REFUSED;
    struct decision decision = {0};
    result = may_judge_person(keeper->store, user.id, &signin->ask.origin.address, now, &decision);
    if (result == STORE_OK && decision.rule != DECISION_ALLOWED) {
        text_copy(signin->refused_by, sizeof(signin->refused_by), decision.words);
        return STORE_REFUSED;
    }
    if (result == STORE_OK)
        result = factor_use(keeper, &signin->ask.origin, &user, factor, now);
    if (result == STORE_OK)
        result = session_begin(keeper, &signin->ask.origin, user.id, now, now, made->token,
                               &made->expires);
    if (result == STORE_OK)
        result = throttle_succeeded(keeper->store, &signin->keys);
    if (result == STORE_OK)
        result = remember_browser(keeper, signin, now, made);
    if (result == STORE_OK)
        result = record_audit(keeper, &signin->ask.origin, "sign-in", "ok", user.name, NULL, NULL);
    text_copy(made->username, sizeof(made->username), user.name);
    return result;
}

/* OK: signed in; REFUSED: denied and written down; FAILED. */
static enum store_result decide(struct keeper *keeper, struct signin *signin,
                                struct ipc_signed_in *made)
{
    int64_t now = keeper_now();
    struct factor factor;
    factor_read(keeper, signin->known ? &signin->user : NULL, signin->ask.code, now, &factor);
    if (store_begin(keeper->store) != STORE_OK)
        return failed(keeper);
    enum store_result result = STORE_REFUSED;
    if (signin->known && signin->password_right && (factor.totp || factor.recovery))
        result = let_in(keeper, signin, &factor, now, made);
    if (result == STORE_REFUSED &&
        (throttle_failed(keeper->store, keeper->conf, &signin->keys, now) != STORE_OK ||
         record_audit(keeper, &signin->ask.origin, "sign-in", "denied", name_of(signin), NULL,
                      signin->refused_by[0] ? signin->refused_by : NULL) != STORE_OK))
        result = STORE_FAILED;
    bool judged = result == STORE_OK || result == STORE_REFUSED;
    if (!judged || store_commit(keeper->store) != STORE_OK)
        return failed(keeper);
    return result;
}

static void turn_away(struct signin *signin, enum ipc_status status, int64_t wait)
{
    record_note(signin->gate->keeper, &signin->ask.origin, "sign-in",
                status == IPC_BUSY ? "busy" : "throttled", name_of(signin), NULL);
    answer(signin->gate, signin->ask.head.request, status, wait);
}

/* ---- the hash ---- */

static void verify(struct pool_job *job)
{
    struct signin *signin = OWNER_OF(job, struct signin, job);
    signin->unjudged =
        password_judge(signin->hash, signin->ask.password, &signin->password_right) != 0;
}

static void on_verified(struct pool_job *job)
{
    struct signin *signin = OWNER_OF(job, struct signin, job);
    struct keeper *keeper = signin->gate->keeper;
    uint32_t request = signin->ask.head.request;
    if (signin->unjudged)
        LOG_ERROR("signin", "out of memory: a password could not be judged; trying again may help");
    if (job->late || signin->unjudged) {
        turn_away(signin, IPC_BUSY, ASKED_BUSY_SECONDS);
    } else if (!signin->gate->gone) {
        struct ipc_signed_in made;
        IPC_INIT(&made, SIGNED_IN, request);
        switch (decide(keeper, signin, &made)) {
        case STORE_OK:
            made.status = IPC_OK;
            gate_link_send(signin->gate, &made.head, -1);
            break;
        case STORE_REFUSED:
            answer(signin->gate, request, IPC_DENIED, 0);
            break;
        default:
            answer(signin->gate, request, IPC_FAILED, 0);
        }
        sodium_memzero(&made, sizeof(made));
    }
    signin_free(signin);
}

/* ---- the question ---- */

/* Which buckets the try counts in: a browser that the person is known by has one of its own, which
 * nobody else can fill. */
static enum store_result find_keys(struct keeper *keeper, struct signin *signin)
{
    const struct ipc_sign_in *ask = &signin->ask;
    enum store_result result = STORE_NONE;
    if (!sodium_is_zero(ask->browser, sizeof(ask->browser))) {
        session_hash(ask->browser, signin->browser);
        result = store_browser_known(keeper->store, signin->browser, signin->user.id);
    }
    signin->known_browser = signin->known && result == STORE_OK;
    if (signin->known_browser)
        throttle_keys_browser(&signin->keys, signin->browser, signin->user.id);
    else
        throttle_keys(&signin->keys, &keeper->key, ask->username, signin->user.id,
                      &ask->origin.address);
    return result == STORE_FAILED ? result : STORE_OK;
}

/* Looks up the person and how long to wait before the next try. OK or FAILED. */
static enum store_result prepare(struct keeper *keeper, struct signin *signin, int64_t *wait)
{
    enum store_result result =
        store_user_by_name(keeper->store, signin->ask.username, &signin->user);
    signin->known = result == STORE_OK;
    if (result == STORE_OK || result == STORE_NONE)
        result = find_keys(keeper, signin);
    struct throttle_under_way others = under_way(keeper, signin);
    if (result == STORE_OK)
        result =
            throttle_check(keeper->store, keeper->conf, &signin->keys, &others, keeper_now(), wait);
    if (result != STORE_OK)
        return failed(keeper);
    memcpy(signin->hash, signin->known ? signin->user.password : keeper->dummy,
           sizeof(signin->hash));
    return STORE_OK;
}

int asked_sign_in(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_sign_in *ask = &record->sign_in;
    struct keeper *keeper = link->keeper;
    int64_t wait = 0;
    if (!ipc_text_ok(ask->username, sizeof(ask->username)) ||
        !ipc_text_ok(ask->password, sizeof(ask->password)) ||
        !ipc_text_ok(ask->code, sizeof(ask->code)) || !asked_origin_ok(&ask->origin))
        return -EPROTO;
    struct signin *signin = calloc(1, sizeof(*signin));
    if (!signin) {
        answer(link, ask->head.request, IPC_FAILED, 0);
        return 0;
    }
    signin->ask = *ask;
    signin->gate = gate_link_ref(link);
    signin->job.work = verify;
    signin->job.finished = on_verified;
    if (prepare(keeper, signin, &wait) != STORE_OK) {
        answer(link, ask->head.request, IPC_FAILED, 0);
    } else if (wait) {
        turn_away(signin, IPC_THROTTLED, wait);
    } else if (pool_submit(keeper->hashers, &signin->job,
                           keeper->conf->login_deadline_seconds * 1000ULL) == 0) {
        signin->next = keeper->signins;
        keeper->signins = signin;
        return 0; /* on_verified() goes on */
    } else {
        turn_away(signin, IPC_BUSY, ASKED_BUSY_SECONDS);
    }
    signin_free(signin);
    return 0;
}
