/* What RD Gateway clients show at HTTP, as the keeper is asked about it; and what they call the
 * gateway's end of TLS. */
#include "hex_bytes.h"
#include "rdg_proof.h"
#include "suite.h"
#include "tls_binding.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct ipc_pass pass;

static const char *basic(const char *text)
{
    IPC_INIT(&pass, PASS, 0);
    return rdg_proof_basic(&pass, (const uint8_t *)text, strlen(text));
}

START_TEST(a_name_and_a_password)
{
    static const struct {
        const char *text, *name, *password;
    } table[] = {
        {"anna:k7xm-2abc", "anna", "k7xm-2abc"},
        {"GW\\anna:x", "anna", "x"},
        {"anna@gw:x", "anna@gw", "x"},
        {"a\\b\\anna:x", "anna", "x"},
        {"anna:x:y\\z", "anna", "x:y\\z"},
        {":", "", ""},
        {"GW\\:x", "", "x"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        ck_assert_ptr_null(basic(table[i].text));
        ck_assert_int_eq(pass.kind, IPC_PASS_BASIC);
        ck_assert_str_eq(pass.username, table[i].name);
        ck_assert_str_eq(pass.password, table[i].password);
    }
}
END_TEST

START_TEST(nothing_longer_than_its_field)
{
    char text[256];
    memset(text, 'a', sizeof(text));
    text[IPC_USERNAME_SIZE - 1] = ':';
    text[IPC_USERNAME_SIZE + IPC_PASS_SIZE - 1] = '\0';
    ck_assert_ptr_null(basic(text));
    ck_assert_uint_eq(strlen(pass.username), IPC_USERNAME_SIZE - 1);
    ck_assert_uint_eq(strlen(pass.password), IPC_PASS_SIZE - 1);
    text[IPC_USERNAME_SIZE + IPC_PASS_SIZE - 1] = 'a';
    text[IPC_USERNAME_SIZE + IPC_PASS_SIZE] = '\0';
    ck_assert_ptr_nonnull(basic(text)); /* the password */
    text[IPC_USERNAME_SIZE - 1] = 'a';
    text[IPC_USERNAME_SIZE] = ':';
    text[IPC_USERNAME_SIZE + 2] = '\0';
    ck_assert_ptr_nonnull(basic(text)); /* the name */
    ck_assert_ptr_nonnull(basic("anna"));
    ck_assert_ptr_nonnull(basic(""));
    ck_assert_ptr_nonnull(rdg_proof_basic(&pass, (const uint8_t *)"an\0na:x", 7));
    ck_assert_ptr_nonnull(rdg_proof_basic(&pass, (const uint8_t *)"anna:x\0", 7));
    ck_assert_ptr_nonnull(rdg_proof_basic(&pass, NULL, 0));
}
END_TEST

/* ---- NTLM ---- */

#define PROOF "68cd0ab851e51c96aabc927bebef6a1c"
#define BLOB "0101 0000 00000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000"
#define BINDINGS "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

static uint8_t message[NTLM_MESSAGE_MOST];
static size_t message_size;
static const uint8_t challenge[] = {1, 2, 3, 4, 5, 6, 7, 8};

static void put_field(size_t at, const uint8_t *data, size_t size)
{
    const uint8_t field[8] = {(uint8_t)size,         (uint8_t)(size >> 8),
                              (uint8_t)size,         (uint8_t)(size >> 8),
                              (uint8_t)message_size, (uint8_t)(message_size >> 8)};
    memcpy(message + at, field, sizeof(field));
    memcpy(message + message_size, data, size);
    message_size += size;
}

static const char *ntlm(const uint8_t *user, size_t user_size, size_t domain_size, size_t more,
                        const uint8_t **bindings)
{
    struct hex_bytes head = hex_bytes("4e544c4d53535000 03000000");
    struct hex_bytes response = hex_bytes(PROOF BLOB "0a00 1000" BINDINGS "0000 0000");
    uint8_t domain[512];
    memset(message, 0, sizeof(message));
    memset(domain, 'D', sizeof(domain));
    memcpy(message, head.data, head.size);
    message[60] = 1;
    message_size = 64;
    put_field(20, response.data, response.size + more);
    put_field(28, domain, domain_size);
    put_field(36, user, user_size);
    *bindings = NULL;
    IPC_INIT(&pass, PASS, 0);
    return rdg_proof_ntlm(&pass, challenge, message, message_size, bindings);
}

START_TEST(a_proof_as_it_came)
{
    struct hex_bytes user = hex_bytes("47005c0041006e006e006100"), proof = hex_bytes(PROOF),
                     names = hex_bytes(BINDINGS);
    const uint8_t *bindings;
    ck_assert_ptr_null(ntlm(user.data, user.size, 4, 0, &bindings));
    ck_assert_int_eq(pass.kind, IPC_PASS_NTLM);
    ck_assert_str_eq(pass.username, "Anna");
    ck_assert_uint_eq(pass.user_size, user.size); /* what is proved is the whole of it */
    ck_assert_mem_eq(pass.user, user.data, user.size);
    ck_assert_uint_eq(pass.domain_size, 4);
    ck_assert_mem_eq(pass.domain, "DDDD", 4);
    ck_assert_mem_eq(pass.challenge, challenge, sizeof(challenge));
    ck_assert_mem_eq(pass.proof, proof.data, proof.size);
    ck_assert_uint_eq(pass.blob_size, 28 + 20 + 4);
    ck_assert_ptr_nonnull(bindings);
    ck_assert_mem_eq(bindings, names.data, names.size);
}
END_TEST

START_TEST(a_name_that_nobody_has)
{
    struct hex_bytes user = hex_bytes("6100fc00");
    uint8_t longest[IPC_NTLM_USER_SIZE];
    const uint8_t *bindings;
    ck_assert_ptr_null(ntlm(user.data, user.size, 0, 0, &bindings));
    ck_assert_str_eq(pass.username, "");
    memset(longest, 'a', sizeof(longest));
    ck_assert_ptr_null(ntlm(longest, sizeof(longest), sizeof(longest), 0, &bindings));
    ck_assert_str_eq(pass.username, "");
    for (size_t i = 1; i < sizeof(longest); i += 2)
        longest[i] = 0;
    ck_assert_ptr_null(ntlm(longest, sizeof(longest), 0, 0, &bindings));
    ck_assert_uint_eq(strlen(pass.username), IPC_USERNAME_SIZE - 1);
}
END_TEST

START_TEST(longer_proofs_than_there_is_room_for)
{
    uint8_t user[IPC_NTLM_USER_SIZE + 2];
    const uint8_t *bindings;
    memset(user, 'a', sizeof(user));
    ck_assert_ptr_nonnull(ntlm(user, sizeof(user), 0, 0, &bindings));
    ck_assert_ptr_nonnull(ntlm(user, 2, IPC_NTLM_USER_SIZE + 2, 0, &bindings));
    ck_assert_ptr_null(ntlm(user, 2, 0, IPC_NTLM_BLOB_SIZE - 52, &bindings));
    ck_assert_uint_eq(pass.blob_size, IPC_NTLM_BLOB_SIZE);
    ck_assert_ptr_nonnull(ntlm(user, 2, 0, IPC_NTLM_BLOB_SIZE - 51, &bindings));
    ck_assert_ptr_nonnull(rdg_proof_ntlm(&pass, challenge, message, 60, &bindings));
}
END_TEST

/* RFC 5929, by another implementation of the three hashes. */
START_TEST(a_certificates_names)
{
    static const char *const want[TLS_BINDING_NAMES] = {
        "a8398e96473163fef6cae76013e8ab5a",
        "739577dd5d88de0182832d9514adc780",
        "45b8f0cc0e9b980cb5ca628926d6b564",
    };
    unsigned char text[] = "certificate";
    const gnutls_datum_t certificate = {text, sizeof(text) - 1};
    uint8_t names[TLS_BINDING_NAMES][TLS_BINDING_SIZE];
    ck_assert_int_eq(tls_binding_of(&certificate, names), 0);
    for (size_t i = 0; i < TLS_BINDING_NAMES; i++)
        ck_assert_mem_eq(names[i], hex_bytes(want[i]).data, TLS_BINDING_SIZE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rdg_proof");
    TCase *tc = tcase_create("proofs");
    tcase_add_test(tc, a_name_and_a_password);
    tcase_add_test(tc, nothing_longer_than_its_field);
    tcase_add_test(tc, a_proof_as_it_came);
    tcase_add_test(tc, a_name_that_nobody_has);
    tcase_add_test(tc, longer_proofs_than_there_is_room_for);
    tcase_add_test(tc, a_certificates_names);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
