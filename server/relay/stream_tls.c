/* TLS over a non-blocking socket, with GnuTLS's transport callbacks batching the system calls: one
 * recv() of up to SCRATCH_IN feeds many records, and the records of one write leave in one send().
 *
 * GnuTLS never sees a full socket: the push callback always takes what it is given, into the loop's
 * scratch, and what the socket then refuses is kept in `out`. So a write is all or nothing: while
 * `out` holds something, stream_write() answers -EAGAIN and encrypts nothing more; `out` is bounded
 * by one write. */
#include "scratch.h"
#include "stream.h"

#include "owner.h"
#include "record.h"
#include "stream_direct.h"
#include "stream_tls_io.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int stream_scratch_new(struct stream_scratch **out)
{
    *out = malloc(sizeof(**out));
    if (!*out)
        return -ENOMEM;
    (*out)->in_owner = NULL;
    (*out)->in_at = (*out)->in_size = (*out)->out_size = 0;
    return 0;
}

void stream_scratch_free(struct stream_scratch *scratch)
{
    free(scratch);
}

/* ---- GnuTLS's transport ---- */

/* At a boundary of records: is one there, whole? GnuTLS is given nothing less, so that whoever goes
 * on without it (stream_direct.c) finds no part of a record inside. 1, 0 at the end, or -1 with
 * errno set. */
static int next_record(struct stream_tls *tls)
{
    struct stream_scratch *scratch = tls->scratch;
    if (stream_tls_io_claim(tls)) {
        errno = ENOMEM;
        return -1;
    }
    if (!stream_tls_io_whole(tls)) {
        ssize_t got = tls->fed ? -EAGAIN : stream_tls_io_receive(tls);
        if (got > 0 && !stream_tls_io_whole(tls))
            got = -EAGAIN;
        if (got < 0)
            errno = (int)-got;
        if (got <= 0)
            return got < 0 ? -1 : 0;
    }
    size_t whole = RECORD_HEADER + record_length(scratch->in + scratch->in_at);
    size_t have = scratch->in_size - scratch->in_at;
    tls->passing = (uint32_t)(whole < have ? whole : have); /* less: GnuTLS refuses such a header */
    return 1;
}

static ssize_t pull(gnutls_transport_ptr_t transport, void *to, size_t size)
{
    struct stream_tls *tls = transport;
    struct stream_scratch *scratch = tls->scratch;
    int there = tls->passing ? 1 : next_record(tls);
    if (there <= 0) {
        if (there < 0)
            gnutls_transport_set_errno(tls->session, errno);
        return there;
    }
    if (stream_tls_io_claim(tls)) { /* another stream may have been read within a record */
        gnutls_transport_set_errno(tls->session, ENOMEM);
        return -1;
    }
    size_t take = size < tls->passing ? size : tls->passing;
    memcpy(to, scratch->in + scratch->in_at, take);
    scratch->in_at += take;
    tls->passing -= (uint32_t)take;
    return (ssize_t)take;
}

/* GnuTLS asks only in ways that a non-blocking session does not need; there is no waiting here. */
static int pull_timeout(gnutls_transport_ptr_t transport, unsigned milliseconds)
{
    struct stream_tls *tls = transport;
    struct pollfd look = {.fd = tls->stream.fd, .events = POLLIN};
    (void)milliseconds;
    if (tls->passing || stream_tls_io_whole(tls))
        return 1;
    return poll(&look, 1, 0);
}

static ssize_t push(gnutls_transport_ptr_t transport, const giovec_t *pieces, int count)
{
    struct stream_tls *tls = transport;
    struct stream_scratch *scratch = tls->scratch;
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > sizeof(scratch->out) - scratch->out_size) {
            gnutls_transport_set_errno(tls->session, ENOBUFS);
            return -1;
        }
        memcpy(scratch->out + scratch->out_size, pieces[i].iov_base, pieces[i].iov_len);
        scratch->out_size += pieces[i].iov_len;
        total += pieces[i].iov_len;
    }
    return (ssize_t)total;
}

static int tls_flush(struct stream *stream)
{
    return stream_tls_io_flush(OWNER_OF(stream, struct stream_tls, stream));
}

/* ---- the stream ---- */

static int errno_of(ssize_t code)
{
    switch (code) {
    case GNUTLS_E_AGAIN:
    case GNUTLS_E_INTERRUPTED:
        return -EAGAIN;
    case GNUTLS_E_PREMATURE_TERMINATION:
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
        return -ECONNRESET;
    case GNUTLS_E_MEMORY_ERROR:
        return -ENOMEM;
    default:
        return -EPROTO;
    }
}

/* Reading is over for good. The peer is told why, unless it is it that went (RFC 8446 section 6.2).
 */
static void pass_verdict(struct stream_tls *tls, ssize_t code)
{
    if (code == 0) {
        tls->verdict = STREAM_TLS_EOF;
        return;
    }
    tls->verdict = errno_of(code);
    if (tls->gone && code == GNUTLS_E_UNEXPECTED_PACKET_LENGTH) /* cut in the middle of a record */
        tls->verdict = -ECONNRESET;
    if (tls->verdict == -EPROTO && code != GNUTLS_E_FATAL_ALERT_RECEIVED)
        gnutls_alert_send_appropriate(tls->session, (int)code);
}

/* From now on it goes on without GnuTLS. */
static bool taken_over(struct stream_tls *tls)
{
    if (tls->direct_wanted)
        stream_direct_try(tls);
    return !tls->session;
}

/* One recv() at most, and none once there is something: what does not fit into `data` stays in the
 * scratch for the next read, and nothing is received only to be kept. A verdict that comes behind
 * bytes is given at the next read; tls_readable() announces it. */
static ssize_t tls_read(struct stream *stream, uint8_t *data, size_t size)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    size_t filled = 0;
    if (taken_over(tls))
        return stream_read(stream, data, size);
    while (filled < size && !tls->verdict) {
        ssize_t got = gnutls_record_recv(tls->session, data + filled, size - filled);
        if (got > 0) {
            filled += (size_t)got;
            tls->fed = true;
        } else if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_WARNING_ALERT_RECEIVED) {
            break; /* also after a key update or a ticket, which were dealt with inside */
        } else if (got != GNUTLS_E_INTERRUPTED) {
            pass_verdict(tls, got); /* renegotiation (TLS 1.2) among the errors: it is refused */
        }
    }
    tls->fed = false;
    int sent = stream_tls_io_send(tls); /* GnuTLS answers key updates, and we send alerts */
    if (filled)
        return (ssize_t)filled;
    if (tls->verdict)
        return tls->verdict == STREAM_TLS_EOF ? 0 : tls->verdict;
    return sent < 0 ? sent : -EAGAIN;
}

static ssize_t tls_write(struct stream *stream, const uint8_t *data, size_t size)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    if (taken_over(tls))
        return stream_write(stream, data, size);
    if (tls->ended)
        return -EPIPE;
    if (tls->out)
        return -EAGAIN;
    if (size > SCRATCH_DATA + WS_HEADER_MOST)
        size = SCRATCH_DATA + WS_HEADER_MOST;
    size_t done = 0;
    while (done < size) {
        ssize_t put = gnutls_record_send(tls->session, data + done, size - done);
        if (put == GNUTLS_E_INTERRUPTED)
            continue;
        if (put < 0) {
            tls->scratch->out_size = 0;
            return errno_of(put) == -EAGAIN ? -EPROTO : errno_of(put);
        }
        done += (size_t)put;
    }
    int error = stream_tls_io_send(tls);
    return error < 0 ? error : (ssize_t)done;
}

static int tls_end(struct stream *stream)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    if (!tls->ended) {
        tls->ended = true;
        gnutls_bye(tls->session, GNUTLS_SHUT_WR);
        int error = stream_tls_io_send(tls);
        if (error < 0)
            return error;
    }
    int error = tls_flush(stream);
    if (error == 0)
        shutdown(stream->fd, SHUT_WR);
    return error;
}

static bool tls_readable(const struct stream *stream)
{
    const struct stream_tls *tls =
        (const struct stream_tls *)(const void *)((const char *)stream -
                                                  offsetof(struct stream_tls, stream));
    return tls->verdict || tls->passing || stream_tls_io_whole(tls) ||
           gnutls_record_check_pending(tls->session) > 0;
}

static void tls_deinit(struct stream *stream)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    stream_tls_io_forget(tls);
    if (tls->session)
        gnutls_deinit(tls->session);
    stream_direct_free(tls->direct);
    free(tls->out);
    *tls = (struct stream_tls){.stream.fd = -1};
}

void stream_tls_init(struct stream_tls *tls, int fd, gnutls_session_t session,
                     struct stream_scratch *scratch)
{
    static const struct stream_ops ops = {tls_read, tls_write,    tls_flush,
                                          tls_end,  tls_readable, tls_deinit};
    *tls = (struct stream_tls){
        .stream = {.ops = &ops, .fd = fd}, .scratch = scratch, .session = session};
    gnutls_transport_set_ptr(session, tls);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_pull_timeout_function(session, pull_timeout);
    gnutls_transport_set_vec_push_function(session, push);
    stream_direct_watch(session);
}

void stream_tls_direct(struct stream_tls *tls, bool server)
{
    tls->server = server;
    tls->direct_wanted = tls->session != NULL;
    if (tls->direct_wanted) /* at once: nothing may come for long, and the session is large */
        stream_direct_try(tls);
}

/* Is there reason to go on at once? A message may lie over several records (RFC 8446 section 5.1),
 * and GnuTLS comes back after each; those that one recv() has brought no poll announces. */
static bool goes_on(const struct stream_tls *tls, int code)
{
    return code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED ||
           (code == GNUTLS_E_AGAIN && !tls->out && stream_tls_io_whole(tls));
}

int stream_tls_handshake(struct stream_tls *tls, int *error)
{
    int flushed = tls_flush(&tls->stream);
    if (flushed || tls->established)
        return flushed;
    int code;
    do {
        code = gnutls_handshake(tls->session);
        int sent = stream_tls_io_send(tls);
        if (sent < 0) {
            *error = GNUTLS_E_PUSH_ERROR;
            return sent;
        }
    } while (goes_on(tls, code));
    if (code == 0) {
        tls->established = true;
        return tls_flush(&tls->stream);
    }
    *error = code;
    if (code != GNUTLS_E_AGAIN) {
        /* Tells the peer why (RFC 8446 section 6.2). */
        gnutls_alert_send_appropriate(tls->session, code);
        stream_tls_io_send(tls);
    }
    return errno_of(code);
}

uint32_t stream_tls_wants(const struct stream_tls *tls)
{
    return tls->out || gnutls_record_get_direction(tls->session) ? 0x004 /* EPOLLOUT */
                                                                 : 0x001 /* EPOLLIN */;
}
