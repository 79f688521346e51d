#include "ntlm_proof.h"

#include <nettle/hmac.h>
#include <nettle/md4.h>
#include <sodium.h>
#include <string.h>

void ntlm_proof_hash(uint8_t hash[NTLM_PROOF_HASH_SIZE], const char *password)
{
    uint8_t wide[NTLM_PROOF_MOST * 2] = {0};
    size_t length = strnlen(password, NTLM_PROOF_MOST);
    struct md4_ctx md4;
    for (size_t i = 0; i < length; i++)
        wide[i * 2] = (uint8_t)password[i];
    md4_init(&md4);
    md4_update(&md4, length * 2, wide);
    md4_digest(&md4, NTLM_PROOF_HASH_SIZE, hash);
    sodium_memzero(wide, sizeof(wide));
    sodium_memzero(&md4, sizeof(md4));
}

static void add_upper(struct hmac_md5_ctx *hmac, const uint8_t *name, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        uint8_t unit[2] = {name[i], name[i + 1]};
        if (!unit[1] && unit[0] >= 'a' && unit[0] <= 'z')
            unit[0] = (uint8_t)(unit[0] - 'a' + 'A');
        hmac_md5_update(hmac, sizeof(unit), unit);
    }
}

void ntlm_proof(uint8_t proof[16], const uint8_t hash[NTLM_PROOF_HASH_SIZE],
                const struct ntlm_proof_of *of)
{
    struct hmac_md5_ctx hmac;
    uint8_t key[MD5_DIGEST_SIZE]; /* NTOWFv2 */
    hmac_md5_set_key(&hmac, NTLM_PROOF_HASH_SIZE, hash);
    add_upper(&hmac, of->user, of->user_size);
    hmac_md5_update(&hmac, of->domain_size, of->domain);
    hmac_md5_digest(&hmac, sizeof(key), key);
    hmac_md5_set_key(&hmac, sizeof(key), key);
    hmac_md5_update(&hmac, 8, of->challenge);
    hmac_md5_update(&hmac, of->blob_size, of->blob);
    hmac_md5_digest(&hmac, MD5_DIGEST_SIZE, proof);
    sodium_memzero(&hmac, sizeof(hmac));
    sodium_memzero(key, sizeof(key));
}
