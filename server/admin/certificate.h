/* The gateway's certificate: the self-signed one that init makes, and what there is to know about
 * any (GnuTLS's X.509). */
#pragma once

#include "conf.h"

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define CERTIFICATE_DAYS 397 /* CA/Browser Forum's limit; some clients refuse longer ones */
#define CERTIFICATE_FINGERPRINT_SIZE (32 * 3)

/* A new ECDSA P-256 key and a self-signed certificate for conf->name and the addresses that it
 * listens on, as PEM on GnuTLS's heap (gnutls_free; the key is to be wiped first). 0, or a GnuTLS
 * error code. */
int certificate_make(const struct conf *conf, gnutls_datum_t *certificate, gnutls_datum_t *key);

void certificate_fingerprint_text(const unsigned char hash[32],
                                  char to[CERTIFICATE_FINGERPRINT_SIZE]);

struct certificate {
    char fingerprint[CERTIFICATE_FINGERPRINT_SIZE]; /* SHA-256, "AB:CD:…" */
    time_t from, until;
    bool for_name; /* names conf->name */
    bool fits_key;
    char key_fault[128]; /* why not */
    bool self_signed;
};

/* A file of certificates that gateway, webhook or receiver of the audit log trust. 0, or -errno
 * with words. */
int certificate_authorities(const char *path, char *why, size_t size);

/* Looks at the pair's files. 0, -errno of what could not be read, or -EINVAL; with words. */
int certificate_look(const struct conf_pair *pair, const char *name, struct certificate *out,
                     char *why, size_t size);
