#include "desktop_tls.h"

#include "peer_key.h"
#include "pem_file.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_MOST 16 /* certificates; longer chains are not looked at */
/* Of a handshake, in bytes: ten times a usual chain. Reading a certificate takes longer the longer
 * it is, by the square (libtasn1): here milliseconds. */
#define HANDSHAKE_MOST (48 * 1024)
/* "Remote Desktop Authentication": what a certificate made for RDP may be good for in place of a
 * server's authentication ([MS-RDPBCGR] has no word on it; Windows takes either). */
#define PURPOSE_RDP "1.3.6.1.4.1.311.54.1.2"

struct desktop_tls {
    gnutls_certificate_credentials_t nobody; /* no certificate of ours, no authorities */
    gnutls_priority_t priority;
    pthread_mutex_t lock; /* guards the list */
    gnutls_x509_trust_list_t authorities;
};

/* TLS 1.2 at least, as every Windows since 2012 speaks it. AES-128 first: it costs least, and both
 * ends of this leg stand in the same house. RSA key exchange stays out. CBC goes last, for desktops
 * only, never for clients (creds.c): before Windows 10 and Server 2016 Windows has no AEAD together
 * with ECDHE and a certificate of RSA, as its own is. GnuTLS answers wrong padding in constant
 * time, and relays such a connection itself, as all of TLS 1.2. SHA-1 signatures are offered in
 * TLS 1.2, since an old Windows shows its own certificate only to who takes them; no authority's
 * signature may be one (gnutls_x509_trust_list_verify_crt2). */
static const char priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:"
                               "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-CBC:"
                               "+AES-256-CBC:-MAC-ALL:+AEAD:+SHA256:+SHA384:+SHA1:-KX-ALL:"
                               "+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA";

int desktop_tls_new(struct desktop_tls **out)
{
    struct desktop_tls *tls = calloc(1, sizeof(*tls));
    if (!tls)
        return -ENOMEM;
    pthread_mutex_init(&tls->lock, NULL);
    if (gnutls_certificate_allocate_credentials(&tls->nobody) < 0 ||
        gnutls_priority_init(&tls->priority, priority, NULL) < 0 ||
        gnutls_x509_trust_list_init(&tls->authorities, 0) < 0)
        return -ENOMEM; /* at start: the process ends */
    *out = tls;
    return 0;
}

int desktop_tls_authorities(struct desktop_tls *tls, int fd, char *why, size_t size)
{
    gnutls_datum_t pem = {0};
    gnutls_x509_trust_list_t fresh;
    int error = pem_file_read(fd, &pem);
    if (error) {
        snprintf(why, size, "cannot be read: %s", strerror(-error));
        return error;
    }
    int count = gnutls_x509_trust_list_init(&fresh, 0);
    if (count == 0)
        count = gnutls_x509_trust_list_add_trust_mem(fresh, &pem, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    pem_file_forget(&pem);
    if (count <= 0) {
        snprintf(why, size, "%s", count ? gnutls_strerror(count) : "no certificate in it");
        return -EINVAL;
    }
    pthread_mutex_lock(&tls->lock);
    gnutls_x509_trust_list_t old = tls->authorities;
    tls->authorities = fresh;
    pthread_mutex_unlock(&tls->lock);
    gnutls_x509_trust_list_deinit(old, 1);
    return 0;
}

/* RFC 6066 section 3: names only, never addresses. */
static bool is_name(const char *host)
{
    return !strchr(host, ':') && strspn(host, "0123456789.") != strlen(host);
}

int desktop_tls_session(const struct desktop_tls *tls, const char *host, gnutls_session_t *session)
{
    if (gnutls_init(session,
                    GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS) < 0)
        return -ENOMEM;
    gnutls_handshake_set_max_packet_length(*session, HANDSHAKE_MOST);
    if (gnutls_priority_set(*session, tls->priority) < 0 ||
        gnutls_credentials_set(*session, GNUTLS_CRD_CERTIFICATE, tls->nobody) < 0 ||
        (is_name(host) &&
         gnutls_server_name_set(*session, GNUTLS_NAME_DNS, host, strlen(host)) < 0)) {
        gnutls_deinit(*session);
        return -ENOMEM;
    }
    return 0;
}

/* Up to where verifying would take too long. */
static size_t import_chain(gnutls_session_t session, gnutls_x509_crt_t chain[CHAIN_MOST])
{
    unsigned count = 0;
    size_t made = 0;
    const gnutls_datum_t *peers = gnutls_certificate_get_peers(session, &count);
    while (peers && made < count && made < CHAIN_MOST) {
        if (gnutls_x509_crt_init(&chain[made]) < 0)
            break;
        if (gnutls_x509_crt_import(chain[made], &peers[made], GNUTLS_X509_FMT_DER) < 0 ||
            !peer_key_bearable(chain[made])) {
            gnutls_x509_crt_deinit(chain[made]);
            break;
        }
        made++;
    }
    return made;
}

/* What is wrong with it for this purpose, as GnuTLS' flags; 0: nothing. */
static unsigned faults_of(gnutls_x509_trust_list_t authorities, gnutls_x509_crt_t *chain,
                          size_t count, const char *host, const char *purpose)
{
    unsigned faults = 0;
    gnutls_typed_vdata_st wanted[] = {
        {.type = GNUTLS_DT_DNS_HOSTNAME, .data = (void *)(uintptr_t)host}, /* only read */
        {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (void *)(uintptr_t)purpose},
    };
    int error = gnutls_x509_trust_list_verify_crt2(authorities, chain, (unsigned)count, wanted, 2,
                                                   0, &faults, NULL);
    return error < 0 ? GNUTLS_CERT_INVALID : faults;
}

bool desktop_tls_verified(struct desktop_tls *tls, gnutls_session_t session, const char *host)
{
    gnutls_x509_crt_t chain[CHAIN_MOST];
    size_t count = import_chain(session, chain);
    unsigned faults = GNUTLS_CERT_INVALID;
    if (count) {
        pthread_mutex_lock(&tls->lock);
        faults = faults_of(tls->authorities, chain, count, host, GNUTLS_KP_TLS_WWW_SERVER);
        if (faults & GNUTLS_CERT_PURPOSE_MISMATCH)
            faults = faults_of(tls->authorities, chain, count, host, PURPOSE_RDP);
        pthread_mutex_unlock(&tls->lock);
    }
    for (size_t i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    return faults == 0;
}

bool desktop_tls_fingerprint(gnutls_session_t session, uint8_t fingerprint[32])
{
    unsigned count = 0;
    const gnutls_datum_t *peers = gnutls_certificate_get_peers(session, &count);
    return peers && count &&
           gnutls_hash_fast(GNUTLS_DIG_SHA256, peers[0].data, peers[0].size, fingerprint) == 0;
}
