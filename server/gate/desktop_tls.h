/* TLS towards desktops, for browsers, whose own client cannot speak it. Thread-safe.
 *
 * A desktop's certificate is rarely one that any authority has signed: the handshake accepts every
 * one, and the keeper judges it by its fingerprint; only where an administrator demands it does a
 * list of authorities count. */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct desktop_tls;

int desktop_tls_new(struct desktop_tls **out); /* 0 or -ENOMEM */

/* The authorities (PEM) behind a descriptor, which stays the caller's, in place of those before.
 * 0, or a negative errno with words; then the old ones stay. */
int desktop_tls_authorities(struct desktop_tls *tls, int fd, char *why, size_t size);

/* A client session without a transport, the caller's. No resumption: CredSSP binds to the
 * handshake's certificate. `host` is the desktop's name or address. 0 or -ENOMEM. */
int desktop_tls_session(const struct desktop_tls *tls, const char *host, gnutls_session_t *session);

/* After the handshake: is the chain good for this host by the authorities? */
bool desktop_tls_verified(struct desktop_tls *tls, gnutls_session_t session, const char *host);
/* SHA-256 of the leaf's DER. False: there is none. */
bool desktop_tls_fingerprint(gnutls_session_t session, uint8_t fingerprint[32]);
