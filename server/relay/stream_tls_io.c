#include "stream_tls_io.h"

#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 5246 section 6.2.3: 2048 more than the plaintext; TLS 1.3 allows less. */
#define LENGTH_MOST (16384 + 2048)

/* ---- from the socket ---- */

/* Another stream is about to use the scratch: what is left in it belongs to its owner. */
static int yield(struct stream_scratch *scratch)
{
    struct stream_tls *owner = scratch->in_owner;
    size_t left = scratch->in_size - scratch->in_at;
    if (owner && left) {
        owner->in = malloc(left);
        if (!owner->in)
            return -ENOMEM;
        memcpy(owner->in, scratch->in + scratch->in_at, left);
        owner->in_size = (uint32_t)left;
    }
    scratch->in_owner = NULL;
    scratch->in_at = scratch->in_size = 0;
    return 0;
}

int stream_tls_io_claim(struct stream_tls *tls)
{
    struct stream_scratch *scratch = tls->scratch;
    if (scratch->in_owner == tls)
        return 0;
    if (yield(scratch))
        return -ENOMEM;
    scratch->in_owner = tls;
    if (!tls->in)
        return 0;
    memcpy(scratch->in, tls->in, tls->in_size);
    scratch->in_size = tls->in_size;
    free(tls->in);
    tls->in = NULL;
    tls->in_size = 0;
    return 0;
}

ssize_t stream_tls_io_receive(struct stream_tls *tls)
{
    struct stream_scratch *scratch = tls->scratch;
    size_t left = scratch->in_size - scratch->in_at;
    if (scratch->in_at) {
        memmove(scratch->in, scratch->in + scratch->in_at, left);
        scratch->in_at = 0;
        scratch->in_size = left;
    }
    ssize_t got;
    do
        got = recv(tls->stream.fd, scratch->in + left, sizeof(scratch->in) - left, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    tls->gone = got == 0;
    scratch->in_size += (size_t)got;
    return got;
}

bool stream_tls_io_whole(const struct stream_tls *tls)
{
    const struct stream_scratch *scratch = tls->scratch;
    const uint8_t *bytes = tls->in;
    size_t size = tls->in_size;
    if (scratch->in_owner == tls) {
        bytes = scratch->in + scratch->in_at;
        size = scratch->in_size - scratch->in_at;
    }
    if (size < RECORD_HEADER)
        return false;
    return !record_plausible(bytes) || record_length(bytes) > LENGTH_MOST ||
           size - RECORD_HEADER >= record_length(bytes);
}

void stream_tls_io_forget(struct stream_tls *tls)
{
    struct stream_scratch *scratch = tls->scratch;
    if (scratch->in_owner == tls) {
        scratch->in_owner = NULL;
        scratch->in_at = scratch->in_size = 0;
    }
    free(tls->in);
    tls->in = NULL;
    tls->in_size = 0;
}

/* ---- to the socket ---- */

/* Appends to what the socket has refused. */
static int keep_out(struct stream_tls *tls, const uint8_t *data, size_t size)
{
    size_t left = tls->out_size - tls->out_at;
    uint8_t *grown = malloc(left + size);
    if (!grown)
        return -ENOMEM;
    if (left)
        memcpy(grown, tls->out + tls->out_at, left);
    memcpy(grown + left, data, size);
    free(tls->out);
    tls->out = grown;
    tls->out_at = 0;
    tls->out_size = (uint32_t)(left + size);
    return 0;
}

/* 0: it takes nothing now. */
static ssize_t send_some(int fd, const uint8_t *data, size_t size)
{
    ssize_t sent;
    do
        sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN ? 0 : -errno;
    return sent;
}

int stream_tls_io_flush(struct stream_tls *tls)
{
    if (!tls->out)
        return 0;
    ssize_t sent = send_some(tls->stream.fd, tls->out + tls->out_at, tls->out_size - tls->out_at);
    if (sent < 0)
        return (int)sent;
    tls->out_at += (uint32_t)sent;
    if (tls->out_at < tls->out_size)
        return -EAGAIN;
    free(tls->out);
    tls->out = NULL;
    tls->out_at = tls->out_size = 0;
    return 0;
}

int stream_tls_io_send(struct stream_tls *tls)
{
    struct stream_scratch *scratch = tls->scratch;
    size_t size = scratch->out_size, sent = 0;
    scratch->out_size = 0;
    if (size == 0)
        return 0;
    if (!tls->out) {
        ssize_t done = send_some(tls->stream.fd, scratch->out, size);
        if (done < 0)
            return (int)done;
        sent = (size_t)done;
    }
    return sent < size ? keep_out(tls, scratch->out + sent, size - sent) : 0;
}
