/* From plain to the framed side: read, put a header before it, write. */
#include "relay_state.h"

#include <errno.h>
#include <gnutls/crypto.h>

#define ROUND_READS 4 /* of DOWN_READ each, before other relays have their turn */
/* One frame's payload: with a header of either role it fills four TLS records and begins no fifth.
 * Larger gains nothing, and delays echoes. */
#define DOWN_READ (64 * 1024 - 8)

/* With both headers before it, likewise. */
#define RDG_READ (DOWN_READ - TSGU_DATA_HEADER - 2)

static int frame_and_deliver(struct relay *relay, uint8_t *data, size_t size)
{
    uint8_t mask[4];
    size_t head = 0;
    if (relay->framing == RELAY_WS_CLIENT) {
        if (gnutls_rnd(GNUTLS_RND_NONCE, mask, sizeof(mask)) < 0)
            return -EIO;
        ws_mask(data, size, mask, 0);
        head = ws_header_before(data, WS_BINARY, size, mask);
    } else if (relay->framing == RELAY_WS_SERVER) {
        head = ws_header_before(data, WS_BINARY, size, NULL);
    } else if (relay_is_rdg(relay)) {
        head = tsgu_header_before(data, (uint16_t)size);
        if (relay->framing == RELAY_RDG_WS)
            head += ws_header_before(data - head, WS_BINARY, head + size, NULL);
    }
    return backlog_deliver(&relay->to_framed, relay->framed, data - head, head + size);
}

static void on_eof(struct relay *relay, ssize_t got)
{
    relay->plain_ended = true;
    int error = got ? (int)got : relay->plain_error;
    if (error)
        relay_end_close(relay, RELAY_PLAIN_LOST, error, WS_INTERNAL_ERROR,
                        "the connection to the desktop was lost");
    else
        relay_end_close(relay, RELAY_PLAIN_CLOSED, 0, WS_NORMAL,
                        relay->framing == RELAY_WS_CLIENT ? "the RDP client closed the connection"
                                                          : "the desktop closed the connection");
}

bool relay_down_wanted(const struct relay *relay)
{
    return !relay->over && !relay->closing && !relay->plain_ended && !relay->out_ended &&
           !relay->to_framed.data;
}

/* Reads plain once. True: go on. */
static bool read_once(struct relay *relay)
{
    struct stream_scratch *scratch = relay->scratch;
    size_t most = relay_is_rdg(relay) ? RDG_READ : DOWN_READ;
    ssize_t got = stream_read(relay->plain, scratch->data, most);
    if (got == -EAGAIN)
        return false;
    if (got <= 0) {
        on_eof(relay, got);
        return false;
    }
    if (relay->framing == RELAY_RAW && relay->hush && atomic_load(relay->hush))
        return true;
    relay->down += (uint64_t)got;
    relay_moved(relay);
    int error = frame_and_deliver(relay, scratch->data, (size_t)got);
    relay_wipe(relay, (size_t)got);
    if (error)
        relay_end_lose(relay, RELAY_FRAMED_LOST, error);
    /* Little: emptied, most likely; polling knows better than another call. */
    return !error && got >= DOWN_READ / 4;
}

void relay_down_read(struct relay *relay)
{
    for (int i = 0; i < ROUND_READS && relay_down_wanted(relay); i++) {
        int error = stream_flush(relay->framed); /* what it would not take stays in the kernel */
        if (error && error != -EAGAIN)
            relay_end_lose(relay, RELAY_FRAMED_LOST, error);
        if (error || !read_once(relay))
            return;
    }
}

bool relay_down_drain(struct relay *relay)
{
    int error = backlog_drain(&relay->to_framed, relay->framed);
    if (!error) {
        error = relay_control_write(relay);
        if (!error)
            error = backlog_drain(&relay->to_framed, relay->framed);
    }
    if (error && error != -EAGAIN)
        relay_end_lose(relay, RELAY_FRAMED_LOST, error);
    return error == -EAGAIN;
}
