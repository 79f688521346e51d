#include "creds.h"

#include "pem_file.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct creds {
    atomic_uint references;
    gnutls_certificate_credentials_t certificates;
    int64_t expire; /* when the first of them ends; 0: not known */
};

#define NAMES_MOST 64 /* of the newest certificates; then the oldest make room */

struct creds_store {
    pthread_mutex_t lock; /* guards current and names */
    struct creds *current;
    uint8_t names[NAMES_MOST][TLS_BINDING_SIZE];
    size_t name_count; /* ever made */
    gnutls_priority_t priority;
    gnutls_datum_t ticket_key; /* master; GnuTLS derives and rotates from it */
};

/* TLS 1.2 and 1.3, AEAD and forward secrecy only. AES-GCM first where the processor has AES: there
 * ChaCha20 costs four times as much. */
#define PRIORITY_HEAD "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:"
#define PRIORITY_TAIL                                                                              \
    "-MAC-ALL:+AEAD:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:"    \
    "+GROUP-SECP384R1:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE"
static const char priority_aes[] =
    PRIORITY_HEAD "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:" PRIORITY_TAIL;
static const char priority_chacha[] =
    PRIORITY_HEAD "+CHACHA20-POLY1305:+AES-128-GCM:+AES-256-GCM:" PRIORITY_TAIL;

static bool has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("aes");
#elif defined(__aarch64__)
    return true; /* every server-class core since ARMv8.0 with the crypto extension */
#else
    return false;
#endif
}

void creds_release(struct creds *generation)
{
    if (!generation || atomic_fetch_sub(&generation->references, 1) != 1)
        return;
    gnutls_certificate_free_credentials(generation->certificates);
    free(generation);
}

static int add_pair(struct creds *creds, int certificate_fd, int key_fd, char *why, size_t size)
{
    gnutls_datum_t certificate = {0}, key = {0};
    int error = pem_file_read(certificate_fd, &certificate);
    if (!error)
        error = pem_file_read(key_fd, &key);
    if (error)
        snprintf(why, size, "cannot be read: %s", strerror(-error));
    else {
        int code = gnutls_certificate_set_x509_key_mem2(creds->certificates, &certificate, &key,
                                                        GNUTLS_X509_FMT_PEM, NULL, 0);
        if (code < 0) {
            snprintf(why, size, "%s", gnutls_strerror(code));
            error = -EINVAL;
        }
    }
    pem_file_forget(&certificate);
    pem_file_forget(&key);
    return error;
}

/* Of a certificate that will be shown to clients; its chain is others' concern. */
static int64_t expiry(gnutls_certificate_credentials_t certificates, unsigned index)
{
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    if (gnutls_certificate_get_x509_crt(certificates, index, &list, &count) < 0)
        return 0;
    int64_t when = count ? (int64_t)gnutls_x509_crt_get_expiration_time(list[0]) : 0;
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return when > 0 ? when : 0;
}

static int creds_read(struct creds **out, const int *fds, size_t count, char *why, size_t size)
{
    if (count == 0 || count % 2) {
        snprintf(why, size, "no certificate was given");
        return -EINVAL;
    }
    struct creds *creds = calloc(1, sizeof(*creds));
    if (!creds || gnutls_certificate_allocate_credentials(&creds->certificates) < 0) {
        free(creds);
        snprintf(why, size, "out of memory");
        return -ENOMEM;
    }
    atomic_store(&creds->references, 1);
    for (size_t i = 0; i < count; i += 2) {
        char words[256];
        int error = add_pair(creds, fds[i], fds[i + 1], words, sizeof(words));
        if (error) {
            snprintf(why, size, "certificate and key %zu: %s", i / 2 + 1, words);
            creds_release(creds);
            return error;
        }
        int64_t when = expiry(creds->certificates, (unsigned)(i / 2));
        if (when && (!creds->expire || when < creds->expire))
            creds->expire = when;
    }
    *out = creds;
    return 0;
}

/* Notes what clients may call the certificates. */
static void note_names(struct creds_store *store, const struct creds *creds)
{
    uint8_t names[TLS_BINDING_NAMES][TLS_BINDING_SIZE];
    gnutls_datum_t certificate;
    for (unsigned i = 0;
         gnutls_certificate_get_crt_raw(creds->certificates, i, 0, &certificate) == 0; i++) {
        bool named = tls_binding_of(&certificate, names) == 0;
        for (size_t j = 0; named && j < TLS_BINDING_NAMES; j++)
            memcpy(store->names[store->name_count++ % NAMES_MOST], names[j], TLS_BINDING_SIZE);
    }
}

bool creds_bound(struct creds_store *store, const uint8_t name[TLS_BINDING_SIZE])
{
    bool found = false;
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < NAMES_MOST && i < store->name_count && !found; i++)
        found = memcmp(store->names[i], name, TLS_BINDING_SIZE) == 0;
    pthread_mutex_unlock(&store->lock);
    return found;
}

static void store_free(struct creds_store *store)
{
    creds_release(store->current);
    if (store->priority)
        gnutls_priority_deinit(store->priority);
    if (store->ticket_key.data)
        explicit_bzero(store->ticket_key.data, store->ticket_key.size);
    gnutls_free(store->ticket_key.data);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

int creds_store_new(struct creds_store **out, const int *fds, size_t count, char *why, size_t size)
{
    struct creds_store *store = calloc(1, sizeof(*store));
    if (!store)
        return -ENOMEM;
    pthread_mutex_init(&store->lock, NULL);
    int error = creds_read(&store->current, fds, count, why, size);
    if (!error && (gnutls_priority_init(&store->priority,
                                        has_aes() ? priority_aes : priority_chacha, NULL) < 0 ||
                   gnutls_session_ticket_key_generate(&store->ticket_key) < 0)) {
        snprintf(why, size, "the TLS library refuses its settings");
        error = -EINVAL;
    }
    if (error) {
        store_free(store);
        return error;
    }
    note_names(store, store->current);
    *out = store;
    return 0;
}

int creds_store_reload(struct creds_store *store, const int *fds, size_t count, char *why,
                       size_t size)
{
    struct creds *fresh, *old;
    int error = creds_read(&fresh, fds, count, why, size);
    if (error)
        return error;
    pthread_mutex_lock(&store->lock);
    old = store->current;
    store->current = fresh;
    note_names(store, fresh);
    pthread_mutex_unlock(&store->lock);
    creds_release(old);
    return 0;
}

static struct creds *creds_current(struct creds_store *store)
{
    pthread_mutex_lock(&store->lock);
    struct creds *creds = store->current;
    atomic_fetch_add(&creds->references, 1);
    pthread_mutex_unlock(&store->lock);
    return creds;
}

int64_t creds_expire(struct creds_store *store)
{
    struct creds *creds = creds_current(store);
    int64_t when = creds->expire;
    creds_release(creds);
    return when;
}

int creds_session(struct creds_store *store, gnutls_session_t *session, struct creds **generation)
{
    unsigned char protocol[] = "http/1.1";
    const gnutls_datum_t alpn = {.data = protocol, .size = sizeof(protocol) - 1};
    if (gnutls_init(session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
        return -ENOMEM;
    struct creds *creds = creds_current(store);
    if (gnutls_priority_set(*session, store->priority) < 0 ||
        gnutls_credentials_set(*session, GNUTLS_CRD_CERTIFICATE, creds->certificates) < 0 ||
        gnutls_session_ticket_enable_server(*session, &store->ticket_key) < 0 ||
        /* Mandatory: a client that offers protocols, but not ours, is told so (RFC 7301, 3.2). */
        gnutls_alpn_set_protocols(*session, &alpn, 1, GNUTLS_ALPN_MANDATORY) < 0) {
        gnutls_deinit(*session);
        creds_release(creds);
        return -ENOMEM;
    }
    gnutls_certificate_server_set_request(*session, GNUTLS_CERT_IGNORE);
    *generation = creds;
    return 0;
}
