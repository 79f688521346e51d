/* AES-GCM by intel-ipsec-mb's calls for single messages. Private to relay/record_cipher.c, and
 * built without the library all of it says no. */
#pragma once

#include "record_cipher.h"

struct record_cipher_mb;

/* -EOPNOTSUPP: not with this processor, this key or this build. Else 0 or -ENOMEM. */
int record_cipher_mb_new(struct record_cipher_mb **out, const uint8_t *key, size_t size);
void record_cipher_mb_free(struct record_cipher_mb *cipher); /* wipes; NULL is fine */
/* As record_cipher.h says. */
void record_cipher_mb_seal(const struct record_cipher_mb *cipher, const uint8_t nonce[RECORD_NONCE],
                           const uint8_t *extra, size_t extra_size, const uint8_t *data,
                           size_t size, uint8_t *out);
bool record_cipher_mb_open(const struct record_cipher_mb *cipher, const uint8_t nonce[RECORD_NONCE],
                           const uint8_t *extra, size_t extra_size, const uint8_t *data,
                           size_t size, uint8_t *out);
