#include "rdpfile_signer.h"

#include <errno.h>
#include <gnutls/pkcs7.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ID_SIZE 32 /* SHA-256 of a public key */

void rdpfile_signer_deinit(struct rdpfile_signer *signer)
{
    while (signer->count)
        gnutls_x509_crt_deinit(signer->chain[--signer->count]);
    if (signer->key)
        gnutls_privkey_deinit(signer->key);
    signer->key = NULL;
}

int rdpfile_signer_make(const struct rdpfile_signer *signer, const gnutls_datum_t *message,
                        gnutls_datum_t *der)
{
    gnutls_pkcs7_t pkcs7;
    int code = gnutls_pkcs7_init(&pkcs7);
    if (code < 0)
        return code;
    code = gnutls_pkcs7_sign(pkcs7, signer->chain[0], signer->key, message, NULL, NULL,
                             GNUTLS_DIG_SHA256, GNUTLS_PKCS7_INCLUDE_CERT);
    for (unsigned i = 1; code >= 0 && i < signer->count; i++)
        code = gnutls_pkcs7_set_crt(pkcs7, signer->chain[i]);
    if (code >= 0)
        code = gnutls_pkcs7_export2(pkcs7, GNUTLS_X509_FMT_DER, der);
    gnutls_pkcs7_deinit(pkcs7);
    return code < 0 ? code : 0;
}

static int import(struct rdpfile_signer *signer, const gnutls_datum_t *certificate,
                  const gnutls_datum_t *key)
{
    unsigned count = RDPFILE_SIGNER_CHAIN;
    int code = gnutls_x509_crt_list_import(signer->chain, &count, certificate, GNUTLS_X509_FMT_PEM,
                                           GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (code < 0)
        return code;
    signer->count = (unsigned)code;
    if (!signer->count)
        return GNUTLS_E_NO_CERTIFICATE_FOUND;
    code = gnutls_privkey_init(&signer->key);
    if (code >= 0)
        code = gnutls_privkey_import_x509_raw(signer->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
    return code;
}

static int ids(const struct rdpfile_signer *signer, unsigned char of_key[ID_SIZE],
               unsigned char of_certificate[ID_SIZE])
{
    size_t size = ID_SIZE;
    gnutls_pubkey_t public;
    int code = gnutls_x509_crt_get_key_id(signer->chain[0], GNUTLS_KEYID_USE_SHA256, of_certificate,
                                          &size);
    if (code >= 0)
        code = gnutls_pubkey_init(&public);
    if (code < 0)
        return code;
    size = ID_SIZE;
    code = gnutls_pubkey_import_privkey(public, signer->key, 0, 0);
    if (code >= 0)
        code = gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &size);
    gnutls_pubkey_deinit(public);
    return code;
}

/* How many certificates and of what kind decides whether, and how long. */
static int try(const struct rdpfile_signer *signer, size_t *length)
{
    static unsigned char word[] = "word";
    const gnutls_datum_t message = {word, sizeof(word)};
    gnutls_datum_t der = {0};
    int code = rdpfile_signer_make(signer, &message, &der);
    *length = der.size;
    gnutls_free(der.data);
    return code;
}

/* NULL when it will do. GnuTLS has no PKCS #7 for Ed25519, and what Windows makes of RSA-PSS nobody
 * has written down. */
static const char *fault(const struct rdpfile_signer *signer)
{
    unsigned char of_key[ID_SIZE], of_certificate[ID_SIZE];
    size_t length = 0;
    int kind = gnutls_x509_crt_get_pk_algorithm(signer->chain[0], NULL);
    if (kind != GNUTLS_PK_RSA && kind != GNUTLS_PK_ECDSA)
        return "only RSA and ECDSA keys can sign .rdp files";
    int code = ids(signer, of_key, of_certificate);
    if (code >= 0 && memcmp(of_key, of_certificate, ID_SIZE) != 0)
        return "the key is not that of the certificate";
    if (code >= 0)
        code = try(signer, &length);
    if (code < 0)
        return gnutls_strerror(code);
    return length > RDPFILE_SIGNER_MOST ? "its chain is too long for .rdp files" : NULL;
}

int rdpfile_signer_load(struct rdpfile_signer *signer, const gnutls_datum_t *certificate,
                        const gnutls_datum_t *key, char *why, size_t size)
{
    *signer = (struct rdpfile_signer){0};
    int code = import(signer, certificate, key);
    if (code == GNUTLS_E_SHORT_MEMORY_BUFFER)
        snprintf(why, size, "its chain has more than %d certificates", RDPFILE_SIGNER_CHAIN);
    else if (code < 0)
        snprintf(why, size, "%s", gnutls_strerror(code));
    const char *words = code < 0 ? NULL : fault(signer);
    if (words)
        snprintf(why, size, "%s", words);
    if (code >= 0 && !words)
        return 0;
    rdpfile_signer_deinit(signer);
    return -EINVAL;
}
