#include "serve_pems.h"

#include "fd.h"
#include "rdpfile_signer.h"
#include "sealed.h"
#include "server_leaf.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(2 * CONF_PAIRS_MAX <= CONTROL_FDS_MAX, "all pairs travel in one message");

#define PEM_MOST (1U << 20) /* as in gate/pem_file.c */

static int read_all(int fd, gnutls_datum_t *out)
{
    size_t size = 0;
    ssize_t got;

    out->data = gnutls_malloc(PEM_MOST + 1);
    if (!out->data)
        return -ENOMEM;
    do {
        got = read(fd, out->data + size, PEM_MOST + 1 - size);
        if (got > 0)
            size += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    out->size = (unsigned)size;
    return got < 0 ? -errno : size > PEM_MOST ? -EFBIG : 0;
}

static void forget(gnutls_datum_t *datum)
{
    if (datum->data)
        explicit_bzero(datum->data, datum->size);
    gnutls_free(datum->data);
    *datum = (gnutls_datum_t){0};
}

static int read_file(const char *path, gnutls_datum_t *out, char *why, size_t size)
{
    struct stat st;
    FD_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int error = fd < 0 || fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;

    if (!error)
        error = read_all(fd, out);
    if (error == -EACCES)
        snprintf(why, size, "%s may not be read by the gateway's user (uid %u)", path,
                 (unsigned)geteuid());
    else if (error)
        snprintf(why, size, "%s: %s", path, strerror(-error));
    return error;
}

/* A sealed copy in memory. */
static int keep(const gnutls_datum_t *datum, int *out)
{
    int fd = sealed_new("deskgate-pem", datum->data, datum->size);

    if (fd < 0)
        return fd;
    *out = fd;
    return 0;
}

/* 0, or -EINVAL with words. */
static int judge_certificates(const char *path, const gnutls_datum_t *pem, char *why, size_t size)
{
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    int code = gnutls_x509_crt_list_import2(&list, &count, pem, GNUTLS_X509_FMT_PEM, 0);

    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    if (code < 0)
        snprintf(why, size, "%s: %s", path, gnutls_strerror(code));
    return code < 0 ? -EINVAL : 0;
}

/* The file with the certificates by itself first: that is who is at fault, then, and GnuTLS 3.7
 * loses the key's memory when it finds a broken one behind a good key. */
static int judge(const struct conf_pair *pair, const gnutls_datum_t *certificate,
                 const gnutls_datum_t *key, char *why, size_t size)
{
    gnutls_certificate_credentials_t credentials;
    int error = judge_certificates(pair->certificate, certificate, why, size);

    if (error)
        return error;
    int code = gnutls_certificate_allocate_credentials(&credentials);
    if (code < 0)
        return -ENOMEM;
    code = gnutls_certificate_set_x509_key_mem2(credentials, certificate, key, GNUTLS_X509_FMT_PEM,
                                                NULL, 0);
    gnutls_certificate_free_credentials(credentials);
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        snprintf(why, size, "%s is not the key of %s", pair->key, pair->certificate);
    else if (code < 0)
        snprintf(why, size, "%s with %s: %s", pair->certificate, pair->key, gnutls_strerror(code));
    return code < 0 ? -EINVAL : 0;
}

/* A pair that fits may still be one with which GnuTLS refuses to sign: nobody who is shown it
 * could connect. */
static int judge_server(const struct conf_pair *pair, const gnutls_datum_t *certificate,
                        const gnutls_datum_t *key, char *why, size_t size)
{
    gnutls_x509_crt_t crt = NULL;
    struct server_leaf leaf = {.signs = true};
    int error = judge(pair, certificate, key, why, size);

    if (error)
        return error;
    /* The first of them. */
    if (gnutls_x509_crt_init(&crt) < 0)
        return -ENOMEM;
    if (gnutls_x509_crt_import(crt, certificate, GNUTLS_X509_FMT_PEM) >= 0)
        server_leaf_look(crt, &leaf);
    gnutls_x509_crt_deinit(crt);
    if (!leaf.signs)
        snprintf(
            why, size,
            "%s may not be used to sign (its keyUsage lacks digitalSignature), so nobody who is "
            "shown it could connect",
            pair->certificate);
    return leaf.signs ? 0 : -EINVAL;
}

/* Good for TLS is not yet good for .rdp files. */
static int judge_signer(const struct conf_pair *pair, const gnutls_datum_t *certificate,
                        const gnutls_datum_t *key, char *why, size_t size)
{
    char words[256];
    struct rdpfile_signer signer;
    int error = judge(pair, certificate, key, why, size);

    if (error)
        return error;
    error = rdpfile_signer_load(&signer, certificate, key, words, sizeof(words));
    if (error)
        snprintf(why, size, "%s: %s", pair->certificate, words);
    else
        rdpfile_signer_deinit(&signer);
    return error;
}

typedef int judge_pair(const struct conf_pair *pair, const gnutls_datum_t *certificate,
                       const gnutls_datum_t *key, char *why, size_t size);

static int load_pair(const struct conf_pair *pair, judge_pair *good, int fds[2], char *why,
                     size_t size)
{
    gnutls_datum_t certificate = {0}, key = {0};
    int error = read_file(pair->certificate, &certificate, why, size);

    if (!error)
        error = read_file(pair->key, &key, why, size);
    if (!error)
        error = good(pair, &certificate, &key, why, size);
    if (!error)
        error = keep(&certificate, &fds[0]);
    if (!error)
        error = keep(&key, &fds[1]);
    forget(&certificate);
    forget(&key);
    return error;
}

static int load_authorities(const char *path, int *fd, char *why, size_t size)
{
    gnutls_datum_t pem = {0};
    int error = read_file(path, &pem, why, size);

    if (!error)
        error = judge_certificates(path, &pem, why, size);
    if (!error)
        error = keep(&pem, fd);
    forget(&pem);
    return error;
}

static int load_signer(const struct conf *conf, int fds[2], char *why, size_t size)
{
    struct conf_pair pair;
    memcpy(pair.certificate, conf->rdp_certificate, sizeof(pair.certificate));
    memcpy(pair.key, conf->rdp_key, sizeof(pair.key));
    return load_pair(&pair, judge_signer, fds, why, size);
}

int serve_pems_load(struct serve_pems *pems, const struct conf *conf, char *why, size_t size)
{
    struct serve_pems fresh = {
        .fds = {-1, -1, -1, -1, -1, -1, -1, -1}, .authorities = -1, .signer = {-1, -1}};
    int error = 0;

    why[0] = '\0';
    for (size_t i = 0; !error && i < conf->pair_count; i++) {
        error = load_pair(&conf->pairs[i], judge_server, &fresh.fds[fresh.count], why, size);
        fresh.count += 2;
    }
    if (!error && conf->authorities[0])
        error = load_authorities(conf->authorities, &fresh.authorities, why, size);
    if (!error && conf->rdp_key[0])
        error = load_signer(conf, fresh.signer, why, size);
    if (error) {
        if (why[0] == '\0')
            snprintf(why, size, "%s", strerror(-error));
        serve_pems_close(&fresh);
        return error;
    }
    serve_pems_close(pems);
    *pems = fresh;
    return 0;
}

/* The receiver shares the place in the file. */
static int send_some(int control, enum control_type type, const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lseek(fds[i], 0, SEEK_SET) < 0)
            return -errno;
    }
    return control_send(control, type, fds, count);
}

int serve_pems_send(const struct serve_pems *pems, int control)
{
    int error = send_some(control, CONTROL_CERTIFICATES, pems->fds, pems->count);
    if (!error && pems->authorities >= 0)
        error = send_some(control, CONTROL_AUTHORITIES, &pems->authorities, 1);
    if (!error && pems->signer[0] >= 0)
        error = send_some(control, CONTROL_RDP_SIGNER, pems->signer, 2);
    return error;
}

void serve_pems_close(struct serve_pems *pems)
{
    while (pems->count)
        fd_close(&pems->fds[--pems->count]);
    fd_close(&pems->authorities);
    fd_close(&pems->signer[0]);
    fd_close(&pems->signer[1]);
}
