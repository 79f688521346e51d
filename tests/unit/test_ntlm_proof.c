/* [MS-NLMP] section 4.2.4: the specification's own numbers. */
#include "hex_bytes.h"
#include "ntlm_proof.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BLOB                                                                                       \
    "01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000 02000c0044006f006d00610069006e00"    \
    "01000c005300650072007600650072000000000000000000"

static void prove(uint8_t proof[16], const char *user, const char *domain)
{
    struct hex_bytes name = hex_bytes(user), of_domain = hex_bytes(domain), blob = hex_bytes(BLOB),
                     challenge = hex_bytes("0123456789abcdef");
    uint8_t hash[NTLM_PROOF_HASH_SIZE];
    const struct ntlm_proof_of of = {name.data,      of_domain.data, blob.data,     name.size,
                                     of_domain.size, blob.size,      challenge.data};
    ntlm_proof_hash(hash, "Password");
    ntlm_proof(proof, hash, &of);
}

START_TEST(the_hash)
{
    struct hex_bytes want = hex_bytes("a4f49c406510bdcab6824ee7c30fd852");
    uint8_t hash[NTLM_PROOF_HASH_SIZE];
    ntlm_proof_hash(hash, "Password");
    ck_assert_mem_eq(hash, want.data, sizeof(hash));
    want = hex_bytes("31d6cfe0d16ae931b73c59d7e0c089c0"); /* of nothing */
    ntlm_proof_hash(hash, "");
    ck_assert_mem_eq(hash, want.data, sizeof(hash));
}
END_TEST

#define USER "5500730065007200"
#define USER_LOWER "7500730065007200"
#define DOMAIN "44006f006d00610069006e00"
#define DOMAIN_LOWER "64006f006d00610069006e00"

START_TEST(the_proof)
{
    struct hex_bytes want = hex_bytes("68cd0ab851e51c96aabc927bebef6a1c");
    uint8_t proof[16];
    prove(proof, USER, DOMAIN);
    ck_assert_mem_eq(proof, want.data, sizeof(proof));
    prove(proof, USER_LOWER, DOMAIN);
    ck_assert_mem_eq(proof, want.data, sizeof(proof));
    prove(proof, USER, DOMAIN_LOWER);
    ck_assert_mem_ne(proof, want.data, sizeof(proof));
    prove(proof, "5500730065007201", DOMAIN);
    ck_assert_mem_ne(proof, want.data, sizeof(proof));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ntlm_proof");
    TCase *tc = tcase_create("section 4.2.4");
    tcase_add_test(tc, the_hash);
    tcase_add_test(tc, the_proof);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
