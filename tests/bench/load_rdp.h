/* The beginning of a desktop that speaks RDP with TLS, as far as a gateway looks at it. */
#pragma once

#include "load_link.h"

/* Reads PEM files. Ends the program with a word when that fails. */
gnutls_certificate_credentials_t rdp_credentials(const char *certificate, const char *key);

/* Takes an X.224 connection request from an accepted descriptor, confirms TLS ([MS-RDPBCGR]
 * section 2.2.1.2), and shakes hands on it; waits. The descriptor becomes the link's in any case.
 * 0 or a negative errno. */
int rdp_accept(struct link *link, int fd, gnutls_certificate_credentials_t pair);
