/* The ciphers of records, whichever library they come from, against GnuTLS's; and what a changed
 * bit does. */
#include "record.h"

#include "suite.h"

#include <check.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

static const gnutls_cipher_algorithm_t ciphers[] = {
    GNUTLS_CIPHER_AES_128_GCM, GNUTLS_CIPHER_AES_256_GCM, GNUTLS_CIPHER_CHACHA20_POLY1305};

static uint8_t key[32], plain[RECORD_PLAIN_MOST + 300];

static void setup(void)
{
    srand(7);
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)rand();
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)rand();
}

static size_t size_at(int i)
{
    static const size_t large[] = {511, 512, 1023, 4095, 4097, 16383, 16384, 16385, 16640};
    return i < 300 ? (size_t)i : large[i - 300];
}

START_TEST(the_same_as_gnutls_at_every_size)
{
    static uint8_t ours[sizeof(plain) + RECORD_TAG], theirs[sizeof(ours)], back[sizeof(ours)];
    const uint8_t nonce[RECORD_NONCE] = {1, 2, 3}, extra[5] = {23, 3, 3, 0, 1};
    struct record_cipher *cipher;
    gnutls_aead_cipher_hd_t other;
    gnutls_datum_t datum = {key, (unsigned)gnutls_cipher_get_key_size(ciphers[_i])};
    ck_assert_int_eq(record_cipher_new(&cipher, ciphers[_i], key, datum.size), 0);
    ck_assert_int_eq(gnutls_aead_cipher_init(&other, ciphers[_i], &datum), 0);
    for (int i = 0; i < 309; i++) {
        size_t size = size_at(i), made = sizeof(theirs);
        ck_assert(record_cipher_seal(cipher, nonce, extra, sizeof(extra), plain, size, ours));
        ck_assert_int_eq(gnutls_aead_cipher_encrypt(other, nonce, sizeof(nonce), extra,
                                                    sizeof(extra), RECORD_TAG, plain, size, theirs,
                                                    &made),
                         0);
        ck_assert_uint_eq(made, size + RECORD_TAG);
        ck_assert_mem_eq(ours, theirs, made);
        ck_assert(record_cipher_open(cipher, nonce, extra, sizeof(extra), ours, made, back));
        ck_assert(size == 0 || memcmp(back, plain, size) == 0);
        /* In place. */
        memcpy(back, plain, size);
        ck_assert(record_cipher_seal(cipher, nonce, extra, sizeof(extra), back, size, back));
        ck_assert_mem_eq(back, theirs, made);
        for (int flip = 0; flip < 3; flip++) { /* first byte, last byte of the data, of the tag */
            size_t at = flip == 0 || size == 0 ? 0 : flip == 1 ? size - 1 : made - 1;
            ours[at] ^= 0x40;
            ck_assert(!record_cipher_open(cipher, nonce, extra, sizeof(extra), ours, made, back));
            ours[at] ^= 0x40;
        }
    }
    gnutls_aead_cipher_deinit(other);
    record_cipher_free(cipher);
}
END_TEST

START_TEST(other_ciphers_are_not_taken)
{
    struct record_cipher *cipher;
    ck_assert_int_eq(record_cipher_new(&cipher, GNUTLS_CIPHER_AES_128_CCM, key, 16), -EOPNOTSUPP);
    ck_assert_int_eq(record_cipher_new(&cipher, GNUTLS_CIPHER_AES_128_CCM_8, key, 16), -EOPNOTSUPP);
    record_cipher_free(NULL);
}
END_TEST

static void make_keys(struct record_keys *keys)
{
    memset(keys, 0, sizeof(*keys));
    ck_assert_int_eq(record_keys_note(keys, key, 32), 0);
    ck_assert_int_eq(record_keys_make(keys, GNUTLS_CIPHER_AES_128_GCM, GNUTLS_MAC_SHA256), 0);
}

START_TEST(a_record_opens_once_and_in_its_turn)
{
    static uint8_t first[200], second[200], out[200];
    uint8_t data[100], type;
    size_t size;
    struct record_keys in, sender;
    make_keys(&in);
    make_keys(&sender);
    memcpy(data, plain, sizeof(data));
    size_t made = record_seal(&sender, RECORD_DATA, data, 50, first);
    ck_assert_uint_eq(made, 50 + RECORD_EXTRA);
    ck_assert_mem_eq(data, plain, sizeof(data)); /* the byte that was borrowed is back */
    ck_assert_uint_ne(record_seal(&sender, RECORD_ALERT, data, 2, second), 0);
    ck_assert_int_eq(record_open(&in, first, out, &type, &size), 0);
    ck_assert(type == RECORD_DATA && size == 50 && memcmp(out, plain, 50) == 0);
    ck_assert_int_eq(record_open(&in, first, out, &type, &size), RECORD_BAD_MAC); /* again */
    in.sequence = 1;
    ck_assert_int_eq(record_open(&in, second, out, &type, &size), 0);
    ck_assert(type == RECORD_ALERT && size == 2);
    record_keys_wipe(&in);
    record_keys_wipe(&sender);
    record_keys_wipe(&sender); /* twice is fine */
    ck_assert_uint_eq(record_seal(&sender, RECORD_DATA, data, 2, second), 0);
}
END_TEST

/* RFC 8448 section 3: the server's application traffic secret, and what comes of it. */
START_TEST(keys_of_the_specification)
{
    static const uint8_t secret[32] = {0xa1, 0x1a, 0xf9, 0xf0, 0x55, 0x31, 0xf8, 0x56,
                                       0xad, 0x47, 0x11, 0x6b, 0x45, 0xa9, 0x50, 0x32,
                                       0x82, 0x04, 0xb4, 0xf4, 0x4b, 0xfb, 0x6b, 0x3a,
                                       0x4b, 0x4f, 0x1f, 0x3f, 0xcb, 0x63, 0x16, 0x43};
    static const uint8_t iv[RECORD_NONCE] = {0xcf, 0x78, 0x2b, 0x88, 0xdd, 0x83,
                                             0x54, 0x9a, 0xad, 0xf1, 0xe9, 0x84};
    struct record_keys keys = {0};
    ck_assert_int_eq(record_keys_note(&keys, secret, sizeof(secret)), 0);
    ck_assert_int_eq(record_keys_make(&keys, GNUTLS_CIPHER_AES_128_GCM, GNUTLS_MAC_SHA256), 0);
    ck_assert_mem_eq(keys.iv, iv, sizeof(iv));
    record_keys_wipe(&keys);
    ck_assert_int_eq(record_keys_note(&keys, plain, RECORD_SECRET_MOST + 1), -EINVAL);
    ck_assert_int_eq(record_keys_make(&keys, GNUTLS_CIPHER_AES_128_GCM, GNUTLS_MAC_SHA256),
                     -EOPNOTSUPP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record");
    TCase *tests = tcase_create("record");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, the_same_as_gnutls_at_every_size, 0, 3);
    tcase_add_test(tests, other_ciphers_are_not_taken);
    tcase_add_test(tests, a_record_opens_once_and_in_its_turn);
    tcase_add_test(tests, keys_of_the_specification);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
