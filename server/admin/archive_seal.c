#include "archive_seal.h"

#include "audit_chain.h"
#include "audit_seal.h"

void archive_seal_init(struct archive_seal *seal)
{
    crypto_hash_sha256_init(&seal->state);
}

void archive_seal_add(struct archive_seal *seal, const char *line, size_t size)
{
    crypto_hash_sha256_update(&seal->state, (const unsigned char *)line, size);
}

void archive_seal_final(struct archive_seal *seal, const struct secret_key *secret, int64_t last,
                        uint8_t to[STORE_AUDIT_LINK])
{
    uint8_t key[STORE_AUDIT_LINK], digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&seal->state, digest);
    audit_seal_key(secret, key);
    audit_chain_seal(key, "archive", last, digest, to);
    sodium_memzero(key, sizeof(key));
}
