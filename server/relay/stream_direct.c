/* GnuTLS makes the handshake and serves the HTTP phase; a tunnel's stream then goes on without it.
 * The session is freed at that moment, which is most of what a tunnel costs in memory, and records
 * are opened from where recv() put them straight into the relay's buffer.
 *
 * Taken over are TLS 1.3 and its AEAD ciphers with tags of 16 bytes; anything else stays with
 * GnuTLS. What can still come is application data, alerts, key updates and, for a client, session
 * tickets, which are not wanted. Renegotiation does not exist in TLS 1.3, and client authentication
 * after the handshake was not offered. */
#include "stream_direct.h"

#include "owner.h"
#include "peer_key.h"
#include "scratch.h"
#include "stream_tls_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 8446 section 4 */
enum handshake_type { NEW_SESSION_TICKET = 4, KEY_UPDATE = 24 };
#define MESSAGE_HEADER 4
#define KEY_UPDATE_SIZE (MESSAGE_HEADER + 1)
#define ALERT_SIZE 2

/* Whoever changes keys, or says nothing, so often in a row wants our time: a change costs as much
 * as opening some hundred kilobytes. */
#define EMPTY_MOST 64

/* RFC 6066 section 4, RFC 8449 */
enum { MAX_FRAGMENT_LENGTH = 1, RECORD_SIZE_LIMIT = 28 };

void stream_direct_free(struct stream_direct *direct)
{
    if (!direct)
        return;
    record_keys_wipe(&direct->in);
    record_keys_wipe(&direct->out);
    free(direct);
}

/* ---- taking over ---- */

static int on_secret(gnutls_session_t session, gnutls_record_encryption_level_t level,
                     const void *secret_read, const void *secret_write, size_t size)
{
    struct stream_tls *tls = gnutls_transport_get_ptr(session);
    if (level != GNUTLS_ENCRYPTION_LEVEL_APPLICATION)
        return 0;
    if (!tls->direct)
        tls->direct = calloc(1, sizeof(*tls->direct));
    if (!tls->direct)
        return GNUTLS_E_MEMORY_ERROR;
    if (tls->established) /* an update, which may have asked for ours: one too many is allowed */
        tls->direct->update_due = true;
    if ((secret_read && record_keys_note(&tls->direct->in, secret_read, size)) ||
        (secret_write && record_keys_note(&tls->direct->out, secret_write, size)))
        return GNUTLS_E_INTERNAL_ERROR;
    return 0;
}

static int on_extension(void *context, unsigned id, const unsigned char *data, unsigned size)
{
    struct stream_tls *tls = context;
    if (id == MAX_FRAGMENT_LENGTH)
        tls->direct_barred = true;
    if (id == RECORD_SIZE_LIMIT && (size != 2 || (data[0] << 8 | data[1]) <= RECORD_PLAIN_MOST))
        tls->direct_barred = true; /* the limit counts the type's byte */
    return 0;
}

/* GnuTLS obeys the peer's limit of a record's size, and does not tell it. */
static int on_handshake(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t *message)
{
    (void)when;
    if (!incoming)
        return 0;
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO)
        gnutls_ext_raw_parse(gnutls_transport_get_ptr(session), on_extension, message,
                             GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
    else if (type == GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS)
        gnutls_ext_raw_parse(gnutls_transport_get_ptr(session), on_extension, message, 0);
    return peer_key_check(session, type, message);
}

void stream_direct_watch(gnutls_session_t session)
{
    gnutls_handshake_set_secret_function(session, on_secret);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_POST,
                                       on_handshake);
}

/* The same keys as GnuTLS now uses? */
static bool agrees(gnutls_session_t session, struct record_keys *keys, bool read)
{
    uint8_t sequence[8];
    gnutls_datum_t key, iv;
    if (gnutls_record_get_state(session, read, NULL, &iv, &key, sequence) < 0 ||
        iv.size != sizeof(keys->iv) || gnutls_memcmp(iv.data, keys->iv, sizeof(keys->iv)) != 0)
        return false;
    keys->sequence = 0;
    for (size_t i = 0; i < sizeof(sequence); i++)
        keys->sequence = keys->sequence << 8 | sequence[i];
    return true;
}

static bool take_keys(struct stream_tls *tls)
{
    gnutls_session_t session = tls->session;
    struct stream_direct *direct = tls->direct;
    if (gnutls_protocol_get_version(session) != GNUTLS_TLS1_3)
        return false;
    gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(session);
    gnutls_mac_algorithm_t hash = (gnutls_mac_algorithm_t)gnutls_prf_hash_get(session);
    return record_keys_make(&direct->in, cipher, hash) == 0 &&
           record_keys_make(&direct->out, cipher, hash) == 0 &&
           agrees(session, &direct->in, true) && agrees(session, &direct->out, false);
}

void stream_direct_try(struct stream_tls *tls)
{
    if (tls->direct && (tls->passing || gnutls_record_check_pending(tls->session)))
        return; /* not yet: bytes are inside */
    tls->direct_wanted = false;
    if (tls->direct && !tls->direct_barred && !tls->verdict && !tls->ended && take_keys(tls)) {
        gnutls_deinit(tls->session);
        tls->session = NULL;
        stream_direct_begin(tls);
        return;
    }
    stream_direct_free(tls->direct);
    tls->direct = NULL;
}

/* ---- out ---- */

/* The loop's own bytes, and one more behind them? Then they may be sealed from where they are. */
static uint8_t *in_scratch(struct stream_scratch *scratch, const uint8_t *data, size_t size)
{
    uintptr_t at = (uintptr_t)data, first = (uintptr_t)scratch->head;
    uintptr_t end = (uintptr_t)scratch->spare + sizeof(scratch->spare);
    return at >= first && at + size < end ? (uint8_t *)scratch + (at - (uintptr_t)scratch) : NULL;
}

/* Puts a record into the scratch. False: it is not possible any more. */
static bool put(struct stream_tls *tls, enum record_type type, const uint8_t *data, size_t size)
{
    struct stream_scratch *scratch = tls->scratch;
    uint8_t *out = scratch->out + scratch->out_size, *from = in_scratch(scratch, data, size);
    if (size + RECORD_EXTRA > sizeof(scratch->out) - scratch->out_size)
        return false;
    if (!from) {
        from = out + RECORD_HEADER;
        memcpy(from, data, size);
    }
    size_t made = record_seal(&tls->direct->out, type, from, size, out);
    scratch->out_size += made;
    return made != 0;
}

/* Section 4.6.3; one answers all that have asked meanwhile. */
static bool put_update(struct stream_tls *tls)
{
    static const uint8_t message[KEY_UPDATE_SIZE] = {KEY_UPDATE, 0, 0, 1, 0};
    tls->direct->update_due = false;
    return put(tls, RECORD_HANDSHAKE, message, sizeof(message)) &&
           record_keys_update(&tls->direct->out) == 0;
}

static void put_alert(struct stream_tls *tls, enum record_alert alert)
{
    uint8_t message[ALERT_SIZE] = {alert == RECORD_CLOSE_NOTIFY ? 1 : 2, (uint8_t)alert};
    put(tls, RECORD_ALERT, message, sizeof(message));
}

static bool put_data(struct stream_tls *tls, const uint8_t *data, size_t size)
{
    struct stream_direct *direct = tls->direct;
    while (size) {
        size_t part = size < RECORD_PLAIN_MOST ? size : RECORD_PLAIN_MOST;
        if ((direct->update_due || direct->out.sequence >= RECORD_REKEY) && !put_update(tls))
            return false;
        if (!put(tls, RECORD_DATA, data, part))
            return false;
        data += part;
        size -= part;
    }
    return true;
}

static ssize_t direct_write(struct stream *stream, const uint8_t *data, size_t size)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    if (tls->ended)
        return -EPIPE;
    if (tls->out)
        return -EAGAIN;
    if (size > SCRATCH_DATA + WS_HEADER_MOST)
        size = SCRATCH_DATA + WS_HEADER_MOST;
    if (!put_data(tls, data, size)) {
        tls->scratch->out_size = 0;
        tls->ended = true; /* numbers were used up: the peer could open nothing more */
        return -EPROTO;
    }
    int error = stream_tls_io_send(tls);
    return error < 0 ? error : (ssize_t)size;
}

static int direct_flush(struct stream *stream)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    return stream_tls_io_flush(tls);
}

static int direct_end(struct stream *stream)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    if (!tls->ended) {
        tls->ended = true;
        put_alert(tls, RECORD_CLOSE_NOTIFY);
        int error = stream_tls_io_send(tls);
        if (error < 0)
            return error;
    }
    int error = stream_tls_io_flush(tls);
    if (error == 0)
        shutdown(stream->fd, SHUT_WR);
    return error;
}

/* ---- in ---- */

/* Section 6. User_canceled is followed by a close_notify. */
static int take_alert(struct stream_tls *tls, const uint8_t *alert, size_t size)
{
    enum { USER_CANCELED = 90 };
    if (size != ALERT_SIZE)
        return RECORD_DECODE_ERROR;
    if (alert[1] == RECORD_CLOSE_NOTIFY)
        tls->verdict = STREAM_TLS_EOF;
    else if (alert[1] != USER_CANCELED) {
        tls->verdict = -EPROTO;
        tls->ended = true; /* section 6.2: nothing follows a fatal one, of either side */
    }
    return 0;
}

static int take_update(struct stream_direct *direct, uint8_t request)
{
    if (request > 1)
        return RECORD_DECODE_ERROR;
    direct->update_due |= request == 1;
    return record_keys_update(&direct->in) ? RECORD_INTERNAL_ERROR : 0;
}

/* Handshake messages: a key update, which ends its record (section 5.1), and tickets, over as many
 * records as they like. That a message's header is cut in two is not expected of anybody. */
static int take_handshake(struct stream_direct *direct, const uint8_t *data, size_t size)
{
    while (size) {
        size_t part = size < direct->skip ? size : direct->skip;
        direct->skip -= (uint32_t)part;
        data += part;
        size -= part;
        if (!size)
            break;
        if (size == KEY_UPDATE_SIZE && data[0] == KEY_UPDATE && !data[1] && !data[2] &&
            data[3] == 1)
            return take_update(direct, data[4]);
        if (direct->server || size < MESSAGE_HEADER || data[0] != NEW_SESSION_TICKET)
            return RECORD_UNEXPECTED_MESSAGE;
        direct->skip = (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
        data += MESSAGE_HEADER;
        size -= MESSAGE_HEADER;
    }
    return 0;
}

/* Opens the whole record that waits. What it holds of data is at `to`, `*size` bytes. Returns 0 or
 * the alert to die with. */
static int take_record(struct stream_tls *tls, uint8_t *to, size_t *size)
{
    struct stream_scratch *scratch = tls->scratch;
    const uint8_t *record = scratch->in + scratch->in_at;
    struct stream_direct *direct = tls->direct;
    uint8_t type = 0;
    size_t got = 0;
    *size = 0;
    int alert = record_open(&direct->in, record, to, &type, &got);
    if (alert)
        return alert;
    scratch->in_at += RECORD_HEADER + record_length(record);
    if (direct->skip && type != RECORD_HANDSHAKE)
        return RECORD_UNEXPECTED_MESSAGE; /* section 5.1: not between parts of a message */
    direct->empty = type == RECORD_DATA && got ? 0 : direct->empty + 1;
    if (direct->empty > EMPTY_MOST)
        return RECORD_UNEXPECTED_MESSAGE;
    if (type == RECORD_DATA)
        *size = got;
    else if (type == RECORD_ALERT)
        return take_alert(tls, to, got);
    else if (type == RECORD_HANDSHAKE && got)
        return take_handshake(direct, to, got);
    else
        return RECORD_UNEXPECTED_MESSAGE;
    return 0;
}

static void break_off(struct stream_tls *tls, int alert)
{
    tls->verdict = -EPROTO;
    if (!tls->ended)
        put_alert(tls, (enum record_alert)alert);
    tls->ended = true; /* section 6.2 */
}

/* True: the record at the front of the scratch can be opened into `room` bytes. */
static bool fits(const struct stream_tls *tls, size_t room)
{
    const struct stream_scratch *scratch = tls->scratch;
    size_t length = record_length(scratch->in + scratch->in_at);
    return length > RECORD_LENGTH_MOST || length <= room + RECORD_TAG;
}

/* Receives, at most once in a read. False: there is no whole record yet. */
static bool have_record(struct stream_tls *tls, bool *received)
{
    if (stream_tls_io_whole(tls))
        return true;
    if (*received)
        return false;
    *received = true;
    ssize_t got = stream_tls_io_receive(tls);
    if (got == 0)
        tls->verdict = -ECONNRESET; /* without a close_notify */
    else if (got < 0 && got != -EAGAIN)
        tls->verdict = (int)got;
    return got > 0 && stream_tls_io_whole(tls);
}

static ssize_t direct_read(struct stream *stream, uint8_t *data, size_t size)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    size_t filled = 0;
    bool received = false;
    if (!tls->verdict && stream_tls_io_claim(tls))
        return -ENOMEM;
    if (size < STREAM_TLS_READ_LEAST)
        return -ENOBUFS;
    while (!tls->verdict && have_record(tls, &received) && fits(tls, size - filled)) {
        size_t got;
        int alert = take_record(tls, data + filled, &got);
        filled += got;
        received |= filled != 0; /* what is there goes on first */
        if (alert)
            break_off(tls, alert);
    }
    if (tls->direct->update_due && !tls->out && !tls->ended && !put_update(tls))
        break_off(tls, RECORD_INTERNAL_ERROR);
    int sent = stream_tls_io_send(tls);
    if (filled)
        return (ssize_t)filled;
    if (tls->verdict)
        return tls->verdict == STREAM_TLS_EOF ? 0 : tls->verdict;
    return sent < 0 ? sent : -EAGAIN;
}

static bool direct_readable(const struct stream *stream)
{
    const struct stream_tls *tls =
        (const struct stream_tls *)(const void *)((const char *)stream -
                                                  offsetof(struct stream_tls, stream));
    return tls->verdict || stream_tls_io_whole(tls);
}

static void direct_deinit(struct stream *stream)
{
    struct stream_tls *tls = OWNER_OF(stream, struct stream_tls, stream);
    stream_tls_io_forget(tls);
    stream_direct_free(tls->direct);
    free(tls->out);
    *tls = (struct stream_tls){.stream.fd = -1};
}

void stream_direct_begin(struct stream_tls *tls)
{
    static const struct stream_ops ops = {direct_read, direct_write,    direct_flush,
                                          direct_end,  direct_readable, direct_deinit};
    tls->direct->server = tls->server;
    tls->stream.ops = &ops;
}
