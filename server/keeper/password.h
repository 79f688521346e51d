/* Passwords: Argon2id by libsodium, in PHC form. */
#pragma once

#include "store.h"

#include <stdbool.h>

#define PASSWORD_MOST 1024 /* bytes; no sentence a person types is longer */

/* OWASP's floor for Argon2id: 19 MiB, two passes, one lane. */
#define PASSWORD_MEMORY (19U * 1024 * 1024)
#define PASSWORD_PASSES 2U

/* 0 or -ENOMEM. Takes some tens of milliseconds. */
int password_hash(const char *password, char hash[STORE_PASSWORD_SIZE]);

/* Whether it matches: 0, with the verdict in `right`; or -ENOMEM: it could not be judged, which is
 * not the person's fault. Constant time for one kind of hash. */
int password_judge(const char *hash, const char *password, bool *right);
/* The same, where what cannot be judged does not match. */
bool password_matches(const char *hash, const char *password);

/* A hash that nothing matches, of the same cost, for people who do not exist. 0 or -ENOMEM. */
int password_dummy(char hash[STORE_PASSWORD_SIZE]);
