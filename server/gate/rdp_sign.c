#include "rdp_sign.h"

#include "log.h"
#include "pem_file.h"
#include "rdpfile_sign.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/pkcs7.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MOST 8

struct rdp_sign {
    pthread_mutex_t lock; /* guards all; a file is signed in a millisecond or two */
    gnutls_privkey_t key; /* NULL: none */
    gnutls_x509_crt_t chain[CHAIN_MOST];
    unsigned count;
};

int rdp_sign_new(struct rdp_sign **out)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    pthread_mutex_init(&(*out)->lock, NULL);
    return 0;
}

/* ---- loading ---- */

static void forget(gnutls_privkey_t key, gnutls_x509_crt_t *chain, unsigned count)
{
    while (count)
        gnutls_x509_crt_deinit(chain[--count]);
    if (key)
        gnutls_privkey_deinit(key);
}

static int import(struct rdp_sign *fresh, const gnutls_datum_t *certificate,
                  const gnutls_datum_t *key)
{
    unsigned count = CHAIN_MOST;
    int code = gnutls_x509_crt_list_import(fresh->chain, &count, certificate, GNUTLS_X509_FMT_PEM,
                                           GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (code < 0)
        return code;
    fresh->count = (unsigned)code;
    code = gnutls_privkey_init(&fresh->key);
    if (code < 0)
        return code;
    return gnutls_privkey_import_x509_raw(fresh->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
}

static void replace(struct rdp_sign *sign, struct rdp_sign *fresh)
{
    struct rdp_sign old = {0};
    pthread_mutex_lock(&sign->lock);
    old.key = sign->key;
    old.count = sign->count;
    memcpy(old.chain, sign->chain, sizeof(old.chain));
    sign->key = fresh->key;
    sign->count = fresh->count;
    memcpy(sign->chain, fresh->chain, sizeof(sign->chain));
    pthread_mutex_unlock(&sign->lock);
    forget(old.key, old.chain, old.count);
}

int rdp_sign_load(struct rdp_sign *sign, int certificate_fd, int key_fd, char *why, size_t size)
{
    gnutls_datum_t certificate = {0}, key = {0};
    struct rdp_sign fresh = {0};
    int error = pem_file_read(certificate_fd, &certificate);
    if (!error)
        error = pem_file_read(key_fd, &key);
    int code = error ? 0 : import(&fresh, &certificate, &key);
    pem_file_forget(&certificate);
    pem_file_forget(&key);
    if (!error && code >= 0) {
        replace(sign, &fresh);
        return 0;
    }
    snprintf(why, size, "%s", error ? strerror(-error) : gnutls_strerror(code));
    forget(fresh.key, fresh.chain, fresh.count);
    return error ? error : -EINVAL;
}

/* ---- signing ---- */

/* Locked. Detached, without signed attributes: what mstsc takes. */
static int make(const struct rdp_sign *sign, const gnutls_datum_t *message, gnutls_datum_t *der)
{
    gnutls_pkcs7_t pkcs7;
    int code = gnutls_pkcs7_init(&pkcs7);
    if (code < 0)
        return code;
    code = gnutls_pkcs7_sign(pkcs7, sign->chain[0], sign->key, message, NULL, NULL,
                             GNUTLS_DIG_SHA256, GNUTLS_PKCS7_INCLUDE_CERT);
    for (unsigned i = 1; code >= 0 && i < sign->count; i++)
        code = gnutls_pkcs7_set_crt(pkcs7, sign->chain[i]);
    if (code >= 0)
        code = gnutls_pkcs7_export2(pkcs7, GNUTLS_X509_FMT_DER, der);
    gnutls_pkcs7_deinit(pkcs7);
    return code;
}

/* Locked. */
static bool add_signature(const struct rdp_sign *sign, char *text, size_t *text_size, size_t room)
{
    size_t size = rdpfile_sign_scope(text, *text_size, room);
    uint8_t *message = size ? malloc(RDPFILE_SIGNED_MOST(size)) : NULL;
    gnutls_datum_t data = {message, 0}, der = {0};
    if (message)
        data.size = (unsigned)rdpfile_sign_message(text, size, message);
    int code = data.size ? make(sign, &data, &der) : GNUTLS_E_MEMORY_ERROR;
    size = code < 0 ? 0 : rdpfile_sign_add(text, size, room, der.data, der.size);
    gnutls_free(der.data);
    free(message);
    if (size)
        *text_size = size;
    else
        LOG_ERROR("rdp.sign", "a file could not be signed",
                  LOG_TEXT("error", code < 0 ? gnutls_strerror(code) : "it is too long"));
    return size > 0;
}

bool rdp_sign_text(struct rdp_sign *sign, char *text, size_t *text_size, size_t room)
{
    pthread_mutex_lock(&sign->lock);
    bool good = !sign->key || add_signature(sign, text, text_size, room);
    pthread_mutex_unlock(&sign->lock);
    return good;
}
