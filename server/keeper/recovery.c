#include "recovery.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

bool recovery_hash(int64_t user, const char *typed, uint8_t hash[32])
{
    struct {
        int64_t user; /* equal codes of two people are not equal in the store */
        char letters[RECOVERY_LETTERS];
    } plain = {.user = user};
    size_t count = 0;
    bool good = true;
    for (; *typed; typed++) {
        char letter = (char)tolower((unsigned char)*typed);
        if (letter == '-' || letter == ' ')
            continue;
        good = good && count < RECOVERY_LETTERS && strchr(alphabet, letter);
        if (count < RECOVERY_LETTERS)
            plain.letters[count++] = letter;
    }
    crypto_hash_sha256(hash, (const unsigned char *)&plain, sizeof(plain));
    sodium_memzero(&plain, sizeof(plain));
    return good && count == RECOVERY_LETTERS;
}

static void make(char code[IPC_RECOVERY_SIZE])
{
    uint8_t random[RECOVERY_LETTERS];
    char *to = code;
    randombytes_buf(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++) {
        if (i && i % 4 == 0)
            *to++ = '-';
        *to++ = alphabet[random[i] & 31];
    }
    *to = '\0';
    sodium_memzero(random, sizeof(random));
}

enum store_result recovery_renew(struct store *store, int64_t user,
                                 char codes[IPC_RECOVERY_CODES][IPC_RECOVERY_SIZE])
{
    uint8_t hashes[IPC_RECOVERY_CODES][32];
    for (size_t i = 0; i < IPC_RECOVERY_CODES; i++) {
        make(codes[i]);
        recovery_hash(user, codes[i], hashes[i]);
    }
    return store_recovery_set(store, user, (const uint8_t(*)[32])hashes, IPC_RECOVERY_CODES);
}
