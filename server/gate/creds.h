/* The gate's certificates and TLS settings; replaced as a whole at a reload. Thread-safe. */
#pragma once

#include "tls_binding.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct creds; /* one generation of certificates; counted */
struct creds_store;

/* Reads `count` descriptors (certificate PEM, key PEM, …; they stay the caller's) into a store.
 * 0, or a negative errno with words in `why`. */
int creds_store_new(struct creds_store **out, const int *fds, size_t count, char *why, size_t size);
/* Replaces the certificates for sessions made from now on; on failure the old ones stay. */
int creds_store_reload(struct creds_store *store, const int *fds, size_t count, char *why,
                       size_t size);

/* When the first of the certificates in use ends; Unix seconds, 0: not known. */
int64_t creds_expire(struct creds_store *store);

/* A server session with the current certificates, tickets and ALPN, ready for a transport. The
 * caller frees the session, then releases the generation. 0 or -ENOMEM. */
int creds_session(struct creds_store *store, gnutls_session_t *session, struct creds **generation);
void creds_release(struct creds *generation); /* NULL is fine */

/* A client names our certificate so (tls_binding.h). True for earlier ones, too: TLS sessions that
 * began with them may be resumed. */
bool creds_bound(struct creds_store *store, const uint8_t name[TLS_BINDING_SIZE]);
