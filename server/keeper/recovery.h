/* Recovery codes: ten of them, each in place of a TOTP code once, for the day the phone is gone. */
#pragma once

#include "ipc.h"
#include "store.h"

#include <stdbool.h>

#define RECOVERY_LETTERS 16 /* base32, RFC 4648 section 6, in lower case: 80 bits */

/* New ones for a person, within the caller's transaction; all older ones are void. */
enum store_result recovery_renew(struct store *store, int64_t user,
                                 char codes[IPC_RECOVERY_CODES][IPC_RECOVERY_SIZE]);

/* True when `typed` may be one: its letters, in whatever case, dashes and spaces anywhere. `hash`
 * is what the store knows it by; the same work whatever was typed. */
bool recovery_hash(int64_t user, const char *typed, uint8_t hash[32]);
