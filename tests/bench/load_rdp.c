#include "load_rdp.h"

#include "x224.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gnutls_certificate_credentials_t rdp_credentials(const char *certificate, const char *key)
{
    gnutls_certificate_credentials_t pair;
    int result = gnutls_certificate_allocate_credentials(&pair);
    if (result >= 0)
        result = gnutls_certificate_set_x509_key_file(pair, certificate, key, GNUTLS_X509_FMT_PEM);
    if (result < 0) {
        fprintf(stderr, "deskgate-load: %s, %s: %s\n", certificate, key, gnutls_strerror(result));
        exit(EXIT_FAILURE);
    }
    return pair;
}

/* A request comes in one piece: it is small, and nothing may follow it before our answer. */
static int confirm_tls(struct link *link)
{
    static const uint8_t confirm[] = {3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34,
                                      0, 2, 0, 8,  0,  1,    0, 0, 0};
    uint8_t request[X224_REQUEST_MOST];
    ssize_t got;
    while ((got = link_read(link, request, sizeof(request))) == -EAGAIN)
        link_wait(link);
    if (got <= 0)
        return got < 0 ? (int)got : -ECONNRESET;
    if (!x224_request_ok(request, (size_t)got))
        return -EPROTO;
    int result = link_write(link, confirm, sizeof(confirm));
    return result < 0 ? result : link_flush_all(link);
}

int rdp_accept(struct link *link, int fd, gnutls_certificate_credentials_t pair)
{
    link_accept(link, fd, NULL);
    int result = confirm_tls(link);
    if (result < 0)
        return result;
    link_accept(link, fd, pair);
    while ((result = link_step(link)) == -EAGAIN)
        link_wait(link);
    return result;
}
