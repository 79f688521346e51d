/* Keys that the other end shows in a TLS handshake, before anything is computed with them. GnuTLS
 * takes an RSA key, and a prime of Diffie and Hellman's, of nearly any size, and a signature that
 * is rubbish costs as much as a good one: seconds, in a thread for which others wait. */
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>

/* For the hook behind each message that came: 0, or the GnuTLS error to end the handshake with. A
 * certificate's key may sign whatever its key usage says. */
int peer_key_check(gnutls_session_t session, unsigned type, const gnutls_datum_t *message);
/* The same, where what the hellos agreed on is known. */
struct peer_key_agreed {
    bool tls13;
    bool dhe; /* keys are exchanged by a prime of the server's choice (TLS 1.2) */
};
int peer_key_judge(struct peer_key_agreed agreed, unsigned type, const gnutls_datum_t *message);
/* Is a signature by this certificate's key verified soon? */
bool peer_key_bearable(gnutls_x509_crt_t certificate);
