/* Sessions: random references, stored hashed, with an idle and an absolute limit. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"

void session_hash(const uint8_t token[IPC_TOKEN_SIZE], uint8_t hash[32]);

/* The live session behind a token, and notes its use. OK; NONE: unknown, over, idle too long, or
 * its person is disabled (one answer for all); REFUSED: the person must change the password before
 * anything else; FAILED. */
enum store_result session_find(struct keeper *keeper, const uint8_t token[IPC_TOKEN_SIZE],
                               struct store_session *out);

/* The same, but notes no use: for what pages ask by themselves, whether or not anybody is there. */
enum store_result session_look(struct keeper *keeper, const uint8_t token[IPC_TOKEN_SIZE],
                               struct store_session *out);

/* session_find(), but OK also when a change of the password is due: for what leads there. */
enum store_result session_find_due(struct keeper *keeper, const uint8_t token[IPC_TOKEN_SIZE],
                                   struct store_session *out);
bool session_password_due(const struct keeper *keeper, const struct store_session *session);

/* For how long the sign-in's code still vouches for a change of the password that is due; 0: not
 * (any more), or none is. */
int64_t session_vouched_seconds(const struct keeper *keeper, const struct store_session *session);

/* The same as session_find() by its number. */
enum store_result session_by_id(struct keeper *keeper, int64_t id, struct store_session *out);

/* A new session, within the caller's transaction: `token` gets the reference. `factor_at` is when
 * the second factor was shown, at most `now`. */
enum store_result session_begin(struct keeper *keeper, const struct ipc_origin *origin,
                                int64_t user, int64_t now, int64_t factor_at,
                                uint8_t token[IPC_TOKEN_SIZE], int64_t *expires);
