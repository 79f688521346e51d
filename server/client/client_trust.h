/* Whether the server at the other end is the gateway: the system's certificate authorities (or
 * given ones) and the host name; or one pinned certificate, and then nothing else counts. */
#pragma once

#include "client_failure.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#define CLIENT_TRUST_PIN_SIZE 32                          /* SHA-256 of the certificate (DER) */
#define CLIENT_TRUST_PIN_TEXT (CLIENT_TRUST_PIN_SIZE * 3) /* AA:BB:…, NUL included */

struct client_trust {
    gnutls_certificate_credentials_t credentials;
    bool pinned, own_authorities;
    uint8_t pin[CLIENT_TRUST_PIN_SIZE];
};

/* 64 hexadecimal digits, in pairs with or without colons, either case, with or without "SHA256:" in
 * front. */
bool client_trust_parse_pin(uint8_t pin[CLIENT_TRUST_PIN_SIZE], const char *text);
void client_trust_pin_text(char to[CLIENT_TRUST_PIN_TEXT],
                           const uint8_t pin[CLIENT_TRUST_PIN_SIZE]);

/* `cacert` is a PEM file or NULL (the system's), `pin` a parsed pin or NULL. 0 or -1. */
int client_trust_init(struct client_trust *trust, const char *cacert, const uint8_t *pin,
                      struct client_failure *failure);
void client_trust_deinit(struct client_trust *trust);

/* After a handshake and before the first byte is sent: 0, or -1 with a fingerprint to compare. */
int client_trust_check(const struct client_trust *trust, gnutls_session_t session, const char *host,
                       struct client_failure *failure);
