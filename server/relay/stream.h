/* The one seam for bytes: a byte stream over a non-blocking descriptor, plain or TLS.
 *
 * Results: > 0 bytes done; 0 end of stream (read only); -EAGAIN wait for the descriptor; any other
 * negative errno: broken. A TLS stream maps a peer that vanished without close_notify to
 * -ECONNRESET and TLS violations to -EPROTO. */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream;

struct stream_ops {
    ssize_t (*read)(struct stream *stream, uint8_t *data, size_t size);
    /* Takes all or part. What it took may still wait inside: see flush. -EAGAIN takes nothing. */
    ssize_t (*write)(struct stream *stream, const uint8_t *data, size_t size);
    /* 0: everything taken has reached the kernel; -EAGAIN: wait for EPOLLOUT. */
    int (*flush)(struct stream *stream);
    /* Half-close: no more from us (shutdown SHUT_WR, close_notify). 0, -EAGAIN, or an error. */
    int (*end)(struct stream *stream);
    /* Bytes wait inside that no poll will announce. */
    bool (*readable)(const struct stream *stream);
    void (*deinit)(struct stream *stream); /* frees what it holds; the descriptor stays open */
};

struct stream {
    const struct stream_ops *ops;
    int fd;
};

/* Buffers that belong to an event loop and are shared by all its streams and relays: valid only
 * within one callback. One per loop. */
struct stream_scratch;
int stream_scratch_new(struct stream_scratch **out); /* 0 or -ENOMEM */
void stream_scratch_free(struct stream_scratch *scratch);

struct stream_plain {
    struct stream stream;
};
void stream_plain_init(struct stream_plain *plain, int fd);

#define STREAM_TLS_EOF 1 /* close_notify came */

struct stream_tls {
    struct stream stream;
    struct stream_scratch *scratch;
    gnutls_session_t session;     /* owned from init on; NULL once the stream goes on without it */
    struct stream_direct *direct; /* traffic secrets, later keys; NULL: none (yet) */
    /* Bytes held between callbacks, only while there is a backlog: */
    uint8_t *in;  /* ciphertext received, not yet decrypted */
    uint8_t *out; /* ciphertext that the socket would not take */
    uint32_t in_size, out_size, out_at;
    uint32_t passing; /* bytes left of the record that GnuTLS is being given */
    int verdict;      /* how reading ended, once it has: STREAM_TLS_EOF or a negative errno */
    bool established; /* the handshake is done; its last bytes may still wait in `out` */
    bool ended;
    bool gone; /* the socket's end has been read */
    bool fed;  /* the present read has got something: no further recv() */
    bool server;
    bool direct_wanted;
    bool direct_barred; /* the peer takes smaller records than we would make */
};
/* Server or client, according to how the session was made; sets its transport. */
void stream_tls_init(struct stream_tls *tls, int fd, gnutls_session_t session,
                     struct stream_scratch *scratch);
/* From now on only application data is expected: where TLS 1.3 and the cipher allow, the stream
 * goes on without GnuTLS's session, which is freed (`session` is NULL then). `server`: our role.
 * From here each read must have room for STREAM_TLS_READ_LEAST bytes. */
void stream_tls_direct(struct stream_tls *tls, bool server);
#define STREAM_TLS_READ_LEAST (16384 + 256) /* RFC 8446 section 5.2: the largest record */
/* 0 done; -EAGAIN: wait (stream_tls_wants says for what); otherwise failed, and `*error` is the
 * GnuTLS error code for the log. */
int stream_tls_handshake(struct stream_tls *tls, int *error);
uint32_t stream_tls_wants(const struct stream_tls *tls); /* EPOLLIN or EPOLLOUT */

static inline ssize_t stream_read(struct stream *s, uint8_t *data, size_t size)
{
    return s->ops->read(s, data, size);
}
static inline ssize_t stream_write(struct stream *s, const uint8_t *data, size_t size)
{
    return s->ops->write(s, data, size);
}
static inline int stream_flush(struct stream *s)
{
    return s->ops->flush(s);
}
static inline int stream_end(struct stream *s)
{
    return s->ops->end(s);
}
static inline bool stream_readable(const struct stream *s)
{
    return s->ops->readable(s);
}
static inline void stream_deinit(struct stream *s)
{
    if (s && s->ops)
        s->ops->deinit(s);
}
