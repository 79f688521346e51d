/* cipher MEGABYTES
 *
 * What TLS's cipher alone takes of one core: AES-128-GCM as GnuTLS has it, on records of 16 KiB, in
 * place, in memory that is warm. Prints encrypt and decrypt, processor seconds per GB (10^9 bytes).
 */
#include "load.h"
#include "load_pattern.h"
#include "load_time.h"

#include <gnutls/crypto.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define RECORD (PATTERN_BLOCK + 1) /* RFC 8446 section 5.2: the type stands behind the content */
#define RECORDS 16                 /* at a time */
#define TAG 16

struct record {
    uint8_t bytes[RECORD], tag[TAG], nonce[12];
};

static int each(gnutls_aead_cipher_hd_t cipher, struct record *record, int encrypt)
{
    uint8_t head[5] = {23, 3, 3, (RECORD + TAG) >> 8, (RECORD + TAG) & 0xff};
    giovec_t known = {.iov_base = head, .iov_len = sizeof(head)};
    giovec_t body = {.iov_base = record->bytes, .iov_len = RECORD};
    size_t tag = TAG;
    if (encrypt)
        return gnutls_aead_cipher_encryptv2(cipher, record->nonce, sizeof(record->nonce), &known, 1,
                                            &body, 1, record->tag, &tag);
    return gnutls_aead_cipher_decryptv2(cipher, record->nonce, sizeof(record->nonce), &known, 1,
                                        &body, 1, record->tag, tag);
}

/* Processor seconds for all of the records. */
static double all(gnutls_aead_cipher_hd_t cipher, struct record *records, int encrypt)
{
    double begun = time_own_cpu();
    for (size_t i = 0; i < RECORDS; i++) {
        if (each(cipher, &records[i], encrypt) < 0) {
            fputs("deskgate-load: the cipher failed\n", stderr);
            exit(EXIT_FAILURE);
        }
    }
    return time_own_cpu() - begun;
}

int load_cipher(int count, char **words)
{
    static uint8_t secret[16] = "sixteen bytes...";
    static struct record records[RECORDS];
    const gnutls_datum_t key = {.data = secret, .size = sizeof(secret)};
    gnutls_aead_cipher_hd_t cipher;
    double encrypt = 0, decrypt = 0, gigabytes;
    uint64_t turns = strtoull(words[0], NULL, 10) * 1000000 / (RECORDS * PATTERN_BLOCK);
    (void)count;
    errno = EINVAL;
    if (!turns || gnutls_aead_cipher_init(&cipher, GNUTLS_CIPHER_AES_128_GCM, &key) < 0)
        load_die("cipher");
    for (size_t i = 0; i < RECORDS; i++)
        memcpy(records[i].bytes, pattern_bytes(), PATTERN_BLOCK);
    for (uint64_t i = 0; i < turns; i++) {
        encrypt += all(cipher, records, 1);
        decrypt += all(cipher, records, 0);
    }
    for (size_t i = 0; i < RECORDS; i++)
        pattern_check(records[i].bytes, PATTERN_BLOCK, 0);
    gnutls_aead_cipher_deinit(cipher);
    gigabytes = (double)turns * RECORDS * PATTERN_BLOCK / 1e9;
    printf("{\"encrypt\": %.4f, \"decrypt\": %.4f}\n", encrypt / gigabytes, decrypt / gigabytes);
    return EXIT_SUCCESS;
}
