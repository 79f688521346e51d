/* A stream that goes on without GnuTLS, and a peer that has the right keys and says what it likes:
 * the input is a list of records (a type, a size, the content) and of rubbish between them. What
 * arrives must be the content of data records, in order, up to the first thing that ends it. */
#include "stream_direct.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 60000 /* of ciphertext: the socketpair takes it at once */

struct peer {
    struct record_keys out; /* what the stream reads */
    uint8_t wire[MOST];
    uint8_t expected[MOST];
    size_t size, expect;
};

static void make_keys(struct record_keys *keys, uint8_t first)
{
    uint8_t secret[32] = {first};
    if (record_keys_note(keys, secret, sizeof(secret)) ||
        record_keys_make(keys, GNUTLS_CIPHER_AES_128_GCM, GNUTLS_MAC_SHA256))
        abort();
}

static void add_record(struct peer *peer, uint8_t type, const uint8_t *content, size_t size)
{
    uint8_t plain[256];
    memcpy(plain, content, size);
    peer->size +=
        record_seal(&peer->out, (enum record_type)type, plain, size, peer->wire + peer->size);
    /* A type of zero is padding (RFC 8446 section 5.4): what stands before is the type. */
    while (!type && size)
        type = content[--size];
    if (type == RECORD_DATA) {
        memcpy(peer->expected + peer->expect, content, size);
        peer->expect += size;
    }
    static const uint8_t update[] = {24, 0, 0, 1};
    if (type == RECORD_HANDSHAKE && size == 5 && memcmp(content, update, 4) == 0 &&
        record_keys_update(&peer->out))
        abort();
}

static void add(struct peer *peer, const uint8_t *data, size_t size)
{
    static const uint8_t types[] = {RECORD_DATA, RECORD_DATA, RECORD_HANDSHAKE, RECORD_ALERT, 20,
                                    24,          0,           RECORD_DATA};
    for (size_t at = 0; at + 2 <= size && peer->size + 400 < MOST;) {
        uint8_t op = data[at++];
        size_t part = data[at++];
        part = part < size - at ? part : size - at;
        if (op & 0x80) {
            memcpy(peer->wire + peer->size, data + at, part);
            peer->size += part;
        } else {
            add_record(peer, types[op % 8], data + at, part);
        }
        at += part;
    }
}

/* What arrives is a beginning of what was sent. */
static void read_all(struct stream *stream, const struct peer *peer, size_t *place)
{
    static uint8_t got[STREAM_TLS_READ_LEAST * 4];
    for (int i = 0; i < 1000; i++) {
        ssize_t count = stream_read(stream, got, sizeof(got));
        if (count <= 0 && !(count == -EAGAIN && stream_readable(stream)))
            break;
        if (count < 0)
            continue;
        if ((size_t)count > peer->expect - *place ||
            memcmp(got, peer->expected + *place, (size_t)count) != 0)
            abort();
        *place += (size_t)count;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stream_scratch *scratch;
    static struct peer peer;
    int pair[2];
    struct stream_tls tls = {.scratch = NULL};
    if ((!scratch && stream_scratch_new(&scratch)) || size < 1 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
        return 0;
    memset(&peer.out, 0, sizeof(peer.out));
    peer.size = peer.expect = 0;
    make_keys(&peer.out, 1);
    add(&peer, data + 1, size - 1);
    tls.stream.fd = pair[0];
    tls.scratch = scratch;
    tls.server = data[0] & 1;
    tls.direct = calloc(1, sizeof(*tls.direct));
    if (!tls.direct)
        abort();
    make_keys(&tls.direct->in, 1);
    make_keys(&tls.direct->out, 2);
    stream_direct_begin(&tls);
    size_t place = 0, piece = peer.size / (1 + (data[0] >> 1) % 8) + 1;
    for (size_t at = 0; at < peer.size; at += piece) {
        size_t part = peer.size - at < piece ? peer.size - at : piece;
        ssize_t sent = send(pair[1], peer.wire + at, part, MSG_NOSIGNAL);
        (void)sent; /* when it breaks off, nobody takes the rest */
        read_all(&tls.stream, &peer, &place);
    }
    stream_write(&tls.stream, (const uint8_t *)"answer", 6);
    stream_flush(&tls.stream);
    stream_end(&tls.stream);
    stream_deinit(&tls.stream);
    record_keys_wipe(&peer.out);
    close(pair[0]);
    close(pair[1]);
    return 0;
}
