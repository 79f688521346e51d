#include "peer_key.h"

#include "bytes.h"

#include <gnutls/abstract.h>
#include <stddef.h>
#include <stdint.h>

/* As much as Windows makes; verifying takes milliseconds then. Real exponents have 17 bits. */
#define RSA_BITS_MOST 16384
#define RSA_EXPONENT_MOST 8 /* bytes */
/* Our exponent may be as long as the prime. Windows has 2048 bits unless it is told otherwise. */
#define PRIME_MOST (4096 / 8)

static bool rsa_bearable(gnutls_pubkey_t key, unsigned bits)
{
    gnutls_datum_t exponent = {0};
    if (bits > RSA_BITS_MOST ||
        gnutls_pubkey_export_rsa_raw2(key, NULL, &exponent, GNUTLS_EXPORT_FLAG_NO_LZ) < 0)
        return false;
    bool good = exponent.size <= RSA_EXPONENT_MOST;
    gnutls_free(exponent.data);
    return good;
}

static bool key_bearable(gnutls_pubkey_t key)
{
    unsigned bits = 0;
    switch (gnutls_pubkey_get_pk_algorithm(key, &bits)) {
    case GNUTLS_PK_RSA:
    case GNUTLS_PK_RSA_PSS:
        return rsa_bearable(key, bits);
    case GNUTLS_PK_ECDSA: /* on curves that GnuTLS knows, else it is not imported */
    case GNUTLS_PK_EDDSA_ED25519:
    case GNUTLS_PK_EDDSA_ED448:
        return true;
    default: /* DSA's parameters may be giant, too; and nobody here asks for such keys */
        return false;
    }
}

bool peer_key_bearable(gnutls_x509_crt_t certificate)
{
    gnutls_pubkey_t key;
    if (gnutls_pubkey_init(&key) < 0)
        return false;
    bool good = gnutls_pubkey_import_x509(key, certificate, 0) >= 0 && key_bearable(key);
    gnutls_pubkey_deinit(key);
    return good;
}

/* ---- messages ---- */

/* The first certificate, whose key signs the handshake: RFC 5246 section 7.4.2, RFC 8446 section
 * 4.4.2, where a context stands before the list. False: there is none. */
static bool first_certificate(const gnutls_datum_t *message, bool context, gnutls_datum_t *der)
{
    const uint8_t *at = message->data;
    size_t left = message->size;
    if (context) {
        if (!left || left - 1 < at[0])
            return false;
        left -= 1U + at[0];
        at += 1 + at[0];
    }
    if (left < 6 || bytes_get_be24(at) > left - 3 || bytes_get_be24(at + 3) > left - 6)
        return false;
    *der = (gnutls_datum_t){(unsigned char *)(uintptr_t)at + 6, bytes_get_be24(at + 3)};
    return true;
}

/* What cannot be read here GnuTLS could not read, either. */
static int check_certificate(const gnutls_datum_t *message, bool context)
{
    gnutls_datum_t der;
    gnutls_x509_crt_t certificate;
    if (!first_certificate(message, context, &der))
        return GNUTLS_E_CERTIFICATE_ERROR;
    if (gnutls_x509_crt_init(&certificate) < 0)
        return GNUTLS_E_MEMORY_ERROR;
    bool good = gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) >= 0 &&
                peer_key_bearable(certificate);
    gnutls_x509_crt_deinit(certificate);
    return good ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* RFC 5246 section 7.4.3: the prime comes first. */
static int check_prime(const gnutls_datum_t *message)
{
    const uint8_t *at = message->data;
    size_t size = message->size < 2 ? 0 : bytes_get_be16(at);
    if (message->size < 2 || size > message->size - 2)
        return GNUTLS_E_UNEXPECTED_PACKET_LENGTH;
    for (at += 2; size && !*at; at++)
        size--;
    return size <= PRIME_MOST ? 0 : GNUTLS_E_DH_PRIME_UNACCEPTABLE;
}

int peer_key_judge(struct peer_key_agreed agreed, unsigned type, const gnutls_datum_t *message)
{
    if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
        return check_certificate(message, agreed.tls13);
    if (type == GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE && agreed.dhe)
        return check_prime(message);
    return 0;
}

int peer_key_check(gnutls_session_t session, unsigned type, const gnutls_datum_t *message)
{
    struct peer_key_agreed agreed = {
        .tls13 = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3,
        .dhe = gnutls_kx_get(session) == GNUTLS_KX_DHE_RSA,
    };
    /* Windows makes its own certificate for 3389 with a key usage of encipherment alone, and signs
     * with its key; GnuTLS would end the handshake over that. All else that this allows was for the
     * hellos, which are over. Whom to trust is not decided by the usage of a key. */
    if (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
        gnutls_session_enable_compatibility_mode(session);
    return peer_key_judge(agreed, type, message);
}
