/* Every no costs the same: as many proofs as there are CANDIDATES, whoever is asked for and however
 * many passwords there are. What is known of the right one is only kept, not looked at, until all
 * have been tried. */
#include "gate_password.h"

#include "asked.h"
#include "gate_link.h"
#include "ntlm_proof.h"
#include "record_audit.h"
#include "throttle.h"
#include "ticket.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define CANDIDATES 32 /* a person's newest: more desktops at once nobody reaches this way */

/* What is sealed. */
struct plain {
    uint8_t ticket[IPC_TOKEN_SIZE];
    uint8_t hash[NTLM_PROOF_HASH_SIZE];
};
#define SEALED_SIZE (sizeof(struct plain) + SECRET_OVERHEAD)
static_assert(SEALED_SIZE <= STORE_TICKET_PASSWORD_SIZE, "it fits its column");
static_assert(IPC_PASS_SIZE <= NTLM_PROOF_MOST, "all of a password is hashed");

/* ---- making ---- */

/* Letters and digits that look like no other. 24 of them are 118 bits. */
static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789";
#define LETTERS 24
#define GROUP 4
static_assert(LETTERS + LETTERS / GROUP <= IPC_PASS_SIZE, "it fits its field");

void gate_password_make(const struct keeper *keeper, const char *user_name,
                        const uint8_t ticket[IPC_TOKEN_SIZE], struct store_ticket *row,
                        char password[IPC_PASS_SIZE])
{
    struct plain plain;
    char *to = password;
    for (unsigned i = 0; i < LETTERS; i++) {
        if (i && i % GROUP == 0)
            *to++ = '-';
        *to++ = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
    }
    *to = '\0';
    memcpy(plain.ticket, ticket, sizeof(plain.ticket));
    ntlm_proof_hash(plain.hash, password);
    row->password_size =
        secret_seal(&keeper->key, user_name, (uint8_t *)&plain, sizeof(plain), row->password);
    sodium_memzero(&plain, sizeof(plain));
}

/* ---- checking ---- */

struct trial {
    const struct keeper *keeper;
    const struct ipc_pass *ask;
    uint8_t hash[NTLM_PROOF_HASH_SIZE]; /* BASIC: of what was typed */
    unsigned count;
    uint8_t found; /* 0xff: `ticket` is that of the right one */
    uint8_t ticket[IPC_TOKEN_SIZE];
};

static bool proves(const struct trial *trial, const uint8_t hash[NTLM_PROOF_HASH_SIZE])
{
    const struct ipc_pass *ask = trial->ask;
    const struct ntlm_proof_of of = {
        .user = ask->user,
        .domain = ask->domain,
        .blob = ask->blob,
        .user_size = ask->user_size,
        .domain_size = ask->domain_size,
        .blob_size = ask->blob_size,
        .challenge = ask->challenge,
    };
    uint8_t proof[sizeof(ask->proof)];
    if (ask->kind == IPC_PASS_BASIC)
        return sodium_memcmp(hash, trial->hash, NTLM_PROOF_HASH_SIZE) == 0;
    ntlm_proof(proof, hash, &of);
    return sodium_memcmp(proof, ask->proof, sizeof(proof)) == 0;
}

static int try_one(void *owner, const struct store_password *candidate)
{
    struct trial *trial = owner;
    struct plain plain = {0};
    bool opened = candidate->size == SEALED_SIZE &&
                  secret_open(&trial->keeper->key, candidate->user_name, candidate->sealed,
                              candidate->size, (uint8_t *)&plain);
    bool right = proves(trial, plain.hash);
    uint8_t mask = (uint8_t) - (int)(opened & right);
    for (size_t i = 0; i < sizeof(trial->ticket); i++)
        trial->ticket[i] = (uint8_t)((trial->ticket[i] & ~mask) | (plain.ticket[i] & mask));
    trial->found |= mask;
    trial->count++;
    sodium_memzero(&plain, sizeof(plain));
    return 0;
}

/* In place of the candidates that there are not: a password nobody has. */
static void try_nothing(struct trial *trial)
{
    struct store_password nothing = {.user_name = "nobody"};
    struct store_ticket row;
    char password[IPC_PASS_SIZE];
    uint8_t ticket[IPC_TOKEN_SIZE];
    randombytes_buf(ticket, sizeof(ticket));
    gate_password_make(trial->keeper, nothing.user_name, ticket, &row, password);
    memcpy(nothing.sealed, row.password, row.password_size);
    nothing.size = row.password_size;
    while (trial->count < CANDIDATES)
        try_one(trial, &nothing);
    sodium_memzero(password, sizeof(password));
}

/* "anna@example.org" may be a name, or one with a domain behind it. */
static const char *without_domain(char to[IPC_USERNAME_SIZE], const char *name)
{
    text_copy(to, IPC_USERNAME_SIZE, name);
    char *at = strrchr(to, '@');
    if (at)
        *at = '\0';
    return to;
}

static enum store_result try_all(struct keeper *keeper, struct trial *trial)
{
    char other[IPC_USERNAME_SIZE];
    int64_t now = keeper_now();
    if (trial->ask->kind == IPC_PASS_BASIC)
        ntlm_proof_hash(trial->hash, trial->ask->password);
    enum store_result result = store_password_list(
        keeper->store, trial->ask->username, without_domain(other, trial->ask->username), now,
        now - TICKET_GRACE_SECONDS, CANDIDATES, try_one, trial);
    try_nothing(trial);
    return result;
}

/* What was typed for a name may be a password: only people's names are written down. */
static void note_denial(struct keeper *keeper, const struct ipc_pass *ask)
{
    struct store_user user;
    bool known = store_user_by_name(keeper->store, ask->username, &user) == STORE_OK;
    record_note(keeper, &ask->origin, "gateway-password", "denied", known ? user.name : NULL,
                ask->kind == IPC_PASS_BASIC ? "basic" : "ntlm");
}

/* Lost, it counts one too few. */
static void count_denial(struct keeper *keeper, const struct throttle_keys *keys)
{
    if (store_begin(keeper->store) != STORE_OK)
        return;
    if (throttle_failed(keeper->store, keeper->conf, keys, keeper_now()) != STORE_OK ||
        store_commit(keeper->store) != STORE_OK)
        store_rollback(keeper->store);
}

static enum ipc_status check(struct keeper *keeper, const struct ipc_pass *ask,
                             uint8_t ticket[IPC_TOKEN_SIZE])
{
    struct trial trial = {.keeper = keeper, .ask = ask};
    struct store_ticket row;
    struct store_session session;
    struct throttle_keys keys;
    int64_t wait = 0;
    throttle_keys_place(&keys, &ask->origin.address);
    if (!keeper->conf->rdg_passwords ||
        throttle_check(keeper->store, keeper->conf, &keys, &(struct throttle_under_way){0},
                       keeper_now(), &wait) != STORE_OK ||
        wait)
        return IPC_DENIED;
    enum store_result result = try_all(keeper, &trial);
    bool found = trial.found;
    memcpy(ticket, trial.ticket, IPC_TOKEN_SIZE);
    sodium_memzero(&trial, sizeof(trial));
    if (result != STORE_OK && result != STORE_NONE)
        return asked_failed(keeper);
    if (!found) {
        note_denial(keeper, ask);
        count_denial(keeper, &keys);
        return IPC_DENIED;
    }
    enum ipc_status status = ticket_look(keeper, &ask->origin, ticket, NULL, &row, &session);
    return status == IPC_BAD_TICKET ? IPC_DENIED : status;
}

static bool is_proper(const struct ipc_pass *ask)
{
    return asked_origin_ok(&ask->origin) && ipc_text_ok(ask->username, sizeof(ask->username)) &&
           ipc_text_ok(ask->password, sizeof(ask->password)) &&
           (ask->kind == IPC_PASS_BASIC || ask->kind == IPC_PASS_NTLM) &&
           ask->user_size <= sizeof(ask->user) && ask->domain_size <= sizeof(ask->domain) &&
           ask->blob_size <= sizeof(ask->blob);
}

int asked_pass(struct gate_link *link, const union ipc_record *record)
{
    const struct ipc_pass *ask = &record->pass;
    struct ipc_passed passed;
    if (!is_proper(ask))
        return -EPROTO;
    IPC_INIT(&passed, PASSED, ask->head.request);
    passed.status = (uint8_t)check(link->keeper, ask, passed.ticket);
    if (passed.status != IPC_OK)
        sodium_memzero(passed.ticket, sizeof(passed.ticket));
    gate_link_send(link, &passed.head, -1);
    sodium_memzero(&passed, sizeof(passed));
    return 0;
}
