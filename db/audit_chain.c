#include "audit_chain.h"

#include <sodium.h>
#include <string.h>

_Static_assert(AUDIT_CHAIN_SIZE == crypto_hash_sha256_BYTES, "link size");
_Static_assert(AUDIT_CHAIN_SIZE == crypto_auth_hmacsha256_BYTES, "seal size");
_Static_assert(AUDIT_CHAIN_SIZE == crypto_auth_hmacsha256_KEYBYTES, "key size");

static void number_bytes(uint8_t bytes[8], uint64_t number)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
}

static void put(crypto_hash_sha256_state *state, uint64_t number)
{
    uint8_t bytes[8];
    number_bytes(bytes, number);
    crypto_hash_sha256_update(state, bytes, sizeof(bytes));
}

/* Sizes stand before what they are of, so that no two rows read the same. */
void audit_chain_add(uint8_t link[AUDIT_CHAIN_SIZE], const struct audit_chain_row *row)
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, link, AUDIT_CHAIN_SIZE);
    put(&state, (uint64_t)row->id);
    put(&state, (uint64_t)row->at_ms);
    put(&state, row->address ? 16 : 0);
    if (row->address)
        crypto_hash_sha256_update(&state, row->address, 16);
    for (size_t i = 0; i < AUDIT_CHAIN_TEXTS; i++) {
        put(&state, row->texts[i].size);
        crypto_hash_sha256_update(&state, (const uint8_t *)row->texts[i].at, row->texts[i].size);
    }
    crypto_hash_sha256_final(&state, link);
}

void audit_chain_seal(const uint8_t key[AUDIT_CHAIN_SIZE], const char *what, int64_t id,
                      const uint8_t link[AUDIT_CHAIN_SIZE], uint8_t seal[AUDIT_CHAIN_SIZE])
{
    crypto_auth_hmacsha256_state state;
    uint8_t bytes[8];
    crypto_auth_hmacsha256_init(&state, key, AUDIT_CHAIN_SIZE);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)what, strlen(what) + 1);
    number_bytes(bytes, (uint64_t)id);
    crypto_auth_hmacsha256_update(&state, bytes, sizeof(bytes));
    crypto_auth_hmacsha256_update(&state, link, AUDIT_CHAIN_SIZE);
    crypto_auth_hmacsha256_final(&state, seal);
}

bool audit_chain_sealed(const uint8_t key[AUDIT_CHAIN_SIZE], const char *what, int64_t id,
                        const uint8_t link[AUDIT_CHAIN_SIZE], const uint8_t seal[AUDIT_CHAIN_SIZE])
{
    uint8_t good[AUDIT_CHAIN_SIZE];
    audit_chain_seal(key, what, id, link, good);
    return sodium_memcmp(good, seal, sizeof(good)) == 0;
}
