#include "certificate.h"

#include "addr.h"
#include "day.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without IPv6's brackets. */
static void bare_name(const char *name, char to[256])
{
    bool brackets = name[0] == '[';
    snprintf(to, 256, "%.*s", (int)(strlen(name) - (brackets ? 2U : 0U)), name + brackets);
}

static int add_address(gnutls_x509_crt_t crt, const struct addr *address)
{
    bool v4 = addr_is_v4(address);
    return gnutls_x509_crt_set_subject_alt_name(
        crt, GNUTLS_SAN_IPADDRESS, address->bytes + (v4 ? 12 : 0), v4 ? 4 : 16, GNUTLS_FSAN_APPEND);
}

static bool is_wildcard(const struct addr *address)
{
    static const uint8_t zero[16];
    return memcmp(address->bytes + 12, zero, 4) == 0 &&
           (addr_is_v4(address) || memcmp(address->bytes, zero, 12) == 0);
}

/* The name, and each listen address that says where we are. */
static int add_names(gnutls_x509_crt_t crt, const struct conf *conf)
{
    char name[256];
    struct addr address, added[CONF_LISTEN_MAX + 1];
    size_t count = 0;
    int code = 0;

    bare_name(conf->name, name);
    if (addr_parse(&address, name)) {
        added[count++] = address;
        code = add_address(crt, &address);
    } else {
        code = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
                                                    (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
    }
    for (size_t i = 0; code >= 0 && i < conf->listen_count; i++) {
        const struct conf_listen *listen = &conf->listen[i];
        bool known = !listen->tls || is_wildcard(&listen->address);
        for (size_t j = 0; j < count; j++)
            known |= addr_equal(&added[j], &listen->address);
        if (known)
            continue;
        added[count++] = listen->address;
        code = add_address(crt, &listen->address);
    }
    return code;
}

/* RFC 5280 section 4.1.2.2: positive; the CA/Browser Forum asks for 64 random bits or more. */
static int set_serial(gnutls_x509_crt_t crt)
{
    unsigned char serial[16];
    int code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
    serial[0] = (serial[0] & 0x7f) | 0x40;
    return code < 0 ? code : gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
}

static int set_key_id(gnutls_x509_crt_t crt)
{
    unsigned char id[64];
    size_t size = sizeof(id);
    int code = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &size);
    return code < 0 ? code : gnutls_x509_crt_set_subject_key_id(crt, id, size);
}

static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct conf *conf)
{
    time_t now = time(NULL), from = now - 3600; /* clients' clocks differ */
    char name[256];
    int code = gnutls_x509_crt_set_version(crt, 3);

    bare_name(conf->name, name);
    if (code >= 0)
        code = gnutls_x509_crt_set_key(crt, key);
    if (code >= 0)
        code = set_serial(crt);
    if (code >= 0)
        code = gnutls_x509_crt_set_activation_time(crt, from);
    if (code >= 0)
        code =
            gnutls_x509_crt_set_expiration_time(crt, from + (time_t)CERTIFICATE_DAYS * DAY_SECONDS);
    /* RFC 5280's upper bound of a common name is 64; the alternative names are what counts. */
    if (code >= 0)
        code = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                             (unsigned)strnlen(name, 64));
    if (code >= 0)
        code = add_names(crt, conf);
    if (code >= 0)
        code = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
    if (code >= 0)
        code = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (code >= 0)
        code = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    return code < 0 ? code : set_key_id(crt);
}

static int sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    gnutls_privkey_t signer = NULL;
    int code = gnutls_privkey_init(&signer);

    if (code >= 0)
        code = gnutls_privkey_import_x509(signer, key, 0);
    if (code >= 0)
        code = gnutls_x509_crt_privkey_sign(crt, crt, signer, GNUTLS_DIG_SHA256, 0);
    if (signer)
        gnutls_privkey_deinit(signer);
    return code;
}

int certificate_make(const struct conf *conf, gnutls_datum_t *certificate, gnutls_datum_t *key)
{
    gnutls_x509_privkey_t private = NULL;
    gnutls_x509_crt_t crt = NULL;

    *certificate = *key = (gnutls_datum_t){0};
    int code = gnutls_x509_privkey_init(&private);
    if (code >= 0)
        code = gnutls_x509_privkey_generate(private, GNUTLS_PK_ECDSA,
                                            GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (code >= 0)
        code = gnutls_x509_crt_init(&crt);
    if (code >= 0)
        code = fill(crt, private, conf);
    if (code >= 0)
        code = sign(crt, private);
    if (code >= 0)
        code = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, certificate);
    if (code >= 0)
        code = gnutls_x509_privkey_export2_pkcs8(private, GNUTLS_X509_FMT_PEM, NULL,
                                                 GNUTLS_PKCS_PLAIN, key);
    if (crt)
        gnutls_x509_crt_deinit(crt);
    if (private)
        gnutls_x509_privkey_deinit(private);
    return code < 0 ? code : 0;
}

void certificate_fingerprint_text(const unsigned char hash[32],
                                  char to[CERTIFICATE_FINGERPRINT_SIZE])
{
    for (size_t i = 0; i < 32; i++)
        snprintf(to + i * 3, 4, "%02X%s", hash[i], i < 31 ? ":" : "");
}

static int fingerprint(gnutls_x509_crt_t crt, char to[CERTIFICATE_FINGERPRINT_SIZE])
{
    unsigned char hash[32];
    size_t size = sizeof(hash);
    int code = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, hash, &size);

    if (code >= 0)
        certificate_fingerprint_text(hash, to);
    return code;
}

static bool for_name(gnutls_x509_crt_t crt, const char *name)
{
    char bare[256];
    bare_name(name, bare);
    return gnutls_x509_crt_check_hostname(crt, bare) != 0;
}

/* PKCS #8's head, or the older form's line (RFC 1421). */
static bool is_encrypted(const gnutls_datum_t *key)
{
    return memmem(key->data, key->size, "ENCRYPTED", strlen("ENCRYPTED")) != NULL;
}

static bool fits_key(const gnutls_datum_t *certificate, const gnutls_datum_t *key, char *why,
                     size_t size)
{
    gnutls_certificate_credentials_t credentials;
    if (gnutls_certificate_allocate_credentials(&credentials) < 0)
        return false;
    int code = gnutls_certificate_set_x509_key_mem2(credentials, certificate, key,
                                                    GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_certificate_free_credentials(credentials);
    if (code < 0)
        snprintf(why, size, "%s",
                 is_encrypted(key) ? "it is encrypted, and nobody is asked for its passphrase"
                 : code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH ? "it is another certificate's"
                                                             : gnutls_strerror(code));
    return code >= 0;
}

static int read_file(const char *path, gnutls_datum_t *out, char *why, size_t size)
{
    struct stat st;
    errno = 0;
    int code = access(path, R_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode)
                   ? gnutls_load_file(path, out) /* which would wait for a pipe */
                   : GNUTLS_E_FILE_ERROR;
    if (code >= 0)
        return 0;
    int error = errno ? errno : EINVAL;
    snprintf(why, size, "%s: %s", path, strerror(error));
    return -error;
}

static int look(const gnutls_datum_t *text, const char *name, struct certificate *out)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    int code = gnutls_x509_crt_list_import2(&chain, &count, text, GNUTLS_X509_FMT_PEM, 0);

    if (code >= 0 && count == 0)
        code = GNUTLS_E_NO_CERTIFICATE_FOUND;
    if (code >= 0)
        code = fingerprint(chain[0], out->fingerprint);
    if (code >= 0) {
        out->from = gnutls_x509_crt_get_activation_time(chain[0]);
        out->until = gnutls_x509_crt_get_expiration_time(chain[0]);
        out->for_name = for_name(chain[0], name);
        out->self_signed = gnutls_x509_crt_check_issuer(chain[0], chain[0]) != 0;
    }
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return code < 0 ? code : 0;
}

int certificate_look(const struct conf_pair *pair, const char *name, struct certificate *out,
                     char *why, size_t size)
{
    gnutls_datum_t certificate = {0}, key = {0};

    *out = (struct certificate){0};
    int error = read_file(pair->certificate, &certificate, why, size);
    if (!error)
        error = read_file(pair->key, &key, why, size);
    if (!error) {
        int code = look(&certificate, name, out);
        out->fits_key =
            code == 0 && fits_key(&certificate, &key, out->key_fault, sizeof(out->key_fault));
        if (code < 0)
            snprintf(why, size, "%s: %s", pair->certificate, gnutls_strerror(code));
        error = code < 0 ? -EINVAL : 0;
    }
    if (key.data)
        explicit_bzero(key.data, key.size);
    gnutls_free(certificate.data);
    gnutls_free(key.data);
    return error;
}

int certificate_authorities(const char *path, char *why, size_t size)
{
    gnutls_datum_t text = {0};
    struct certificate found;
    int error = read_file(path, &text, why, size), code = error ? 0 : look(&text, "", &found);

    gnutls_free(text.data);
    if (code < 0)
        snprintf(why, size, "%s", gnutls_strerror(code));
    return code < 0 ? -EINVAL : error;
}
