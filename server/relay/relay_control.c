/* Control frames, RFC 6455 section 5.5: at most one of each kind waits, however many are asked for.
 */
#include "relay_state.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MOST 8192 /* of packets that a client does not take */

static int write_frame(struct relay *relay, enum ws_opcode opcode, const uint8_t *payload,
                       size_t size)
{
    uint8_t frame[WS_HEADER_MOST + WS_CONTROL_MOST], mask[4];
    uint8_t *body = frame + WS_HEADER_MOST;
    bool masked = relay->framing == RELAY_WS_CLIENT;
    memcpy(body, payload, size);
    if (masked) {
        if (gnutls_rnd(GNUTLS_RND_NONCE, mask, sizeof(mask)) < 0)
            return -EIO;
        ws_mask(body, size, mask, 0);
    }
    size_t head = ws_header_before(body, opcode, size, masked ? mask : NULL);
    return backlog_deliver(&relay->to_framed, relay->framed, body - head, head + size);
}

void relay_control_pinged(struct relay *relay, const struct ws_event *event)
{
    if (relay->closing) /* our close frame is our last */
        return;
    free(relay->pong); /* only the newest ping needs an answer, RFC 6455 section 5.5.3 */
    relay->pong = malloc(1 + event->size);
    if (!relay->pong)
        return;
    relay->pong[0] = (uint8_t)event->size;
    memcpy(relay->pong + 1, event->data, event->size);
}

bool relay_control_said(struct relay *relay, const uint8_t *packet, size_t size)
{
    if (relay->words_size + size > WORDS_MOST)
        return false;
    uint8_t *words = realloc(relay->words, relay->words_size + size);
    if (!words)
        return false;
    memcpy(words + relay->words_size, packet, size);
    relay->words = words;
    relay->words_size += (uint32_t)size;
    return true;
}

/* A packet, in a message of its own where there are messages. */
static int write_packets(struct relay *relay, uint8_t *data, size_t head_room, size_t size)
{
    size_t head = 0;
    if (relay->framing == RELAY_RDG_WS)
        head = ws_header_before(data + head_room, WS_BINARY, size, NULL);
    return backlog_deliver(&relay->to_framed, relay->framed, data + head_room - head, head + size);
}

static int write_words(struct relay *relay)
{
    uint8_t data[WS_HEADER_MOST + WORDS_MOST];
    memcpy(data + WS_HEADER_MOST, relay->words, relay->words_size);
    int error = write_packets(relay, data, WS_HEADER_MOST, relay->words_size);
    free(relay->words);
    relay->words = NULL;
    relay->words_size = 0;
    return error;
}

static int write_pong(struct relay *relay)
{
    int error = write_frame(relay, WS_PONG, relay->pong + 1, relay->pong[0]);
    free(relay->pong);
    relay->pong = NULL;
    return error;
}

/* An RD Gateway's client is told in its own protocol first. */
static int write_close_packet(struct relay *relay)
{
    uint8_t data[WS_HEADER_MOST + TSGU_ANSWER_MOST];
    const struct relay_result *result = relay->result;
    bool theirs = result->end == RELAY_FRAMED_CLOSED;
    uint32_t status =
        theirs ? TSGU_OK
        : result->close_code == RELAY_IDLE_CODE || result->close_code == RELAY_LIMIT_CODE
            ? TSGU_E_SESSION_TIMEOUT
        : result->close_code >= RELAY_OWN_CODES || result->end == RELAY_PLAIN_LOST ? TSGU_E_ABORTED
                                                                                   : TSGU_GRACEFUL;
    return write_packets(relay, data, WS_HEADER_MOST,
                         tsgu_write_close(data + WS_HEADER_MOST, theirs, status));
}

static int write_close(struct relay *relay)
{
    uint8_t payload[WS_CONTROL_MOST] = {0};
    size_t size = 0;
    if (relay->result->close_code != WS_NO_CODE)
        size = ws_close_payload(payload, relay->result->close_code, relay->result->reason);
    relay->close_due = false;
    int error = relay_is_rdg(relay) ? write_close_packet(relay) : 0;
    return error || relay->framing == RELAY_RDG ? error
                                                : write_frame(relay, WS_CLOSE, payload, size);
}

/* RD Gateway clients know keepalives; not all that speak WebSocket know its pings. */
static int write_ping(struct relay *relay)
{
    uint8_t data[WS_HEADER_MOST + TSGU_ANSWER_MOST];
    if (!relay_is_rdg(relay))
        return write_frame(relay, WS_PING, (const uint8_t *)"", 0);
    return write_packets(relay, data, WS_HEADER_MOST, tsgu_write_keepalive(data + WS_HEADER_MOST));
}

int relay_control_write(struct relay *relay)
{
    int error = 0;
    if (relay->pong)
        error = write_pong(relay);
    if (!error && relay->ping_due) {
        relay->ping_due = false;
        error = write_ping(relay);
    }
    if (!error && relay->words)
        error = write_words(relay);
    if (!error && relay->close_due)
        error = write_close(relay);
    return error;
}
