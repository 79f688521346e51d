#include "record_cipher.h"

#include "record_cipher_mb.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>

struct record_cipher {
    struct record_cipher_mb *mb;      /* AES-GCM, when it is there; or … */
    gnutls_aead_cipher_hd_t ordinary; /* … any */
};

static int open_ordinary(struct record_cipher *made, gnutls_cipher_algorithm_t cipher,
                         const uint8_t *key, size_t size)
{
    gnutls_datum_t datum = {(uint8_t *)(uintptr_t)key, (unsigned)size}; /* only read */
    return gnutls_aead_cipher_init(&made->ordinary, cipher, &datum) < 0 ? -ENOMEM : 0;
}

int record_cipher_new(struct record_cipher **out, gnutls_cipher_algorithm_t cipher,
                      const uint8_t *key, size_t size)
{
    bool gcm = cipher == GNUTLS_CIPHER_AES_128_GCM || cipher == GNUTLS_CIPHER_AES_256_GCM;
    if (!gcm && cipher != GNUTLS_CIPHER_CHACHA20_POLY1305)
        return -EOPNOTSUPP;
    struct record_cipher *made = calloc(1, sizeof(*made));
    if (!made)
        return -ENOMEM;
    int error = gcm ? record_cipher_mb_new(&made->mb, key, size) : -EOPNOTSUPP;
    if (error == -EOPNOTSUPP)
        error = open_ordinary(made, cipher, key, size);
    if (error) {
        free(made);
        return error;
    }
    *out = made;
    return 0;
}

void record_cipher_free(struct record_cipher *cipher)
{
    if (!cipher)
        return;
    if (cipher->ordinary)
        gnutls_aead_cipher_deinit(cipher->ordinary);
    record_cipher_mb_free(cipher->mb);
    free(cipher);
}

bool record_cipher_seal(struct record_cipher *cipher, const uint8_t nonce[RECORD_NONCE],
                        const uint8_t *extra, size_t extra_size, const uint8_t *data, size_t size,
                        uint8_t *out)
{
    size_t sealed = size + RECORD_TAG;
    if (cipher->mb) {
        record_cipher_mb_seal(cipher->mb, nonce, extra, extra_size, data, size, out);
        return true;
    }
    return gnutls_aead_cipher_encrypt(cipher->ordinary, nonce, RECORD_NONCE, extra, extra_size,
                                      RECORD_TAG, data, size, out, &sealed) >= 0;
}

bool record_cipher_open(struct record_cipher *cipher, const uint8_t nonce[RECORD_NONCE],
                        const uint8_t *extra, size_t extra_size, const uint8_t *data, size_t size,
                        uint8_t *out)
{
    size_t opened = size - RECORD_TAG;
    if (cipher->mb)
        return record_cipher_mb_open(cipher->mb, nonce, extra, extra_size, data, size, out);
    return gnutls_aead_cipher_decrypt(cipher->ordinary, nonce, RECORD_NONCE, extra, extra_size,
                                      RECORD_TAG, data, size, out, &opened) >= 0;
}
