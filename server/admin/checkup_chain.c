/* What browsers and RDP clients make of the gateway's certificate beyond its name and dates:
 * whether it is for a server, whether the file holds what leads to an authority, in order, and
 * whether keys and signatures are strong. */
#include "checkup.h"
#include "server_leaf.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>

#define LEADS_MEND                                                                                 \
    "give the file with the intermediate certificates behind (certbot calls it fullchain.pem)"

static void say_key(struct checkup *check, const char *path, gnutls_x509_crt_t crt)
{
    unsigned bits = 0;
    int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    const char *name =
        algorithm < 0 ? "?" : gnutls_pk_algorithm_get_name((gnutls_pk_algorithm_t)algorithm);

    if (algorithm < 0 || gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm, bits) <
                             GNUTLS_SEC_PARAM_MEDIUM)
        checkup_say(check, CHECKUP_PROBLEM, "certificate",
                    "get one with a new key: ECDSA P-256, or RSA with 2048 bits or more",
                    "%s has a weak key (%s, %u bits)", path, name ? name : "?", bits);
}

/* What its own words allow; the first is refused at a start and at a reload, too. */
static void say_use(struct checkup *check, const char *path, gnutls_x509_crt_t crt)
{
    static const char again[] = "get one for a web server, as Let's Encrypt's are";
    struct server_leaf leaf;

    server_leaf_look(crt, &leaf);
    if (!leaf.signs)
        checkup_say(check, CHECKUP_PROBLEM, "certificate", again,
                    "%s may not be used to sign (its keyUsage lacks digitalSignature), so nobody "
                    "who is shown it could connect",
                    path);
    if (!leaf.serves)
        checkup_say(check, CHECKUP_PROBLEM, "certificate", again,
                    "%s is not for servers (its extendedKeyUsage lacks serverAuth): clients refuse "
                    "it",
                    path);
    if (!leaf.named)
        checkup_say(check, CHECKUP_WARNING, "certificate",
                    "get one with the name among its alternative names (subjectAltName)",
                    "%s has a name only as its common name, at which browsers do not look", path);
    if (!leaf.common)
        checkup_say(check, CHECKUP_WARNING, "certificate",
                    "get one with a key of RSA, or of ECDSA with P-256 or P-384",
                    "%s has a kind of key that some browsers do not know", path);
    if (leaf.stapled)
        checkup_say(check, CHECKUP_WARNING, "certificate",
                    "get one without it (certbot: no --must-staple)",
                    "%s demands an OCSP answer with it (must-staple), which this gateway does not "
                    "give: some browsers refuse it",
                    path);
}

/* A root's own signature is not looked at by anybody. */
static void say_signature(struct checkup *check, const char *path, gnutls_x509_crt_t crt)
{
    int algorithm = gnutls_x509_crt_get_signature_algorithm(crt);
    if (gnutls_x509_crt_check_issuer(crt, crt) || algorithm < 0 ||
        gnutls_sign_is_secure2((gnutls_sign_algorithm_t)algorithm,
                               GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS))
        return;
    checkup_say(check, CHECKUP_PROBLEM, "certificate", "get one that is signed with SHA-256",
                "%s has a weak signature (%s)", path,
                gnutls_sign_get_name((gnutls_sign_algorithm_t)algorithm));
}

/* True: each is signed by the one behind it. */
static bool say_order(struct checkup *check, const char *path, gnutls_x509_crt_t *chain,
                      unsigned count)
{
    time_t now = time(NULL);
    for (unsigned i = 1; i < count; i++) {
        if (!gnutls_x509_crt_check_issuer(chain[i - 1], chain[i])) {
            checkup_say(check, CHECKUP_PROBLEM, "certificate chain",
                        "put them in order: the gateway's own first, then who signed it, and so on",
                        "%s: number %u did not sign number %u", path, i + 1, i);
            return false;
        }
        if (gnutls_x509_crt_get_expiration_time(chain[i]) <= now)
            checkup_say(check, CHECKUP_PROBLEM, "certificate chain",
                        "get the present intermediate certificate", "%s: number %u has expired",
                        path, i + 1);
    }
    return true;
}

static bool leads_to_authority(gnutls_x509_crt_t *chain, unsigned count)
{
    gnutls_x509_trust_list_t trusted;
    unsigned status = 0;

    if (gnutls_x509_trust_list_init(&trusted, 0) < 0)
        return true;
    bool leads =
        gnutls_x509_trust_list_add_system_trust(trusted, 0, 0) < 0 ||
        gnutls_x509_trust_list_verify_crt2(trusted, chain, count, NULL, 0, 0, &status, NULL) < 0 ||
        !(status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA |
                    GNUTLS_CERT_SIGNATURE_FAILURE));
    gnutls_x509_trust_list_deinit(trusted, 1);
    return leads;
}

static void say_chain(struct checkup *check, const char *path, gnutls_x509_crt_t *chain,
                      unsigned count)
{
    if (!say_order(check, path, chain, count))
        return;
    if (gnutls_x509_crt_check_issuer(chain[0], chain[0]))
        checkup_say(check, CHECKUP_WARNING, "certificate chain",
                    "get one of an authority, such as Let's Encrypt, or spread this one",
                    "%s is self-signed: people are warned of it", path);
    else if (leads_to_authority(chain, count))
        checkup_say(check, CHECKUP_OK, "certificate chain", "",
                    "%s leads to an authority that this machine trusts", path);
    else
        checkup_say(check, CHECKUP_WARNING, "certificate chain",
                    count == 1 ? LEADS_MEND
                               : "nothing, where all clients have the authority; else " LEADS_MEND,
                    "%s has %u certificate%s and does not lead to an authority that this machine "
                    "trusts",
                    path, count, count == 1 ? "" : "s");
}

void checkup_chain(struct checkup *check, const char *path)
{
    gnutls_datum_t text = {0};
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;

    if (gnutls_load_file(path, &text) >= 0 &&
        gnutls_x509_crt_list_import2(&chain, &count, &text, GNUTLS_X509_FMT_PEM, 0) >= 0 && count) {
        say_key(check, path, chain[0]);
        say_use(check, path, chain[0]);
        for (unsigned i = 0; i < count; i++)
            say_signature(check, path, chain[i]);
        say_chain(check, path, chain, count);
    }
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    gnutls_free(text.data);
}
