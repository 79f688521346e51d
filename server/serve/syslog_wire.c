#include "syslog_wire.h"

#include "fd.h"
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MS 10000
#define HANDSHAKE_MS 10000
#define SEND_MS 30000
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" /* RFC 9662: no older one */

_Static_assert(sizeof(((struct conf *)0)->audit_syslog_path) ==
                   sizeof(((struct sockaddr_un *)0)->sun_path),
               "any path fits, and no other");

static int failed(struct syslog_wire *wire, const char *words)
{
    text_copy(wire->why, sizeof(wire->why), words);
    return -1;
}

/* ---- the socket ---- */

static int open_local(struct syslog_wire *wire)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = SEND_MS / 1000};
    text_copy(at.sun_path, sizeof(at.sun_path), wire->conf->audit_syslog_path);
    wire->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (wire->fd < 0 || connect(wire->fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        setsockopt(wire->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
        return failed(wire, strerror(errno));
    return 0;
}

static int wait_for(int fd, short events, int ms)
{
    struct pollfd one = {.fd = fd, .events = events};
    return poll(&one, 1, ms) == 1 ? 0 : -1;
}

static int try_address(const struct addrinfo *address)
{
    int error = 0;
    socklen_t size = sizeof(error);
    FD_AUTO int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
        if (errno != EINPROGRESS || wait_for(fd, POLLOUT, CONNECT_MS) < 0 ||
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) {
            errno = error ? error : ETIMEDOUT;
            return -1;
        }
    }
    int made = fd;
    fd = -1; /* the caller's */
    return made;
}

/* Without the brackets of an IPv6 address. */
static void bare_host(const struct conf *conf, char host[256])
{
    size_t size = strlen(conf->audit_syslog_host);
    bool brackets = conf->audit_syslog_host[0] == '[';
    text_copy(host, 256, conf->audit_syslog_host + brackets);
    if (brackets)
        host[size - 2] = '\0';
}

static int open_tcp(struct syslog_wire *wire, const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    unsigned patience = SEND_MS;
    int on = 1;
    char port[8];
    snprintf(port, sizeof(port), "%u", wire->conf->audit_syslog_port);
    int error = getaddrinfo(host, port, &hints, &list);
    if (error)
        return failed(wire, gai_strerror(error));
    for (struct addrinfo *one = list; one && wire->fd < 0; one = one->ai_next)
        wire->fd = try_address(one);
    error = errno;
    freeaddrinfo(list);
    if (wire->fd < 0)
        return failed(wire, strerror(error));
    setsockopt(wire->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
    setsockopt(wire->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    return 0;
}

/* ---- TLS ---- */

static int handshake(struct syslog_wire *wire)
{
    gnutls_datum_t words = {0};
    int result;
    do
        result = gnutls_handshake(wire->session);
    while (result < 0 && !gnutls_error_is_fatal(result) &&
           wait_for(wire->fd, gnutls_record_get_direction(wire->session) ? POLLOUT : POLLIN,
                    HANDSHAKE_MS) == 0);
    if (result == 0)
        return 0;
    unsigned status = gnutls_session_get_verify_cert_status(wire->session);
    if (result == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
        gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) == 0) {
        failed(wire, (const char *)words.data);
        gnutls_free(words.data);
        return -1;
    }
    return failed(wire, gnutls_error_is_fatal(result) ? gnutls_strerror(result)
                                                      : "no answer to the TLS handshake");
}

static int set_up(struct syslog_wire *wire, const char *host)
{
    const struct conf *conf = wire->conf;
    unsigned char raw[16];
    bool number = inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
    int result = gnutls_certificate_allocate_credentials(&wire->authorities);
    if (result == 0)
        result = conf->audit_authorities[0]
                     ? gnutls_certificate_set_x509_trust_file(
                           wire->authorities, conf->audit_authorities, GNUTLS_X509_FMT_PEM)
                     : gnutls_certificate_set_x509_system_trust(wire->authorities);
    if (result == 0)
        return failed(wire, "[audit] authorities names no certificate");
    if (result > 0)
        result = gnutls_init(&wire->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    if (result == 0)
        result = gnutls_priority_set_direct(wire->session, PRIORITY, NULL);
    if (result == 0)
        result = gnutls_credentials_set(wire->session, GNUTLS_CRD_CERTIFICATE, wire->authorities);
    if (result == 0 && !number) /* RFC 6066 section 3: names only */
        result = gnutls_server_name_set(wire->session, GNUTLS_NAME_DNS, host, strlen(host));
    if (result < 0)
        return failed(wire, gnutls_strerror(result));
    gnutls_session_set_verify_cert(wire->session, host, 0);
    gnutls_transport_set_int(wire->session, wire->fd);
    return 0;
}

int syslog_wire_open(struct syslog_wire *wire, const struct conf *conf)
{
    char host[256];
    *wire = (struct syslog_wire){.conf = conf, .fd = -1};
    if (conf->audit_syslog == CONF_SYSLOG_LOCAL)
        return open_local(wire);
    bare_host(conf, host);
    if (open_tcp(wire, host) < 0 || set_up(wire, host) < 0)
        return -1;
    return handshake(wire);
}

void syslog_wire_close(struct syslog_wire *wire)
{
    if (wire->session) {
        gnutls_bye(wire->session, GNUTLS_SHUT_WR);
        gnutls_deinit(wire->session);
    }
    if (wire->authorities)
        gnutls_certificate_free_credentials(wire->authorities);
    wire->session = NULL;
    wire->authorities = NULL;
    fd_close(&wire->fd);
}

/* ---- messages ---- */

static int send_all(struct syslog_wire *wire, const char *data, size_t size)
{
    while (size) {
        ssize_t sent = gnutls_record_send(wire->session, data, size);
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        } else if (sent != GNUTLS_E_AGAIN && sent != GNUTLS_E_INTERRUPTED) {
            return failed(wire, gnutls_strerror((int)sent));
        } else if (wait_for(wire->fd, POLLOUT, SEND_MS) < 0) {
            return failed(wire, "the receiver takes no more");
        }
    }
    return 0;
}

int syslog_wire_send(struct syslog_wire *wire, const char *message, size_t size)
{
    char length[24];
    if (!wire->session)
        return send(wire->fd, message, size, MSG_NOSIGNAL) < 0 ? failed(wire, strerror(errno)) : 0;
    int digits = snprintf(length, sizeof(length), "%zu ", size); /* RFC 5425 section 4.3 */
    gnutls_record_cork(wire->session);
    if (send_all(wire, length, (size_t)digits) < 0 || send_all(wire, message, size) < 0)
        return -1;
    for (;;) {
        int result = gnutls_record_uncork(wire->session, 0);
        if (result >= 0)
            return 0;
        if (result != GNUTLS_E_AGAIN && result != GNUTLS_E_INTERRUPTED)
            return failed(wire, gnutls_strerror(result));
        if (wait_for(wire->fd, POLLOUT, SEND_MS) < 0)
            return failed(wire, "the receiver takes no more");
    }
}

bool syslog_wire_taken(const struct syslog_wire *wire)
{
    int left = 0;
    return !wire->session || (ioctl(wire->fd, SIOCOUTQ, &left) == 0 && left == 0);
}

int syslog_wire_read(struct syslog_wire *wire)
{
    char nothing[256];
    if (!wire->session)
        return failed(wire, "the socket was closed");
    ssize_t got = gnutls_record_recv(wire->session, nothing, sizeof(nothing));
    if (got > 0 || (got < 0 && !gnutls_error_is_fatal((int)got)))
        return 0; /* nothing that a receiver says is expected (RFC 5425 section 4.3) */
    return failed(wire, got == 0 ? "the receiver closed" : gnutls_strerror((int)got));
}
