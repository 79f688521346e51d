/* Which keys of other people's certificates are computed with. */
#include "peer_key.h"

#include "suite.h"
#include "tls_ends.h"

#include <check.h>
#include <gnutls/abstract.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static gnutls_privkey_t issuer;
static gnutls_x509_crt_t authority; /* issuer's */

static gnutls_x509_crt_t certify(gnutls_pubkey_t key)
{
    gnutls_x509_crt_t crt;
    ck_assert_int_eq(gnutls_x509_crt_init(&crt), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_version(crt, 3), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_serial(crt, "\x01", 1), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_activation_time(crt, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_expiration_time(crt, 2000000000), 0);
    ck_assert_int_eq(gnutls_x509_crt_set_pubkey(crt, key), 0);
    ck_assert_int_eq(gnutls_x509_crt_privkey_sign(crt, authority ? authority : crt, issuer,
                                                  GNUTLS_DIG_SHA256, 0),
                     0);
    return crt;
}

static gnutls_pubkey_t issuer_key(void)
{
    gnutls_pubkey_t key;
    ck_assert_int_eq(gnutls_pubkey_init(&key), 0);
    ck_assert_int_eq(gnutls_pubkey_import_privkey(key, issuer, 0, 0), 0);
    return key;
}

static void setup(void)
{
    gnutls_privkey_init(&issuer);
    ck_assert_int_eq(gnutls_privkey_generate(issuer, GNUTLS_PK_ECDSA,
                                             GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    gnutls_pubkey_t key = issuer_key();
    authority = certify(key);
    gnutls_pubkey_deinit(key);
}

static void teardown(void)
{
    gnutls_x509_crt_deinit(authority);
    authority = NULL;
    gnutls_privkey_deinit(issuer);
}

/* The certificate as somebody else reads it, of a key that is used up. */
static bool bearable(gnutls_pubkey_t key, gnutls_datum_t *der)
{
    gnutls_x509_crt_t made = certify(key), read;
    gnutls_pubkey_deinit(key);
    ck_assert_int_eq(gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_DER, der), 0);
    ck_assert_int_eq(gnutls_x509_crt_init(&read), 0);
    ck_assert_int_eq(gnutls_x509_crt_import(read, der, GNUTLS_X509_FMT_DER), 0);
    bool good = peer_key_bearable(read);
    gnutls_x509_crt_deinit(read);
    gnutls_x509_crt_deinit(made);
    return good;
}

static gnutls_datum_t odd(uint8_t *bytes, unsigned bits)
{
    unsigned size = (bits + 7) / 8;
    memset(bytes, 0x55, size);
    bytes[0] = (uint8_t)(1U << (bits - 1) % 8);
    bytes[size - 1] |= 1;
    return (gnutls_datum_t){bytes, size};
}

static gnutls_pubkey_t rsa(unsigned modulus, unsigned exponent)
{
    static uint8_t bytes[2][8192];
    gnutls_datum_t n = odd(bytes[0], modulus), e = odd(bytes[1], exponent);
    gnutls_pubkey_t key;
    ck_assert_int_eq(gnutls_pubkey_init(&key), 0);
    ck_assert_int_eq(gnutls_pubkey_import_rsa_raw(key, &n, &e), 0);
    return key;
}

static const struct {
    unsigned modulus, exponent;
    bool good;
} rsa_keys[] = {
    {1024, 17, true},   {2048, 17, true},   {4096, 64, true},    {16384, 17, true},
    {2048, 65, false},  {2048, 256, false}, {2048, 2048, false}, {16385, 17, false},
    {16384, 72, false}, {32768, 17, false}, {65536, 2, false},
};

START_TEST(rsa_keys_within_limits)
{
    gnutls_datum_t der;
    ck_assert(bearable(rsa(rsa_keys[_i].modulus, rsa_keys[_i].exponent), &der) ==
              rsa_keys[_i].good);
    gnutls_free(der.data);
}
END_TEST

START_TEST(curves_are_taken_and_dsa_is_not)
{
    static uint8_t bytes[4][8192];
    gnutls_datum_t der, p = odd(bytes[0], 16384), q = odd(bytes[1], 16000),
                        g = odd(bytes[2], 16000), y = odd(bytes[3], 16000);
    gnutls_pubkey_t key;
    ck_assert(bearable(issuer_key(), &der));
    gnutls_free(der.data);
    gnutls_pubkey_init(&key);
    ck_assert_int_eq(gnutls_pubkey_import_dsa_raw(key, &p, &q, &g, &y), 0);
    ck_assert(!bearable(key, &der));
    gnutls_free(der.data);
}
END_TEST

/* A certificate message of TLS 1.2, whole and cut anywhere. */
START_TEST(messages_that_are_cut)
{
    struct tls_ends ends;
    tls_ends_init(&ends);
    gnutls_session_t session = tls_ends_session(&ends, GNUTLS_CLIENT, TLS_ENDS_12);
    gnutls_datum_t der;
    ck_assert(bearable(rsa(2048, 17), &der));
    for (unsigned size = 0; size <= 6 + der.size; size++) {
        uint8_t whole[2048] = {0, 0, 0, 0, (uint8_t)(der.size >> 8), (uint8_t)der.size};
        whole[1] = (uint8_t)((der.size + 3) >> 8);
        whole[2] = (uint8_t)(der.size + 3);
        memcpy(whole + 6, der.data, der.size);
        uint8_t *part = malloc(size ? size : 1);
        memcpy(part, whole, size);
        gnutls_datum_t message = {part, size};
        int code = peer_key_check(session, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, &message);
        ck_assert_int_eq(code, size == 6 + der.size ? 0 : GNUTLS_E_CERTIFICATE_ERROR);
        ck_assert_int_eq(peer_key_check(session, GNUTLS_HANDSHAKE_SERVER_HELLO_DONE, &message), 0);
        free(part);
    }
    gnutls_free(der.data);
    gnutls_deinit(session);
    tls_ends_deinit(&ends);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peer_key");
    TCase *tests = tcase_create("peer_key");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, rsa_keys_within_limits, 0,
                        (int)(sizeof(rsa_keys) / sizeof(rsa_keys[0])));
    tcase_add_test(tests, curves_are_taken_and_dsa_is_not);
    tcase_add_test(tests, messages_that_are_cut);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
