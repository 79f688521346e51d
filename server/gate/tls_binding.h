/* What clients that sign in over TLS call our end of it, so that who stands between, with a
 * certificate of his own, cannot pass their proof on to us: tls-server-end-point (RFC 5929 section
 * 4) as MsvAvChannelBindings ([MS-NLMP] section 2.2.2.1). */
#pragma once

#include <gnutls/gnutls.h>
#include <stdint.h>

#define TLS_BINDING_SIZE 16
/* The certificate is hashed as its signature was, or by SHA-256 whatever that was, as FreeRDP does:
 * so there are several names for one certificate. */
#define TLS_BINDING_NAMES 3

/* Of a certificate in DER. 0 or a GnuTLS error. */
int tls_binding_of(const gnutls_datum_t *certificate,
                   uint8_t names[TLS_BINDING_NAMES][TLS_BINDING_SIZE]);
