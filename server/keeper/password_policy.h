/* Which passwords may be chosen, for the portal, invitations and the command line alike. Two
 * profiles ([password] profile):
 *
 *     modern     NIST SP 800-63B section 5.1.1.2 and OWASP ASVS V2.1: long enough, not easy to
 *                guess (zxcvbn, which knows tens of thousands of common and breached passwords,
 *                words, names, keyboard runs and dates; the person's and the gateway's name count
 *                as known), not one of the last ones; a change only when something has come to be
 *                known
 *     classic    three kinds of characters out of four, a greatest age, not one of the last ones */
#pragma once

#include "conf.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

enum password_fault {
    PASSWORD_FITS,
    PASSWORD_SHORT,
    PASSWORD_LONG,
    PASSWORD_UNUSABLE, /* not UTF-8, or with a control character, which no keyboard types again */
    PASSWORD_GUESSABLE,
    PASSWORD_NAME, /* little more than the user name, or with it */
    PASSWORD_CLASSES,
    PASSWORD_USED, /* it is or was this person's */
    PASSWORD_FAULTS
};

/* Bits of zxcvbn's estimate: 2^30 guesses, between its scores 3 and 4. Guesses over the network are
 * slowed down and want a code besides; a stolen hash is Argon2id. */
#define PASSWORD_POLICY_BITS 30

/* What is wrong with it, but for what history says. A millisecond or so. */
enum password_fault password_policy_judge(const struct conf *conf, const char *username,
                                          const char *password);

/* Whether the password is one of these hashes; as slow as signing in for each of them. */
bool password_policy_used(const char *password, const char (*hashes)[STORE_PASSWORD_SIZE],
                          size_t count);

/* A sentence that says what is wrong and what to do. */
#define PASSWORD_POLICY_WORDS 160
const char *password_policy_words(const struct conf *conf, enum password_fault fault,
                                  char words[PASSWORD_POLICY_WORDS]);
/* "short", …: for scripts and for words in other languages; at most 15 characters. */
const char *password_policy_name(enum password_fault fault);

/* Seconds until a password that was set then must be changed: 0 when it must be now, -1 when its
 * age does not matter. */
int64_t password_policy_left(const struct conf *conf, int64_t set_at, int64_t now);
