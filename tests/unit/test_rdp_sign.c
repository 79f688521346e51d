#include "rdp_sign.h"
#include "rdpfile_signer.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <gnutls/pkcs7.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FILE_TEXT "full address:s:office\r\ngatewayhostname:s:gate\r\n"
#define ROOM (sizeof(FILE_TEXT) + RDP_SIGN_ROOM)

static struct rdp_sign *sign;
static char text[ROOM + 1], why[256];

/* ---- pairs: PEM in memory ---- */

struct pair {
    gnutls_datum_t certificate, key;
};

static struct pair make_pair(gnutls_pk_algorithm_t kind, unsigned bits)
{
    struct pair pair;
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    time_t now = time(NULL);
    ck_assert_int_eq(gnutls_x509_privkey_init(&key), 0);
    ck_assert_int_eq(gnutls_x509_privkey_generate(key, kind, bits, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_init(&crt), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\x01", 1);
    gnutls_x509_crt_set_activation_time(crt, now - 60);
    gnutls_x509_crt_set_expiration_time(crt, now + 3600);
    gnutls_x509_crt_set_dn(crt, "CN=gate", NULL);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_privkey_t signer;
    ck_assert_int_eq(gnutls_privkey_init(&signer), 0);
    ck_assert_int_eq(gnutls_privkey_import_x509(signer, key, 0), 0);
    gnutls_digest_algorithm_t digest =
        kind == GNUTLS_PK_EDDSA_ED25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256;
    ck_assert_int_eq(gnutls_x509_crt_privkey_sign(crt, crt, signer, digest, 0), 0);
    gnutls_privkey_deinit(signer);
    ck_assert_int_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pair.certificate), 0);
    ck_assert_int_eq(
        gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, 0, &pair.key), 0);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return pair;
}

static struct pair make_ec(void)
{
    return make_pair(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1));
}

static void free_pair(struct pair *pair)
{
    gnutls_free(pair->certificate.data);
    gnutls_free(pair->key.data);
}

/* As the supervisor hands it over; `count` times the certificate. */
static int load(const gnutls_datum_t *certificate, unsigned count, const gnutls_datum_t *key)
{
    int fds[2] = {memfd_create("certificate", 0), memfd_create("key", 0)};
    for (unsigned i = 0; i < count; i++)
        ck_assert_int_eq(write(fds[0], certificate->data, certificate->size),
                         (int)certificate->size);
    ck_assert_int_eq(write(fds[1], key->data, key->size), (int)key->size);
    lseek(fds[0], 0, SEEK_SET);
    lseek(fds[1], 0, SEEK_SET);
    why[0] = '\0';
    int error = rdp_sign_load(sign, fds[0], fds[1], why, sizeof(why));
    ck_assert_int_eq(close(fds[0]), 0); /* they stayed ours */
    ck_assert_int_eq(close(fds[1]), 0);
    return error;
}

static void setup(void)
{
    ck_assert_int_eq(rdp_sign_new(&sign), 0);
}

static bool sign_it(size_t room)
{
    size_t size = strlen(FILE_TEXT);
    memcpy(text, FILE_TEXT, size);
    bool good = rdp_sign_text(sign, text, &size, room);
    ck_assert_uint_le(size, room);
    if (!good)
        ck_assert_uint_eq(size, strlen(FILE_TEXT));
    text[size] = '\0';
    return good;
}

/* ---- an independent look at a signed file ---- */

/* The DER of the signature line, behind its 12 bytes. */
static size_t signature(uint8_t *to, size_t room)
{
    const char *line = strstr(text, "\r\nsignature:s:");
    ck_assert_ptr_nonnull(line);
    static char packed[RDP_SIGN_ROOM];
    size_t count = 0;
    for (line += strlen("\r\nsignature:s:"); *line != '\r'; line++) {
        if (*line != ' ')
            packed[count++] = *line;
    }
    gnutls_datum_t in = {(unsigned char *)packed, (unsigned)count}, out;
    ck_assert_int_eq(gnutls_base64_decode2(&in, &out), 0);
    ck_assert_mem_eq(out.data, "\1\0\1\0\1\0\0\0", 8);
    size_t size = out.size - 12;
    ck_assert_uint_eq(size, (size_t)out.data[8] | (size_t)out.data[9] << 8);
    ck_assert_uint_le(size, room);
    memcpy(to, out.data + 12, size);
    gnutls_free(out.data);
    return size;
}

static size_t message(uint8_t *to)
{
    static const char lines[] =
        "full address:s:office\r\nalternate full address:s:office\r\ngatewayhostname:s:gate\r\n"
        "signscope:s:Full Address,Alternate Full Address,GatewayHostname\r\n";
    for (size_t i = 0; i < sizeof(lines); i++) { /* the NUL included */
        to[2 * i] = (uint8_t)lines[i];
        to[2 * i + 1] = 0;
    }
    return 2 * sizeof(lines);
}

/* Whether the file is signed with this certificate. */
static bool signed_by(const gnutls_datum_t *certificate)
{
    static uint8_t der[RDPFILE_SIGNER_MOST], said[1024];
    gnutls_datum_t data = {said, (unsigned)message(said)};
    gnutls_datum_t blob = {der, (unsigned)signature(der, sizeof(der))};
    gnutls_pkcs7_signature_info_st info;
    gnutls_x509_crt_t crt;
    gnutls_pkcs7_t pkcs7;
    gnutls_x509_crt_init(&crt);
    ck_assert_int_eq(gnutls_x509_crt_import(crt, certificate, GNUTLS_X509_FMT_PEM), 0);
    gnutls_pkcs7_init(&pkcs7);
    ck_assert_int_eq(gnutls_pkcs7_import(pkcs7, &blob, GNUTLS_X509_FMT_DER), 0);
    ck_assert_int_eq(gnutls_pkcs7_get_signature_count(pkcs7), 1);
    ck_assert_int_eq(gnutls_pkcs7_get_signature_info(pkcs7, 0, &info), 0);
    ck_assert_ptr_null(info.signed_attrs);
    ck_assert_ptr_null(info.unsigned_attrs);
    ck_assert_int_eq(gnutls_sign_get_hash_algorithm(info.algo), GNUTLS_DIG_SHA256);
    gnutls_datum_t inside = {0};
    ck_assert_int_lt(gnutls_pkcs7_get_embedded_data(pkcs7, 0, &inside), 0); /* detached */
    bool good = gnutls_pkcs7_verify_direct(pkcs7, crt, 0, &data, 0) >= 0;
    said[60] ^= 1;
    ck_assert_int_lt(gnutls_pkcs7_verify_direct(pkcs7, crt, 0, &data, 0), 0);
    gnutls_pkcs7_signature_info_deinit(&info);
    gnutls_pkcs7_deinit(pkcs7);
    gnutls_x509_crt_deinit(crt);
    return good;
}

/* ---- tests ---- */

START_TEST(without_a_certificate_nothing_changes)
{
    ck_assert(sign_it(ROOM));
    ck_assert_str_eq(text, FILE_TEXT);
}
END_TEST

START_TEST(signed_as_rdpsign_does)
{
    struct pair pair = _i ? make_ec() : make_pair(GNUTLS_PK_RSA, 2048);
    ck_assert_msg(load(&pair.certificate, 1, &pair.key) == 0, "%s", why);
    ck_assert(sign_it(ROOM));
    ck_assert(signed_by(&pair.certificate));
    free_pair(&pair);
}
END_TEST

START_TEST(a_new_pair_takes_the_place_of_the_old)
{
    struct pair old = make_ec(), fresh = make_ec();
    ck_assert_int_eq(load(&old.certificate, 1, &old.key), 0);
    ck_assert_int_eq(load(&fresh.certificate, 1, &fresh.key), 0);
    ck_assert(sign_it(ROOM));
    ck_assert(signed_by(&fresh.certificate));
    ck_assert(!signed_by(&old.certificate));
    free_pair(&old);
    free_pair(&fresh);
}
END_TEST

/* What no file could be signed with is refused when it comes, not at the first file. */
START_TEST(a_pair_that_will_not_do)
{
    static const char *const words[] = {
        "only RSA and ECDSA", "not that of the certificate", "more than 8", "", "",
    };
    struct pair good = make_ec(), other = make_ec();
    struct pair odd = make_pair(GNUTLS_PK_EDDSA_ED25519, 0);
    static unsigned char noise[] = "rubbish";
    gnutls_datum_t rubbish = {noise, 7};
    ck_assert_int_eq(load(&good.certificate, 1, &good.key), 0);
    switch (_i) {
    case 0:
        ck_assert_int_eq(load(&odd.certificate, 1, &odd.key), -EINVAL);
        break;
    case 1:
        ck_assert_int_eq(load(&good.certificate, 1, &other.key), -EINVAL);
        break;
    case 2:
        ck_assert_int_eq(load(&good.certificate, 9, &good.key), -EINVAL);
        break;
    case 3:
        ck_assert_int_eq(load(&rubbish, 1, &good.key), -EINVAL);
        break;
    default:
        ck_assert_int_eq(load(&good.certificate, 1, &rubbish), -EINVAL);
    }
    ck_assert_msg(*why && strstr(why, words[_i]), "%s", why);
    ck_assert(sign_it(ROOM));
    ck_assert_msg(signed_by(&good.certificate), "the one before stays");
    free_pair(&good);
    free_pair(&other);
    free_pair(&odd);
}
END_TEST

START_TEST(the_longest_chain_fits)
{
    struct pair pair = make_pair(GNUTLS_PK_RSA, 4096);
    ck_assert_msg(load(&pair.certificate, RDPFILE_SIGNER_CHAIN, &pair.key) == 0, "%s", why);
    ck_assert(sign_it(ROOM));
    ck_assert(signed_by(&pair.certificate));
    free_pair(&pair);
}
END_TEST

START_TEST(without_room_there_is_no_file)
{
    struct pair pair = make_ec();
    ck_assert_int_eq(load(&pair.certificate, 1, &pair.key), 0);
    ck_assert(sign_it(ROOM));
    size_t whole = strlen(text);
    ck_assert(!sign_it(strlen(FILE_TEXT) + 10));
    ck_assert(!sign_it(whole - 8)); /* ECDSA's length varies by a few bytes */
    free_pair(&pair);
}
END_TEST

static void *reload(void *of)
{
    const struct pair *pair = of;
    gnutls_datum_t certificate = pair->certificate, key = pair->key;
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(load(&certificate, 1, &key), 0);
    return NULL;
}

START_TEST(a_reload_while_files_are_signed)
{
    struct pair pair = make_ec();
    pthread_t thread;
    ck_assert_int_eq(load(&pair.certificate, 1, &pair.key), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, reload, &pair), 0);
    for (int i = 0; i < 50; i++) {
        ck_assert(sign_it(ROOM));
        ck_assert(signed_by(&pair.certificate));
    }
    pthread_join(thread, NULL);
    free_pair(&pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rdp_sign");
    TCase *tests = tcase_create("rdp_sign");
    tcase_set_timeout(tests, 120); /* RSA keys, under sanitizers */
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, without_a_certificate_nothing_changes);
    tcase_add_loop_test(tests, signed_as_rdpsign_does, 0, 2);
    tcase_add_test(tests, a_new_pair_takes_the_place_of_the_old);
    tcase_add_loop_test(tests, a_pair_that_will_not_do, 0, 5);
    tcase_add_test(tests, the_longest_chain_fits);
    tcase_add_test(tests, without_room_there_is_no_file);
    tcase_add_test(tests, a_reload_while_files_are_signed);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
