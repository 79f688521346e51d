/* What a password proves in NTLMv2, [MS-NLMP] section 3.3.2. MD4 and MD5 are no strength: the
 * passwords that are checked with this are random, longer than anyone can search, and short-lived.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NTLM_PROOF_HASH_SIZE 16
#define NTLM_PROOF_MOST 64 /* characters of a password; more are not looked at */

/* NTOWFv1, the NT hash, of a password in ASCII. */
void ntlm_proof_hash(uint8_t hash[NTLM_PROOF_HASH_SIZE], const char *password);

/* What the client was asked and says it is, as it stands in its response. */
struct ntlm_proof_of {
    const uint8_t *user, *domain, *blob; /* names in UTF-16LE */
    size_t user_size, domain_size, blob_size;
    const uint8_t *challenge; /* 8 bytes, the server's */
};

/* NTProofStr. Of the user's name only ASCII is put in upper case: nobody is called otherwise. */
void ntlm_proof(uint8_t proof[16], const uint8_t hash[NTLM_PROOF_HASH_SIZE],
                const struct ntlm_proof_of *of);
