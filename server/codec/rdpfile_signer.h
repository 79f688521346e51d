/* Who signs .rdp files: a certificate with its chain, and its key. One judge of what will do, for
 * the gate that signs, the supervisor that hands the pair over, and "deskgate check". */
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stddef.h>

#define RDPFILE_SIGNER_CHAIN 8    /* certificates at most */
#define RDPFILE_SIGNER_MOST 20480 /* bytes of a signature at most */

struct rdpfile_signer {
    gnutls_privkey_t key; /* NULL: none */
    gnutls_x509_crt_t chain[RDPFILE_SIGNER_CHAIN];
    unsigned count;
};

/* From PEM, the signer's certificate first. It is tried: what loads can sign. 0, or -EINVAL with
 * words that follow a file's name; then there is nothing to deinit. */
int rdpfile_signer_load(struct rdpfile_signer *signer, const gnutls_datum_t *certificate,
                        const gnutls_datum_t *key, char *why, size_t size);
void rdpfile_signer_deinit(struct rdpfile_signer *signer);

/* A PKCS #7 in DER, detached and without signed attributes, as rdpsign makes it. `der` is the
 * caller's (gnutls_free). 0, or a GnuTLS error code. */
int rdpfile_signer_make(const struct rdpfile_signer *signer, const gnutls_datum_t *message,
                        gnutls_datum_t *der);
