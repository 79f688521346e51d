/* In place of record_cipher_mb.c where the library is not to be had. */
#include "record_cipher_mb.h"

#include <errno.h>

int record_cipher_mb_new(struct record_cipher_mb **out, const uint8_t *key, size_t size)
{
    (void)out;
    (void)key;
    (void)size;
    return -EOPNOTSUPP;
}

void record_cipher_mb_free(struct record_cipher_mb *cipher)
{
    (void)cipher;
}

void record_cipher_mb_seal(const struct record_cipher_mb *cipher, const uint8_t nonce[RECORD_NONCE],
                           const uint8_t *extra, size_t extra_size, const uint8_t *data,
                           size_t size, uint8_t *out)
{
    (void)cipher;
    (void)nonce;
    (void)extra;
    (void)extra_size;
    (void)data;
    (void)size;
    (void)out;
}

bool record_cipher_mb_open(const struct record_cipher_mb *cipher, const uint8_t nonce[RECORD_NONCE],
                           const uint8_t *extra, size_t extra_size, const uint8_t *data,
                           size_t size, uint8_t *out)
{
    record_cipher_mb_seal(cipher, nonce, extra, extra_size, data, size, out);
    return false;
}
