/* Both ends of TLS with a certificate made on the spot (ECDSA P-256), for tests and benchmarks.
 * What fails aborts. */
#pragma once

#include <gnutls/gnutls.h>

/* For tls_ends_session: one cipher suite each, so that a figure or a failure means one thing. */
#define TLS_ENDS_13 "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM"
#define TLS_ENDS_12 "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM"

struct tls_ends {
    gnutls_certificate_credentials_t server, client;
};

void tls_ends_init(struct tls_ends *ends);
void tls_ends_deinit(struct tls_ends *ends);
/* A session without a transport; the caller's. `role`: GNUTLS_SERVER or GNUTLS_CLIENT, which
 * verifies nothing. */
gnutls_session_t tls_ends_session(const struct tls_ends *ends, unsigned role, const char *priority);
