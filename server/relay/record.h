/* TLS 1.3 records of one direction: RFC 8446 section 5, with the keys of section 7.3. Private to
 * relay/.
 *
 * GnuTLS makes the handshake and can go on with the records; what this saves is its copies and its
 * locks on each of them, and the memory of the session. The ciphers are libraries'
 * (record_cipher.h).
 */
#pragma once

#include "record_cipher.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER 5                               /* section 5.1 */
#define RECORD_PLAIN_MOST 16384                       /* section 5.1 */
#define RECORD_LENGTH_MOST (16384 + 256)              /* section 5.2, of what follows the header */
#define RECORD_EXTRA (RECORD_HEADER + 1 + RECORD_TAG) /* what sealing adds */
#define RECORD_SECRET_MOST 48                         /* SHA-384 */
/* Section 5.5 allows 2^24.5 records under one key of AES-GCM. */
#define RECORD_REKEY (UINT64_C(1) << 24)

/* Section 5.1 */
enum record_type { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };

/* Section 6: what we have reason to send. */
enum record_alert {
    RECORD_CLOSE_NOTIFY = 0,
    RECORD_UNEXPECTED_MESSAGE = 10,
    RECORD_BAD_MAC = 20,
    RECORD_OVERFLOW = 22,
    RECORD_DECODE_ERROR = 50,
    RECORD_INTERNAL_ERROR = 80
};

struct record_keys {
    struct record_cipher *aead; /* NULL: not made yet */
    uint64_t sequence;          /* of the next record under these keys */
    uint8_t iv[RECORD_NONCE];
    uint8_t cipher, hash; /* gnutls_cipher_algorithm_t, gnutls_mac_algorithm_t: small numbers */
    uint8_t secret_size;
    uint8_t secret[RECORD_SECRET_MOST]; /* the traffic secret, from which the next one comes */
};

/* Remembers a traffic secret; keys are made by record_keys_make(). -EINVAL: too long. */
int record_keys_note(struct record_keys *keys, const void *secret, size_t size);
/* Makes key and IV of the noted secret. -EOPNOTSUPP: not a cipher that is taken; else 0 or -ENOMEM.
 * The sequence is the caller's to set. */
int record_keys_make(struct record_keys *keys, gnutls_cipher_algorithm_t cipher,
                     gnutls_mac_algorithm_t hash);
/* The next generation, after a KeyUpdate (section 7.2). 0 or -ENOMEM; then the keys are unusable.
 */
int record_keys_update(struct record_keys *keys);
/* Wipes everything. May run twice. */
void record_keys_wipe(struct record_keys *keys);

/* The first bytes of any record: a known type, and the version that all carry (section 5.1). What
 * is not plausible may be anything, so its length means nothing. */
static inline bool record_plausible(const uint8_t *header)
{
    return header[0] >= 20 && header[0] <= 24 && header[1] == 3;
}

/* How many bytes follow the header, as it says. */
static inline size_t record_length(const uint8_t *header)
{
    return (size_t)header[3] << 8 | header[4];
}

/* Seals `size` (at most RECORD_PLAIN_MOST) bytes into `out`, which has room for RECORD_EXTRA more.
 * `data` is out + RECORD_HEADER or does not overlap it. One byte behind the data is borrowed for
 * the type, and given back: to copy all of them into one place for it costs a tenth of the whole.
 * Returns the record's size; 0: the cipher failed. */
size_t record_seal(struct record_keys *keys, enum record_type type, uint8_t *data, size_t size,
                   uint8_t *out);

/* Opens the record that stands at `record`, whole if its header is good, into `out` (room for what
 * follows its header, less the tag; no overlap). Its content is `*size` bytes of `*type`. 0, or the
 * alert to die with. */
int record_open(struct record_keys *keys, const uint8_t *record, uint8_t *out, uint8_t *type,
                size_t *size);
