/* Which grant is meant: "PERSON DESKTOP", or with --user, --group and --desktop-group in place of a
 * word. */
#pragma once

#include "store.h"
#include "sub.h"

struct act;

struct admin_grant_key {
    struct store_grant_key key;
    char who[TEXT_NAME_SIZE], what[TEXT_NAME_SIZE]; /* as they are spelled in the store */
};

/* An exit code; faults are told. Within the caller's transaction, if there is one. */
int admin_grant_key_find(struct act *act, const struct sub_args *args, struct admin_grant_key *out);

/* How sentences name them: "group staff", "anna"; "desktop group lab", "office". */
#define ADMIN_GRANT_KEY_WORDS (TEXT_NAME_SIZE + 16)
const char *admin_grant_key_who(const struct admin_grant_key *key, char to[ADMIN_GRANT_KEY_WORDS]);
const char *admin_grant_key_what(const struct admin_grant_key *key, char to[ADMIN_GRANT_KEY_WORDS]);

/* The audit row; `detail` stands behind the groups, which are neither person nor desktop. An exit
 * code. */
int admin_grant_key_audit(struct act *act, const char *event, const struct admin_grant_key *key,
                          const char *detail);
