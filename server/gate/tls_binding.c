#include "tls_binding.h"

#include <gnutls/crypto.h>
#include <string.h>

#define PREFIX "tls-server-end-point:"
#define PREFIX_SIZE (sizeof(PREFIX) - 1)
#define HASH_MOST 64
/* struct gss_channel_bindings (RFC 2744 section 3.11): two addresses that are not given, each a
 * type and a length, then the data's length and the data; all numbers in four bytes, the least
 * first. */
#define ADDRESSES 16
#define HEAD (ADDRESSES + 4)

static int name_of(const gnutls_datum_t *certificate, gnutls_digest_algorithm_t hash,
                   uint8_t name[TLS_BINDING_SIZE])
{
    uint8_t text[HEAD + PREFIX_SIZE + HASH_MOST] = {0};
    size_t size = PREFIX_SIZE + gnutls_hash_get_len(hash);
    text[ADDRESSES] = (uint8_t)size;
    memcpy(text + HEAD, PREFIX, PREFIX_SIZE);
    int error =
        gnutls_hash_fast(hash, certificate->data, certificate->size, text + HEAD + PREFIX_SIZE);
    return error ? error : gnutls_hash_fast(GNUTLS_DIG_MD5, text, HEAD + size, name);
}

int tls_binding_of(const gnutls_datum_t *certificate,
                   uint8_t names[TLS_BINDING_NAMES][TLS_BINDING_SIZE])
{
    static const gnutls_digest_algorithm_t hashes[TLS_BINDING_NAMES] = {
        GNUTLS_DIG_SHA256, GNUTLS_DIG_SHA384, GNUTLS_DIG_SHA512};
    int error = 0;
    for (size_t i = 0; i < TLS_BINDING_NAMES && !error; i++)
        error = name_of(certificate, hashes[i], names[i]);
    return error;
}
