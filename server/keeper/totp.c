#include "totp.h"

#include <liboath/oath.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 6

void totp_new_seed(uint8_t seed[TOTP_SEED_SIZE])
{
    randombytes_buf(seed, TOTP_SEED_SIZE);
}

/* The code of one step; false when liboath cannot make it. */
static bool code_of(const uint8_t *seed, size_t size, int64_t step, char to[DIGITS + 1])
{
    return step >= 0 && oath_hotp_generate((const char *)seed, size, (uint64_t)step, DIGITS, false,
                                           OATH_HOTP_DYNAMIC_TRUNCATION, to) == OATH_OK;
}

bool totp_matches(const uint8_t *seed, size_t size, const char *code, int64_t now, int64_t *step)
{
    char typed[DIGITS + 1] = {0}, right[DIGITS + 1];
    bool whole = strlen(code) == DIGITS, found = false;
    memcpy(typed, code, whole ? DIGITS : 0);
    /* Every step is computed and compared, whatever was found before. */
    for (int64_t offset = -TOTP_WINDOW; offset <= TOTP_WINDOW; offset++) {
        int64_t candidate = now / TOTP_STEP_SECONDS + offset;
        bool made = code_of(seed, size, candidate, right);
        bool same = sodium_memcmp(typed, right, DIGITS) == 0;
        if (made && same && whole) {
            found = true;
            *step = candidate;
        }
    }
    sodium_memzero(right, sizeof(right));
    sodium_memzero(typed, sizeof(typed));
    return found;
}

void totp_base32(const uint8_t seed[TOTP_SEED_SIZE], char to[TOTP_BASE32_SIZE])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 section 6 */
    unsigned held = 0, bits = 0;
    for (size_t i = 0; i < TOTP_SEED_SIZE; i++) {
        held = (held << 8 | seed[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            *to++ = alphabet[held >> (bits - 5) & 31];
    }
    *to = '\0'; /* 160 bits are 32 characters without a rest */
}

static size_t percent_encode(const char *from, char *to, size_t size)
{
    size_t made = 0;
    for (; *from; from++) {
        unsigned char c = (unsigned char)*from;
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     strchr("-._~", c);
        if (made + 4 > size)
            return 0;
        if (plain)
            to[made++] = (char)c;
        else
            made += (size_t)snprintf(to + made, size - made, "%%%02X", c);
    }
    to[made] = '\0';
    return made;
}

bool totp_uri(const uint8_t seed[TOTP_SEED_SIZE], const char *issuer, const char *name,
              char to[TOTP_URI_SIZE])
{
    char secret[TOTP_BASE32_SIZE], by[200], who[200];
    if (!percent_encode(issuer, by, sizeof(by)) || !percent_encode(name, who, sizeof(who)))
        return false;
    totp_base32(seed, secret);
    int size =
        snprintf(to, TOTP_URI_SIZE,
                 "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d", by,
                 who, secret, by, DIGITS, TOTP_STEP_SECONDS);
    sodium_memzero(secret, sizeof(secret));
    return size > 0 && size < TOTP_URI_SIZE;
}
