#include "password.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>

_Static_assert(STORE_PASSWORD_SIZE > crypto_pwhash_STRBYTES, "a hash fits");

int password_hash(const char *password, char hash[STORE_PASSWORD_SIZE])
{
    memset(hash, 0, STORE_PASSWORD_SIZE);
    return crypto_pwhash_str_alg(hash, password, strlen(password), PASSWORD_PASSES, PASSWORD_MEMORY,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0
               ? 0
               : -ENOMEM;
}

/* The library has one answer for "wrong" and "no memory": whether there is as much as it needs now.
 */
static bool memory_left(void)
{
    void *all =
        mmap(NULL, PASSWORD_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return false;
    munmap(all, PASSWORD_MEMORY);
    return true;
}

int password_judge(const char *hash, const char *password, bool *right)
{
    *right = crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
    bool room = memory_left(); /* always asked, so that the time is the same */
    return !*right && !room ? -ENOMEM : 0;
}

bool password_matches(const char *hash, const char *password)
{
    bool right;
    return password_judge(hash, password, &right) == 0 && right;
}

int password_dummy(char hash[STORE_PASSWORD_SIZE])
{
    char password[45];
    uint8_t random[32];
    randombytes_buf(random, sizeof(random));
    sodium_bin2base64(password, sizeof(password), random, sizeof(random),
                      sodium_base64_VARIANT_ORIGINAL);
    int error = password_hash(password, hash);
    sodium_memzero(password, sizeof(password));
    sodium_memzero(random, sizeof(random));
    return error;
}
