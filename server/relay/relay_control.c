/* Control frames, RFC 6455 section 5.5: at most one of each kind waits, however many are asked for.
 */
#include "relay_state.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

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
    uint8_t packet[TSGU_ANSWER_MOST] = {0};
    const struct relay_result *result = relay->result;
    bool theirs = result->end == RELAY_FRAMED_CLOSED;
    uint32_t status = theirs                      ? TSGU_OK
                      : result->end == RELAY_IDLE ? TSGU_E_SESSION_TIMEOUT
                                                  : TSGU_GRACEFUL;
    return write_frame(relay, WS_BINARY, packet, tsgu_write_close(packet, theirs, status));
}

static int write_close(struct relay *relay)
{
    uint8_t payload[WS_CONTROL_MOST] = {0};
    size_t size = 0;
    if (relay->result->close_code != WS_NO_CODE)
        size = ws_close_payload(payload, relay->result->close_code, relay->result->reason);
    relay->close_due = false;
    int error = relay->framing == RELAY_RDG_WS ? write_close_packet(relay) : 0;
    return error ? error : write_frame(relay, WS_CLOSE, payload, size);
}

/* RD Gateway clients know keepalives; not all that speak WebSocket know its pings. */
static int write_ping(struct relay *relay)
{
    uint8_t packet[TSGU_ANSWER_MOST] = {0};
    if (relay->framing != RELAY_RDG_WS)
        return write_frame(relay, WS_PING, (const uint8_t *)"", 0);
    return write_frame(relay, WS_BINARY, packet, tsgu_write_keepalive(packet));
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
    if (!error && relay->close_due)
        error = write_close(relay);
    return error;
}
