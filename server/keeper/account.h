/* What administrators do to a person's account. Each call works inside the caller's transaction. */
#pragma once

#include "secret.h"
#include "store.h"
#include "totp.h"

/* Makes a person with this password and a new TOTP seed; the seed comes back for the enrolment
 * (wipe it). `user` gets the id and the name. OK, EXISTS, FAILED. The password has passed
 * password_policy_judge(). */
enum store_result account_add(struct store *store, const struct secret_key *key, const char *name,
                              const char *password, int64_t now, struct store_user *user,
                              uint8_t seed[TOTP_SEED_SIZE]);

/* A new password, which ends the person's sessions ("password-changed") and an invitation. An
 * administrator knows it: the person must change it at the next sign-in. */
enum store_result account_set_password(struct store *store, const struct store_user *user,
                                       const char *password, int64_t now);

/* Another password is due at the next sign-in, before anything else; ends the person's sessions
 * ("password-due"). */
enum store_result account_must_change(struct store *store, const struct store_user *user,
                                      int64_t now);

/* A new TOTP seed, which ends the person's sessions ("totp-changed"), an invitation, and the
 * recovery codes, which stood for the one before. */
enum store_result account_new_seed(struct store *store, const struct secret_key *key,
                                   const struct store_user *user, int64_t now,
                                   uint8_t seed[TOTP_SEED_SIZE]);

/* Disabling ends the person's sessions ("user-disabled") and an invitation. */
enum store_result account_set_disabled(struct store *store, const struct store_user *user,
                                       bool disabled, int64_t now);

#define ACCOUNT_INVITATION_HOURS 72 /* unless told otherwise */
#define ACCOUNT_INVITATION_SIZE 32  /* random bytes */
/* Invites a person to set password and second factor; what is in force stays so until then. `user`
 * without an id is added first: with its `password`, a hash that nothing matches (password_dummy(),
 * made before the transaction, since it takes long), and a seed that nobody knows. OK with the
 * invitation, EXISTS, FAILED. */
enum store_result account_invite(struct store *store, const struct secret_key *key,
                                 struct store_user *user, int64_t now, int64_t expires_at,
                                 uint8_t invitation[ACCOUNT_INVITATION_SIZE]);
