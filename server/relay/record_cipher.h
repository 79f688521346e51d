/* The AEAD of a record: AES-GCM by Intel's Multi-Buffer Crypto for IPsec library where it is there
 * and knows the processor's vector AES (a third of the time), else all of them by GnuTLS. Private
 * to relay/. */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_TAG 16   /* RFC 8446 section 5.2, of each cipher that is taken here */
#define RECORD_NONCE 12 /* section 5.3 */

struct record_cipher;

/* -EOPNOTSUPP: not AES-GCM or ChaCha20-Poly1305; -ENOMEM. The key is copied. */
int record_cipher_new(struct record_cipher **out, gnutls_cipher_algorithm_t cipher,
                      const uint8_t *key, size_t size);
/* Wipes the key. NULL is fine. */
void record_cipher_free(struct record_cipher *cipher);

/* `size` bytes and the tag go to `out`, which may be `data` itself but not overlap it otherwise. */
bool record_cipher_seal(struct record_cipher *cipher, const uint8_t nonce[RECORD_NONCE],
                        const uint8_t *extra, size_t extra_size, const uint8_t *data, size_t size,
                        uint8_t *out);
/* `size` counts the tag. False: it is not genuine, and what stands in `out` means nothing. */
bool record_cipher_open(struct record_cipher *cipher, const uint8_t nonce[RECORD_NONCE],
                        const uint8_t *extra, size_t extra_size, const uint8_t *data, size_t size,
                        uint8_t *out);
