/* What a certificate's own words allow a TLS server to do with it (RFC 5280 section 4.2), beyond
 * name and dates: clients go by them, and so does GnuTLS when it is to sign. For the supervisor,
 * which hands certificates over, and "deskgate check". A pure function. */
#pragma once

#include <gnutls/x509.h>
#include <stdbool.h>

struct server_leaf {
    bool signs;   /* its key may sign (keyUsage), without which no handshake comes about */
    bool serves;  /* it is for servers (extendedKeyUsage), or for anything */
    bool named;   /* it has alternative names: browsers look nowhere else */
    bool common;  /* browsers know keys of this kind: RSA, ECDSA P-256 and P-384 */
    bool stapled; /* it demands an OCSP answer with it (RFC 7633), of which we have none */
};

void server_leaf_look(gnutls_x509_crt_t crt, struct server_leaf *out);
