#include "creds.h"

#include "conf.h"
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

#define PAIRS_MOST CONF_PAIRS_MAX

/* A client asks for a name. GnuTLS chooses among certificates by what a client can verify, but
 * knows no wildcards and, in TLS 1.2, takes one of another name. So it is given those that are for
 * the name, where they are not all: that choice is ours, the rest GnuTLS's. */
struct creds {
    atomic_uint references;
    gnutls_certificate_credentials_t certificates; /* all */
    int64_t expire;                                /* when the first of them ends; 0: not known */
    size_t count;
    gnutls_certificate_credentials_t some[1U << PAIRS_MOST]; /* by which; not none, nor all */
    pthread_mutex_t lock;                                    /* guards leaves */
    gnutls_x509_crt_t leaves[PAIRS_MOST];                    /* more than one, or none */
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
    for (size_t i = 0; i < PAIRS_MOST; i++) {
        if (generation->leaves[i])
            gnutls_x509_crt_deinit(generation->leaves[i]);
    }
    for (size_t i = 0; i < sizeof(generation->some) / sizeof(*generation->some); i++) {
        if (generation->some[i])
            gnutls_certificate_free_credentials(generation->some[i]);
    }
    gnutls_certificate_free_credentials(generation->certificates);
    pthread_mutex_destroy(&generation->lock);
    free(generation);
}

struct pair {
    gnutls_datum_t certificate, key;
};

static int read_pair(struct pair *pair, int certificate_fd, int key_fd, char *why, size_t size)
{
    int error = pem_file_read(certificate_fd, &pair->certificate);
    if (!error)
        error = pem_file_read(key_fd, &pair->key);
    if (error)
        snprintf(why, size, "cannot be read: %s", strerror(-error));
    return error;
}

static int add_pair(gnutls_certificate_credentials_t to, const struct pair *pair, char *why,
                    size_t size)
{
    int code = gnutls_certificate_set_x509_key_mem2(to, &pair->certificate, &pair->key,
                                                    GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0)
        snprintf(why, size, "%s", gnutls_strerror(code));
    return code < 0 ? -EINVAL : 0;
}

/* Those of the pairs whose bits are set. */
static int make_some(gnutls_certificate_credentials_t *out, const struct pair *pairs, unsigned bits)
{
    char why[256];
    int error = gnutls_certificate_allocate_credentials(out) < 0 ? -ENOMEM : 0;
    for (size_t i = 0; i < PAIRS_MOST && !error; i++)
        error = bits & 1U << i ? add_pair(*out, &pairs[i], why, sizeof(why)) : 0;
    return error;
}

/* For the choice by name. */
static int read_leaves(struct creds *creds, const struct pair *pairs)
{
    int error = 0;
    for (size_t i = 0; i < creds->count && !error; i++) {
        if (gnutls_x509_crt_init(&creds->leaves[i]) < 0 ||
            gnutls_x509_crt_import(creds->leaves[i], &pairs[i].certificate, GNUTLS_X509_FMT_PEM) <
                0)
            error = -EINVAL;
    }
    for (unsigned bits = 1; bits + 1 < 1U << creds->count && !error; bits++)
        error = make_some(&creds->some[bits], pairs, bits);
    return error;
}

static int on_hello(gnutls_session_t session)
{
    struct creds *creds = gnutls_session_get_ptr(session);
    char name[256];
    size_t size = sizeof(name);
    unsigned kind, bits = 0;
    if (gnutls_server_name_get(session, name, &size, &kind, 0) != 0 || kind != GNUTLS_NAME_DNS)
        return 0;
    pthread_mutex_lock(&creds->lock);
    for (size_t i = 0; i < creds->count; i++)
        bits |= gnutls_x509_crt_check_hostname(creds->leaves[i], name) ? 1U << i : 0;
    pthread_mutex_unlock(&creds->lock);
    return creds->some[bits]
               ? gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, creds->some[bits])
               : 0;
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

static int fill(struct creds *creds, const struct pair *pairs, char *why, size_t size)
{
    for (size_t i = 0; i < creds->count; i++) {
        char words[256];
        int error = add_pair(creds->certificates, &pairs[i], words, sizeof(words));
        if (error) {
            snprintf(why, size, "certificate and key %zu: %s", i + 1, words);
            return error;
        }
        int64_t when = expiry(creds->certificates, (unsigned)i);
        if (when && (!creds->expire || when < creds->expire))
            creds->expire = when;
    }
    int error = creds->count > 1 ? read_leaves(creds, pairs) : 0;
    if (error)
        snprintf(why, size, "the certificates cannot be told apart by their names");
    return error;
}

static int creds_read(struct creds **out, const int *fds, size_t count, char *why, size_t size)
{
    struct pair pairs[PAIRS_MOST] = {0};
    int error = 0;
    if (count == 0 || count % 2 || count > 2 * PAIRS_MOST) {
        snprintf(why, size, "no certificate was given, or too many");
        return -EINVAL;
    }
    struct creds *creds = calloc(1, sizeof(*creds));
    if (!creds || gnutls_certificate_allocate_credentials(&creds->certificates) < 0) {
        free(creds);
        snprintf(why, size, "out of memory");
        return -ENOMEM;
    }
    atomic_store(&creds->references, 1);
    pthread_mutex_init(&creds->lock, NULL);
    creds->count = count / 2;
    for (size_t i = 0; i < creds->count && !error; i++) {
        char words[256];
        error = read_pair(&pairs[i], fds[2 * i], fds[2 * i + 1], words, sizeof(words));
        if (error)
            snprintf(why, size, "certificate and key %zu: %s", i + 1, words);
    }
    if (!error)
        error = fill(creds, pairs, why, size);
    for (size_t i = 0; i < creds->count; i++) {
        pem_file_forget(&pairs[i].certificate);
        pem_file_forget(&pairs[i].key);
    }
    if (error)
        creds_release(creds);
    else
        *out = creds;
    return error;
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
    if (creds->count > 1) {
        gnutls_session_set_ptr(*session, creds);
        gnutls_handshake_set_post_client_hello_function(*session, on_hello);
    }
    *generation = creds;
    return 0;
}
