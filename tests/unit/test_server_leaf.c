/* What is read out of certificates of each kind. */
#include "server_leaf.h"

#include "suite.h"

#include <check.h>
#include <gnutls/x509-ext.h>
#include <string.h>
#include <time.h>

#define ANY_USAGE 0

static const struct {
    const char *name;
    gnutls_pk_algorithm_t kind;
    unsigned bits, usage;
    const char *purposes[2];
    bool named, stapled;
    struct server_leaf expected;
} cases[] = {
    {"as init makes it",
     GNUTLS_PK_ECDSA,
     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
     GNUTLS_KEY_DIGITAL_SIGNATURE,
     {GNUTLS_KP_TLS_WWW_SERVER},
     true,
     false,
     {true, true, true, true, false}},
    {"without a word",
     GNUTLS_PK_ECDSA,
     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1),
     ANY_USAGE,
     {NULL},
     false,
     false,
     {true, true, false, true, false}},
    {"for key exchange by RSA",
     GNUTLS_PK_RSA,
     2048,
     GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_DATA_ENCIPHERMENT,
     {GNUTLS_KP_TLS_WWW_CLIENT, GNUTLS_KP_TLS_WWW_SERVER},
     true,
     false,
     {false, true, true, true, false}},
    {"an authority's, for clients",
     GNUTLS_PK_ECDSA,
     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP521R1),
     GNUTLS_KEY_KEY_CERT_SIGN,
     {GNUTLS_KP_TLS_WWW_CLIENT},
     true,
     true,
     {false, false, true, false, true}},
    {"for anything",
     GNUTLS_PK_EDDSA_ED25519,
     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519),
     GNUTLS_KEY_DIGITAL_SIGNATURE,
     {GNUTLS_KP_ANY},
     true,
     false,
     {true, true, true, false, false}},
};

static void staple(gnutls_x509_crt_t crt)
{
    gnutls_x509_tlsfeatures_t features;
    ck_assert_int_ge(gnutls_x509_tlsfeatures_init(&features), 0);
    ck_assert_int_ge(gnutls_x509_tlsfeatures_add(features, 5), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_tlsfeatures(crt, features), 0);
    gnutls_x509_tlsfeatures_deinit(features);
}

START_TEST(looks)
{
    gnutls_x509_crt_t crt, again;
    gnutls_x509_privkey_t key;
    gnutls_datum_t der;
    struct server_leaf found, expected = cases[_i].expected;
    ck_assert_int_ge(gnutls_x509_privkey_init(&key), 0);
    ck_assert_int_ge(gnutls_x509_privkey_generate(key, cases[_i].kind, cases[_i].bits, 0), 0);
    ck_assert_int_ge(gnutls_x509_crt_init(&crt), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_version(crt, 3), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_serial(crt, "\1", 1), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_activation_time(crt, time(NULL)), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 1000), 0);
    ck_assert_int_ge(gnutls_x509_crt_set_key(crt, key), 0);
    if (cases[_i].usage)
        ck_assert_int_ge(gnutls_x509_crt_set_key_usage(crt, cases[_i].usage), 0);
    for (size_t i = 0; i < 2 && cases[_i].purposes[i]; i++)
        ck_assert_int_ge(gnutls_x509_crt_set_key_purpose_oid(crt, cases[_i].purposes[i], 0), 0);
    if (cases[_i].named) /* the second counts */
        ck_assert_int_ge(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_RFC822NAME, "a@b", 3,
                                                              GNUTLS_FSAN_APPEND) |
                             gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "b", 1,
                                                                  GNUTLS_FSAN_APPEND),
                         0);
    if (cases[_i].stapled)
        staple(crt);
    ck_assert_int_ge(
        gnutls_x509_crt_sign2(
            crt, crt, key,
            cases[_i].kind == GNUTLS_PK_EDDSA_ED25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256, 0),
        0);
    ck_assert_int_ge(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    ck_assert_int_ge(gnutls_x509_crt_init(&again), 0);
    ck_assert_int_ge(gnutls_x509_crt_import(again, &der, GNUTLS_X509_FMT_DER), 0);
    server_leaf_look(again, &found);
    ck_assert_msg(memcmp(&found, &expected, sizeof(found)) == 0, "%s: %d %d %d %d %d",
                  cases[_i].name, found.signs, found.serves, found.named, found.common,
                  found.stapled);
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_crt_deinit(again);
    gnutls_x509_privkey_deinit(key);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_leaf");
    TCase *tcase = tcase_create("server_leaf");
    tcase_add_loop_test(tcase, looks, 0, (int)(sizeof(cases) / sizeof(*cases)));
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
