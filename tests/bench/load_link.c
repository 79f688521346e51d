#include "load_link.h"

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PRIORITIES "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+SIGN-ALL:+GROUP-ALL"
#define RECORD 16384 /* RFC 8446 section 5.1: what a record holds */
#define ROOM_LEAST (LINK_ROOM + 3 * RECORD)

static gnutls_certificate_credentials_t nobody; /* a client's: it has no certificate */
static gnutls_priority_t priorities;

static void tls_ok(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "deskgate-load: %s: %s\n", what, gnutls_strerror(result));
        exit(EXIT_FAILURE);
    }
}

static void prepare(void)
{
    tls_ok(gnutls_certificate_allocate_credentials(&nobody), "credentials");
    tls_ok(gnutls_priority_init(&priorities, PRIORITIES, NULL), "priorities");
}

static void prepare_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare);
}

/* ---- bytes that are held ---- */

static void bytes_drop(struct link_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct link_bytes){0};
}

static uint8_t *bytes_room(struct link_bytes *bytes, size_t size)
{
    if (bytes->size + size > bytes->room) {
        size_t twice = 2 * (bytes->size + size);
        bytes->room = twice < ROOM_LEAST ? ROOM_LEAST : twice;
        bytes->data = realloc(bytes->data, bytes->room);
        if (!bytes->data)
            load_die("memory");
    }
    return bytes->data + bytes->size;
}

static void bytes_add(struct link_bytes *bytes, const uint8_t *data, size_t size)
{
    memcpy(bytes_room(bytes, size), data, size);
    bytes->size += size;
}

/* ---- the socket ---- */

static ssize_t socket_read(struct link *link, uint8_t *data, size_t size)
{
    ssize_t got;
    do
        got = recv(link->fd, data, size, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        link->wants = POLLIN;
    return got < 0 ? -errno : got;
}

static ssize_t socket_write(struct link *link, const uint8_t *data, size_t size)
{
    ssize_t sent;
    do
        sent = send(link->fd, data, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno == EAGAIN)
        link->wants = POLLOUT;
    return sent < 0 ? -errno : sent;
}

/* ---- what GnuTLS reads from and writes to ---- */

static ssize_t pull(gnutls_transport_ptr_t owner, void *data, size_t size)
{
    struct link *link = owner;
    struct link_bytes *in = &link->in;
    if (in->at == in->size) {
        in->at = in->size = 0;
        ssize_t got = socket_read(link, bytes_room(in, LINK_ROOM), LINK_ROOM);
        if (got <= 0) {
            bytes_drop(in);
            gnutls_transport_set_errno(link->tls, (int)-got);
            return got < 0 ? -1 : 0;
        }
        in->size = (size_t)got;
    }
    size_t part = in->size - in->at < size ? in->size - in->at : size;
    memcpy(data, in->data + in->at, part);
    in->at += part;
    return (ssize_t)part;
}

/* GnuTLS also says GNUTLS_E_AGAIN when it has used up a message of the handshake, such as a ticket:
 * what lies behind it is here then, and no poll() would tell. */
static bool held(const struct link *link)
{
    return link->in.at < link->in.size;
}

static ssize_t push(gnutls_transport_ptr_t owner, const void *data, size_t size)
{
    struct link *link = owner;
    bytes_add(&link->out, data, size);
    return (ssize_t)size;
}

static int pull_timeout(gnutls_transport_ptr_t owner, unsigned ms)
{
    struct link *link = owner;
    struct pollfd look = {.fd = link->fd, .events = POLLIN};
    return held(link) ? 1 : poll(&look, 1, (int)ms);
}

static void use_tls(struct link *link, unsigned end, gnutls_certificate_credentials_t pair)
{
    prepare_once();
    tls_ok(gnutls_init(&link->tls, end | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), "TLS");
    tls_ok(gnutls_priority_set(link->tls, priorities), "priorities");
    tls_ok(gnutls_credentials_set(link->tls, GNUTLS_CRD_CERTIFICATE, pair ? pair : nobody),
           "credentials");
    gnutls_transport_set_ptr(link->tls, link);
    gnutls_transport_set_pull_function(link->tls, pull);
    gnutls_transport_set_push_function(link->tls, push);
    gnutls_transport_set_pull_timeout_function(link->tls, pull_timeout);
}

/* ---- life ---- */

/* The port is chosen when it is known where to, so that each may be used once per destination. */
static int bind_to(int fd, in_addr_t from)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {from}};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

int link_connect(struct link *link, uint16_t port, in_addr_t from, bool tls,
                 const gnutls_datum_t *resume)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    *link = (struct link){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                          .wants = POLLOUT};
    if (link->fd < 0)
        return -errno;
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (from && bind_to(link->fd, from) < 0)
        return -errno;
    if (connect(link->fd, (struct sockaddr *)&at, sizeof(at)) < 0 && errno != EINPROGRESS)
        return -errno;
    if (!tls)
        return 0;
    use_tls(link, GNUTLS_CLIENT, NULL);
    tls_ok(gnutls_server_name_set(link->tls, GNUTLS_NAME_DNS, "localhost", 9), "name");
    if (resume && resume->size)
        tls_ok(gnutls_session_set_data(link->tls, resume->data, resume->size), "resumption");
    return 0;
}

int link_accept(struct link *link, int fd, gnutls_certificate_credentials_t pair)
{
    *link = (struct link){.fd = fd, .wants = POLLIN};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (pair)
        use_tls(link, GNUTLS_SERVER, pair);
    return 0;
}

/* Whether TCP's connection stands: 0, -EAGAIN, or why not. */
static int connected(struct link *link)
{
    struct pollfd look = {.fd = link->fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof(error);
    link->wants = POLLOUT;
    if (poll(&look, 1, 0) == 0)
        return -EAGAIN;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

int link_step(struct link *link)
{
    if (link->handshaken)
        return link_flush(link);
    int result = connected(link);
    if (result == 0 && link->tls) {
        int said;
        do
            said = gnutls_handshake(link->tls);
        while (said == GNUTLS_E_AGAIN && held(link));
        int flushed = link_flush(link);
        if (said < 0 && gnutls_error_is_fatal(said)) {
            fprintf(stderr, "deskgate-load: handshake: %s\n", gnutls_strerror(said));
            return -EPROTO;
        }
        if (flushed == 0 && said < 0)
            link->wants = POLLIN;
        result = flushed < 0 ? flushed : said < 0 ? -EAGAIN : 0;
        link->handshaken = said == 0;
        return result;
    }
    link->handshaken = result == 0;
    return result;
}

void link_deinit(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    if (link->tls)
        gnutls_deinit(link->tls);
    bytes_drop(&link->in);
    bytes_drop(&link->out);
    bytes_drop(&link->due);
    *link = (struct link){.fd = -1};
}

/* ---- bytes ---- */

ssize_t link_read(struct link *link, uint8_t *data, size_t size)
{
    ssize_t got;
    if (!link->tls)
        return socket_read(link, data, size);
    do
        got = gnutls_record_recv(link->tls, data, size);
    while (got == GNUTLS_E_INTERRUPTED || (got == GNUTLS_E_AGAIN && held(link)));
    if (got >= 0)
        return got;
    if (got == GNUTLS_E_AGAIN) {
        link->wants = POLLIN;
        return -EAGAIN;
    }
    return got == GNUTLS_E_PREMATURE_TERMINATION || got == GNUTLS_E_PULL_ERROR ? -ECONNRESET
                                                                               : -EPROTO;
}

/* One record at most; push() takes it. */
static int encrypt(struct link *link, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = gnutls_record_send(link->tls, data, size);
        if (sent < 0)
            return -EPROTO;
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

static int encrypt_due(struct link *link)
{
    int result = encrypt(link, link->due.data, link->due.size);
    if (link->due.data)
        bytes_drop(&link->due);
    return result;
}

static int write_tls(struct link *link, const uint8_t *data, size_t size)
{
    int result = 0;
    while (size > 0 && result == 0) {
        size_t part = RECORD - link->due.size < size ? RECORD - link->due.size : size;
        if (part == RECORD) {
            result = encrypt(link, data, part);
        } else {
            bytes_add(&link->due, data, part);
            result = link->due.size == RECORD ? encrypt_due(link) : 0;
        }
        data += part;
        size -= part;
    }
    return result;
}

int link_write(struct link *link, const uint8_t *data, size_t size)
{
    if (link->tls)
        return write_tls(link, data, size);
    bytes_add(&link->out, data, size);
    return 0;
}

bool link_full(const struct link *link)
{
    return link->out.size - link->out.at >= LINK_ROOM;
}

int link_push(struct link *link)
{
    struct link_bytes *out = &link->out;
    while (out->at < out->size) {
        ssize_t sent = socket_write(link, out->data + out->at, out->size - out->at);
        if (sent < 0)
            return (int)sent;
        out->at += (size_t)sent;
    }
    if (out->size)
        bytes_drop(out);
    return 0;
}

int link_flush(struct link *link)
{
    int result = link->due.size ? encrypt_due(link) : 0;
    return result < 0 ? result : link_push(link);
}

void link_finish(struct link *link)
{
    if (link->tls && link->handshaken && encrypt_due(link) == 0)
        gnutls_bye(link->tls, GNUTLS_SHUT_WR);
    link_flush(link);
    shutdown(link->fd, SHUT_WR);
}

void link_wait(const struct link *link)
{
    struct pollfd look = {.fd = link->fd, .events = link->wants};
    while (poll(&look, 1, -1) < 0 && errno == EINTR)
        ;
}

int link_push_all(struct link *link)
{
    int result;
    while ((result = link_push(link)) == -EAGAIN)
        link_wait(link);
    return result;
}

int link_flush_all(struct link *link)
{
    int result;
    while ((result = link_flush(link)) == -EAGAIN)
        link_wait(link);
    return result;
}

/* ---- resumption ---- */

int link_remember(struct link *link, gnutls_datum_t *out)
{
    if (!(gnutls_session_get_flags(link->tls) & GNUTLS_SFLAGS_SESSION_TICKET))
        return -EAGAIN;
    return gnutls_session_get_data2(link->tls, out) < 0 ? -EPROTO : 0;
}

bool link_resumed(const struct link *link)
{
    return link->tls && gnutls_session_is_resumed(link->tls);
}
