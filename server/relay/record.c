#include "record.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <string.h>

#define LABEL_MOST 12 /* "traffic upd", the longest that is used here */

/* HKDF-Expand-Label with no context, section 7.1. */
static int expand(const struct record_keys *keys, const char *label, uint8_t *out, size_t size)
{
    uint8_t info[2 + 1 + 6 + LABEL_MOST + 1] = {0, (uint8_t)size};
    size_t length = strlen(label);
    info[2] = (uint8_t)(6 + length);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, length);
    info[9 + length] = 0;
    gnutls_datum_t secret = {(uint8_t *)(uintptr_t)keys->secret, keys->secret_size}; /* only read */
    gnutls_datum_t what = {info, (unsigned)(10 + length)};
    return gnutls_hkdf_expand((gnutls_mac_algorithm_t)keys->hash, &secret, &what, out, size) < 0
               ? -ENOMEM
               : 0;
}

int record_keys_note(struct record_keys *keys, const void *secret, size_t size)
{
    if (size > sizeof(keys->secret))
        return -EINVAL;
    memcpy(keys->secret, secret, size);
    keys->secret_size = (uint8_t)size;
    return 0;
}

static int make(struct record_keys *keys)
{
    uint8_t key[32];
    gnutls_cipher_algorithm_t cipher = (gnutls_cipher_algorithm_t)keys->cipher;
    size_t size = gnutls_cipher_get_key_size(cipher);
    if (size > sizeof(key))
        return -EOPNOTSUPP;
    int error = expand(keys, "key", key, size);
    if (!error)
        error = expand(keys, "iv", keys->iv, sizeof(keys->iv));
    if (!error)
        error = record_cipher_new(&keys->aead, cipher, key, size);
    explicit_bzero(key, sizeof(key));
    return error;
}

int record_keys_make(struct record_keys *keys, gnutls_cipher_algorithm_t cipher,
                     gnutls_mac_algorithm_t hash)
{
    if (!keys->secret_size)
        return -EOPNOTSUPP;
    keys->cipher = (uint8_t)cipher;
    keys->hash = (uint8_t)hash;
    return make(keys);
}

int record_keys_update(struct record_keys *keys)
{
    uint8_t next[RECORD_SECRET_MOST];
    int error = expand(keys, "traffic upd", next, keys->secret_size);
    record_cipher_free(keys->aead);
    keys->aead = NULL;
    if (!error)
        memcpy(keys->secret, next, keys->secret_size);
    explicit_bzero(next, sizeof(next));
    keys->sequence = 0;
    return error ? error : make(keys);
}

void record_keys_wipe(struct record_keys *keys)
{
    record_cipher_free(keys->aead);
    explicit_bzero(keys, sizeof(*keys));
}

/* Section 5.3: the sequence number, padded on the left, over the IV. */
static void next_nonce(struct record_keys *keys, uint8_t nonce[RECORD_NONCE])
{
    uint64_t sequence = keys->sequence++;
    memcpy(nonce, keys->iv, RECORD_NONCE);
    for (int i = RECORD_NONCE - 1; sequence; i--, sequence >>= 8)
        nonce[i] ^= (uint8_t)sequence;
}

size_t record_seal(struct record_keys *keys, enum record_type type, uint8_t *data, size_t size,
                   uint8_t *out)
{
    uint8_t nonce[RECORD_NONCE], borrowed = data[size];
    size_t sealed = size + 1 + RECORD_TAG;
    if (!keys->aead)
        return 0;
    out[0] = RECORD_DATA;
    out[1] = out[2] = 3; /* section 5.2: legacy_record_version */
    out[3] = (uint8_t)(sealed >> 8);
    out[4] = (uint8_t)sealed;
    data[size] = (uint8_t)type;
    next_nonce(keys, nonce);
    bool good = record_cipher_seal(keys->aead, nonce, out, RECORD_HEADER, data, size + 1,
                                   out + RECORD_HEADER);
    if (data != out + RECORD_HEADER)
        data[size] = borrowed;
    return good ? RECORD_HEADER + sealed : 0;
}

int record_open(struct record_keys *keys, const uint8_t *record, uint8_t *out, uint8_t *type,
                size_t *size)
{
    uint8_t nonce[RECORD_NONCE];
    size_t length = record_length(record);
    if (record[0] != RECORD_DATA || !record_plausible(record))
        return RECORD_UNEXPECTED_MESSAGE;
    if (length > RECORD_LENGTH_MOST)
        return RECORD_OVERFLOW;
    if (length < 1 + RECORD_TAG)
        return RECORD_BAD_MAC;
    if (!keys->aead)
        return RECORD_INTERNAL_ERROR;
    size_t opened = length - RECORD_TAG;
    next_nonce(keys, nonce);
    if (!record_cipher_open(keys->aead, nonce, record, RECORD_HEADER, record + RECORD_HEADER,
                            length, out))
        return RECORD_BAD_MAC;
    /* Section 5.4: zeros may follow the type. */
    while (opened && out[opened - 1] == 0)
        opened--;
    if (!opened)
        return RECORD_UNEXPECTED_MESSAGE;
    *type = out[opened - 1];
    *size = opened - 1;
    return *size > RECORD_PLAIN_MOST ? RECORD_OVERFLOW : 0;
}
