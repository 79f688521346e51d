#include "client_trust.h"

#include "text.h"

#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>
#include <strings.h>

bool client_trust_parse_pin(uint8_t pin[CLIENT_TRUST_PIN_SIZE], const char *text)
{
    if (strncasecmp(text, "SHA256:", 7) == 0)
        text += 7;
    bool colons = text[0] && text[1] && text[2] == ':';
    for (size_t i = 0; i < CLIENT_TRUST_PIN_SIZE; i++) {
        if (colons && i && *text++ != ':')
            return false;
        int high = text_hex_digit(text[0]), low = high < 0 ? -1 : text_hex_digit(text[1]);
        if (low < 0)
            return false;
        pin[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text == '\0';
}

void client_trust_pin_text(char to[CLIENT_TRUST_PIN_TEXT], const uint8_t pin[CLIENT_TRUST_PIN_SIZE])
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < CLIENT_TRUST_PIN_SIZE; i++) {
        to[i * 3] = digits[pin[i] >> 4];
        to[i * 3 + 1] = digits[pin[i] & 15];
        to[i * 3 + 2] = ':';
    }
    to[CLIENT_TRUST_PIN_TEXT - 1] = '\0';
}

static int load_authorities(struct client_trust *trust, const char *cacert,
                            struct client_failure *failure)
{
    if (!cacert) {
        /* An empty system store is told by the check, with the fingerprint to pin. */
        gnutls_certificate_set_x509_system_trust(trust->credentials);
        return 0;
    }
    trust->own_authorities = true;
    int count =
        gnutls_certificate_set_x509_trust_file(trust->credentials, cacert, GNUTLS_X509_FMT_PEM);
    if (count > 0)
        return 0;
    return client_fail(failure, CLIENT_FAULT_INPUT, "--cacert %s: %s", cacert,
                       count < 0 ? gnutls_strerror(count) : "there is no certificate in this file");
}

int client_trust_init(struct client_trust *trust, const char *cacert, const uint8_t *pin,
                      struct client_failure *failure)
{
    *trust = (struct client_trust){.pinned = pin != NULL};
    if (gnutls_certificate_allocate_credentials(&trust->credentials) < 0)
        return client_fail(failure, CLIENT_FAULT_SYSTEM, "out of memory");
    if (pin) {
        memcpy(trust->pin, pin, CLIENT_TRUST_PIN_SIZE);
        return 0;
    }
    return load_authorities(trust, cacert, failure);
}

void client_trust_deinit(struct client_trust *trust)
{
    if (trust->credentials)
        gnutls_certificate_free_credentials(trust->credentials);
    trust->credentials = NULL;
}

static bool leaf_pin(gnutls_session_t session, uint8_t pin[CLIENT_TRUST_PIN_SIZE])
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    return chain && count &&
           gnutls_hash_fast(GNUTLS_DIG_SHA256, chain[0].data, chain[0].size, pin) == 0;
}

static int refuse(const struct client_trust *trust, const char *why, const char *seen,
                  struct client_failure *failure)
{
    return client_fail(
        failure, CLIENT_FAULT_CERTIFICATE,
        "the gateway's certificate is not trusted: %s\n"
        "  Nothing was sent. Its SHA-256 fingerprint is\n"
        "    %s\n"
        "  Compare it with the one that \"deskgate init\" printed on the gateway (ask its\n"
        "  administrator, not over this connection). Only if all of it is the same, use\n"
        "    --fingerprint %s%s",
        why, seen, seen,
        trust->own_authorities ? "\n  or give --cacert the authority that signed it" : "");
}

static int check_pin(const struct client_trust *trust, const uint8_t *seen, const char *text,
                     struct client_failure *failure)
{
    char pinned[CLIENT_TRUST_PIN_TEXT];
    if (memcmp(seen, trust->pin, CLIENT_TRUST_PIN_SIZE) == 0)
        return 0;
    client_trust_pin_text(pinned, trust->pin);
    return client_fail(failure, CLIENT_FAULT_CERTIFICATE,
                       "the gateway's certificate is not the pinned one; nothing was sent\n"
                       "    pinned  %s\n"
                       "    seen    %s\n"
                       "  Either the gateway has a new certificate (ask its administrator for the\n"
                       "  new fingerprint), or somebody stands between you and the gateway.",
                       pinned, text);
}

int client_trust_check(const struct client_trust *trust, gnutls_session_t session, const char *host,
                       struct client_failure *failure)
{
    uint8_t seen[CLIENT_TRUST_PIN_SIZE];
    char text[CLIENT_TRUST_PIN_TEXT];
    unsigned status = 0;
    if (!leaf_pin(session, seen))
        return client_fail(failure, CLIENT_FAULT_CERTIFICATE, "the gateway showed no certificate");
    client_trust_pin_text(text, seen);
    if (trust->pinned)
        return check_pin(trust, seen, text, failure);
    int error = gnutls_certificate_verify_peers3(session, host, &status);
    if (error < 0)
        return refuse(trust, gnutls_strerror(error), text, failure);
    if (!status)
        return 0;
    gnutls_datum_t words = {0};
    error = gnutls_certificate_verification_status_print(
        status, gnutls_certificate_type_get2(session, GNUTLS_CTYPE_SERVER), &words, 0);
    refuse(trust, error < 0 ? "it could not be verified" : (const char *)words.data, text, failure);
    gnutls_free(words.data);
    return -1;
}
