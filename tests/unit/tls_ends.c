#include "tls_ends.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void good(int code, const char *what)
{
    if (code >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, gnutls_strerror(code));
    abort();
}

static void make_certificate(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    time_t now = time(NULL);
    good(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
         "key");
    good(gnutls_x509_crt_set_version(crt, 3), "version");
    good(gnutls_x509_crt_set_serial(crt, "\x01", 1), "serial");
    good(gnutls_x509_crt_set_activation_time(crt, now - 60), "activation");
    good(gnutls_x509_crt_set_expiration_time(crt, now + 3600), "expiration");
    good(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "localhost", 9),
         "name");
    good(gnutls_x509_crt_set_key(crt, key), "public key");
    good(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), "sign");
}

void tls_ends_init(struct tls_ends *ends)
{
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
    good(gnutls_x509_crt_init(&crt), "certificate");
    good(gnutls_x509_privkey_init(&key), "key");
    make_certificate(crt, key);
    good(gnutls_certificate_allocate_credentials(&ends->server), "server");
    good(gnutls_certificate_allocate_credentials(&ends->client), "client");
    good(gnutls_certificate_set_x509_key(ends->server, &crt, 1, key), "set key");
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

void tls_ends_deinit(struct tls_ends *ends)
{
    gnutls_certificate_free_credentials(ends->server);
    gnutls_certificate_free_credentials(ends->client);
}

gnutls_session_t tls_ends_session(const struct tls_ends *ends, unsigned role, const char *priority)
{
    gnutls_session_t session;
    good(gnutls_init(&session, role | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), "session");
    good(gnutls_priority_set_direct(session, priority, NULL), "priority");
    good(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
                                role == GNUTLS_SERVER ? ends->server : ends->client),
         "credentials");
    return session;
}
