#include "password_policy.h"

#include "day.h"
#include "password.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zxcvbn.h>

#define CLASSES_LEAST 3
#define NAME_LEAST 3 /* a shorter name may stand in a password by chance */

/* Characters, not bytes: continuation bytes do not count (RFC 3629 section 3). */
static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* What no password of either profile may be. */
static enum password_fault judge_text(const struct conf *conf, const char *password)
{
    size_t size = strlen(password);
    if (size > PASSWORD_MOST)
        return PASSWORD_LONG;
    if (!text_is_utf8((const uint8_t *)password, size))
        return PASSWORD_UNUSABLE;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)password[i] < 0x20 || password[i] == 0x7f)
            return PASSWORD_UNUSABLE;
    }
    return characters(password) < conf->password_least ? PASSWORD_SHORT : PASSWORD_FITS;
}

static bool has_name(const char *password, const char *name)
{
    return strlen(name) >= NAME_LEAST && strcasestr(password, name) != NULL;
}

/* ---- modern ---- */

#define KNOWN_MOST 12

struct known { /* words that say nothing here: of this program, of the person, of the gateway */
    char person[TEXT_NAME_SIZE], gateway[sizeof(((struct conf *)0)->name)];
    const char *words[KNOWN_MOST + 1]; /* ends with NULL */
};

/* zxcvbn knows no other case of what it is told. */
static void lower(char *to, size_t size, const char *from)
{
    size_t i = 0;
    for (; from[i] && i + 1 < size; i++)
        to[i] = (char)tolower((unsigned char)from[i]);
    to[i] = '\0';
}

static void know(struct known *known, const struct conf *conf, const char *username)
{
    static const char *const always[] = {"deskgate", "remote", "desktop", "gateway"};
    size_t count = sizeof(always) / sizeof(*always);
    char *rest = known->gateway, *word;
    memcpy(known->words, always, sizeof(always));
    lower(known->person, sizeof(known->person), username);
    lower(known->gateway, sizeof(known->gateway), conf->name);
    known->words[count++] = known->person;
    while (count < KNOWN_MOST && (word = strsep(&rest, ".-")) != NULL) {
        if (strlen(word) >= NAME_LEAST)
            known->words[count++] = word;
    }
    known->words[count] = NULL;
}

static enum password_fault judge_guess(const struct conf *conf, const char *username,
                                       const char *password)
{
    struct known known = {0};
    know(&known, conf, username);
    if (ZxcvbnMatch(password, known.words, NULL) >= PASSWORD_POLICY_BITS)
        return PASSWORD_FITS;
    return has_name(password, username) ? PASSWORD_NAME : PASSWORD_GUESSABLE;
}

/* ---- classic ---- */

static enum password_fault judge_classes(const char *username, const char *password)
{
    bool upper = false, small = false, digit = false, other = false;
    for (const char *c = password; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        upper |= isupper(byte) != 0;
        small |= islower(byte) != 0;
        digit |= isdigit(byte) != 0;
        other |= !isalnum(byte);
    }
    if (upper + small + digit + other < CLASSES_LEAST)
        return PASSWORD_CLASSES;
    return has_name(password, username) ? PASSWORD_NAME : PASSWORD_FITS;
}

enum password_fault password_policy_judge(const struct conf *conf, const char *username,
                                          const char *password)
{
    enum password_fault fault = judge_text(conf, password);
    if (fault != PASSWORD_FITS)
        return fault;
    return conf->password_profile == CONF_PASSWORD_CLASSIC ? judge_classes(username, password)
                                                           : judge_guess(conf, username, password);
}

/* All of them, so that the time does not tell which. */
bool password_policy_used(const char *password, const char (*hashes)[STORE_PASSWORD_SIZE],
                          size_t count)
{
    bool used = false;
    for (size_t i = 0; i < count; i++)
        used |= password_matches(hashes[i], password);
    return used;
}

int64_t password_policy_left(const struct conf *conf, int64_t set_at, int64_t now)
{
    if (conf->password_profile != CONF_PASSWORD_CLASSIC || !conf->password_max_days)
        return -1;
    int64_t left = set_at + (int64_t)conf->password_max_days * DAY_SECONDS - now;
    return left > 0 ? left : 0;
}

static const struct {
    const char *name, *words; /* %u: the least number of characters */
} faults[PASSWORD_FAULTS] = {
    [PASSWORD_FITS] = {"fits", "it may be used"},
    [PASSWORD_SHORT] = {"short",
                        "it is too short: at least %u characters, a short sentence is good"},
    [PASSWORD_LONG] = {"long", "it is too long: at most 1024 bytes"},
    [PASSWORD_UNUSABLE] = {"unusable", "it holds a character that no keyboard would type again"},
    [PASSWORD_GUESSABLE] = {"guessable",
                            "it is too easy to guess (a common one, a name, a date, a run "
                            "of keys): take a few words that do not belong together"},
    [PASSWORD_NAME] = {"name",
                       "it is made of the user name: take words that have nothing to do with "
                       "it"},
    [PASSWORD_CLASSES] = {"classes", "it needs three of these: a capital letter, a small letter, a "
                                     "digit, another character"},
    [PASSWORD_USED] = {"used", "it was used before: choose another one"},
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* of the table above */
const char *password_policy_words(const struct conf *conf, enum password_fault fault,
                                  char words[PASSWORD_POLICY_WORDS])
{
    char rest[PASSWORD_POLICY_WORDS];
    snprintf(rest, sizeof(rest), faults[fault].words, conf->password_least);
    snprintf(words, PASSWORD_POLICY_WORDS, "the password cannot be used: %.128s", rest);
    return words;
}
#pragma GCC diagnostic pop

const char *password_policy_name(enum password_fault fault)
{
    return faults[fault].name;
}
