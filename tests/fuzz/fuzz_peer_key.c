/* A message of a server's handshake before anything is computed with it: the first byte is what the
 * hellos agreed on, the second chooses the message's type. What is let through must be soon
 * computed with. */
#include "peer_key.h"

#include "fuzz_kit.h"

#include <gnutls/abstract.h>

#define TLS13 1
#define DHE 2
#define RSA_BITS_MOST 16384
#define PRIME_MOST 512 /* bytes */

/* Where the first certificate is, by the formats of RFC 5246 section 7.4.2 and RFC 8446 section
 * 4.4.2; what was let through has one. */
static void check_certificate(const uint8_t *message, size_t size, bool tls13)
{
    size_t at = (tls13 ? 1U + message[0] : 0U) + 3;
    fuzz_demand(at + 3 <= size);
    gnutls_datum_t der = {(unsigned char *)(uintptr_t)message + at + 3,
                          (unsigned)(message[at] << 16 | message[at + 1] << 8 | message[at + 2])};
    fuzz_demand(der.size <= size - at - 3);
    gnutls_x509_crt_t crt;
    unsigned bits = 0;
    fuzz_demand(gnutls_x509_crt_init(&crt) == 0);
    fuzz_demand(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == 0);
    int kind = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    fuzz_demand(kind != GNUTLS_PK_DSA && kind != GNUTLS_PK_DH && bits <= RSA_BITS_MOST);
    gnutls_x509_crt_deinit(crt);
}

static void check_prime(const uint8_t *message, size_t size)
{
    fuzz_demand(size >= 2);
    size_t most = (size_t)(message[0] << 8 | message[1]), at = 0;
    fuzz_demand(most <= size - 2);
    while (at < most && !message[2 + at])
        at++;
    fuzz_demand(most - at <= PRIME_MOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned types[] = {GNUTLS_HANDSHAKE_CERTIFICATE_PKT,
                                     GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE,
                                     GNUTLS_HANDSHAKE_SERVER_HELLO_DONE};
    if (size < 2)
        return 0;
    struct peer_key_agreed agreed = {.tls13 = data[0] & TLS13, .dhe = data[0] & DHE};
    unsigned type = types[data[1] % (sizeof(types) / sizeof(*types))];
    uint8_t *copy = malloc(size - 2 ? size - 2 : 1); /* so that a byte too far is seen */
    fuzz_demand(copy);
    memcpy(copy, data + 2, size - 2);
    gnutls_datum_t message = {copy, (unsigned)size - 2};
    int code = peer_key_judge(agreed, type, &message);
    fuzz_demand(code <= 0);
    if (code == 0 && type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT)
        check_certificate(copy, size - 2, agreed.tls13);
    if (code == 0 && type == GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE && agreed.dhe)
        check_prime(copy, size - 2);
    free(copy);
    return 0;
}
