#include "server_leaf.h"

#include <string.h>

#define STATUS_REQUEST 5 /* RFC 6066 section 1.1; the feature that RFC 7633 is about */

/* Without the extension all is allowed; what cannot be read is for others to refuse. */
static bool signs(gnutls_x509_crt_t crt)
{
    unsigned usage = 0;
    int code = gnutls_x509_crt_get_key_usage(crt, &usage, NULL);
    return code < 0 || usage & GNUTLS_KEY_DIGITAL_SIGNATURE;
}

static bool serves(gnutls_x509_crt_t crt)
{
    char oid[128];
    for (unsigned i = 0;; i++) {
        size_t size = sizeof(oid);
        int code = gnutls_x509_crt_get_key_purpose_oid(crt, i, oid, &size, NULL);
        if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return i == 0;
        if (code == GNUTLS_E_SHORT_MEMORY_BUFFER)
            continue;
        if (code < 0 || strcmp(oid, GNUTLS_KP_TLS_WWW_SERVER) == 0 ||
            strcmp(oid, GNUTLS_KP_ANY) == 0)
            return true;
    }
}

static bool named(gnutls_x509_crt_t crt)
{
    char name[1024];
    for (unsigned i = 0;; i++) {
        size_t size = sizeof(name);
        int kind = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &size, NULL);
        if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return false;
        if (kind != GNUTLS_SAN_RFC822NAME && kind != GNUTLS_SAN_URI && kind != GNUTLS_SAN_DN &&
            kind != GNUTLS_SAN_OTHERNAME)
            return true;
    }
}

static bool is_common(gnutls_x509_crt_t crt)
{
    unsigned bits = 0;
    int kind = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    return kind == GNUTLS_PK_RSA || (kind == GNUTLS_PK_ECDSA && (bits == 256 || bits == 384));
}

static bool stapled(gnutls_x509_crt_t crt)
{
    gnutls_x509_tlsfeatures_t features = NULL;
    unsigned feature = 0;
    bool found = false;
    if (gnutls_x509_tlsfeatures_init(&features) < 0)
        return false;
    if (gnutls_x509_crt_get_tlsfeatures(crt, features, 0, NULL) >= 0) {
        for (unsigned i = 0; !found && gnutls_x509_tlsfeatures_get(features, i, &feature) >= 0; i++)
            found = feature == STATUS_REQUEST;
    }
    gnutls_x509_tlsfeatures_deinit(features);
    return found;
}

void server_leaf_look(gnutls_x509_crt_t crt, struct server_leaf *out)
{
    *out = (struct server_leaf){
        .signs = signs(crt),
        .serves = serves(crt),
        .named = named(crt),
        .common = is_common(crt),
        .stapled = stapled(crt),
    };
}
