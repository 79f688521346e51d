/* A connection below its framing: TCP on loopback, bare or with TLS 1.3 AES-128-GCM, either end.
 *
 * The socket never blocks, so that thousands fit into one poll; whoever wants to wait says
 * link_wait(). What is written is gathered into full records, and these are given to the kernel
 * some at a time: so whatever the framing, a server gets as many records and as many segments. A
 * link that has nothing under way holds no buffers. */
#pragma once

#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LINK_ROOM 65536 /* of what is given to the kernel, or taken from it, at once */

struct link_bytes {
    uint8_t *data; /* NULL while nothing is held */
    size_t at, size, room;
};

struct link {
    int fd;
    gnutls_session_t tls; /* NULL: bare */
    bool handshaken;
    short wants;               /* POLLIN or POLLOUT: what the last -EAGAIN waits for */
    struct link_bytes in, out; /* at the socket */
    struct link_bytes due;     /* TLS: written, less than a record */
};

/* Begins a connection to a port of loopback, from an address of it (0: any); `resume` is what
 * link_remember() gave, or NULL. The certificate is not looked at: it is the benchmark's own, and
 * nobody else is on loopback. Ends the program when there is no memory. 0 or a negative errno. */
int link_connect(struct link *link, uint16_t port, in_addr_t from, bool tls,
                 const gnutls_datum_t *resume);
/* Takes an accepted descriptor over; `pair` NULL: bare. As above. */
int link_accept(struct link *link, int fd, gnutls_certificate_credentials_t pair);
/* The handshakes of TCP and TLS. 0: done; -EAGAIN; another negative errno. */
int link_step(struct link *link);

/* Up to `size` bytes; 0 at a polite end; -EAGAIN; another negative errno. */
ssize_t link_read(struct link *link, uint8_t *data, size_t size);
/* Takes all of it. It need not have reached the kernel: see link_flush(). 0 or a negative errno. */
int link_write(struct link *link, const uint8_t *data, size_t size);
/* True: push or flush before writing more, so that memory stays bounded. */
bool link_full(const struct link *link);
/* 0: everything has reached the kernel; -EAGAIN; another negative errno. */
int link_flush(struct link *link);
/* The same for full records alone: more is to come soon. */
int link_push(struct link *link);
/* No more from us: close_notify and FIN. What is still held is flushed as far as it goes. */
void link_finish(struct link *link);
/* Closes and frees. Twice is fine, and so is a link of zeros with fd -1. */
void link_deinit(struct link *link);

/* Waits for what the last -EAGAIN was about. */
void link_wait(const struct link *link);
/* As their namesakes, but they wait. 0 or a negative errno. */
int link_flush_all(struct link *link);
int link_push_all(struct link *link);

/* What the next connection to the same place resumes with; the server's ticket must have arrived,
 * which a read shows. 0; -EAGAIN: not yet. gnutls_free() its data. */
int link_remember(struct link *link, gnutls_datum_t *out);
bool link_resumed(const struct link *link);
