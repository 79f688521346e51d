/* From the framed side to plain: read, take out of the frames in place, write. */
#include "relay_state.h"

#include <errno.h>
#include <string.h>

#define ROUND_READS 2 /* of SCRATCH_DATA each, before other relays have their turn */

/* Payload on its way to plain, gathered in place: the frames' headers between are squeezed out. */
struct gather {
    uint8_t *to;
    size_t size;
};

/* The framed peer's close frame: ours in answer is the same. */
static void on_close(struct relay *relay, const struct ws_event *event)
{
    struct relay_result result = {.end = RELAY_FRAMED_CLOSED, .close_code = event->code};
    memcpy(result.reason, event->data, event->size); /* at most 123 bytes: a control frame's */
    relay_end_heard(relay, &result, true);
}

/* Theirs, or the answer to ours. Over WebSocket its own close frames still follow. */
static void on_close_packet(struct relay *relay)
{
    struct relay_result result = {.end = RELAY_FRAMED_CLOSED, .close_code = WS_NO_CODE};
    if (relay->framing == RELAY_RDG)
        relay_end_heard(relay, &result, true);
    else
        relay_end_close(relay, RELAY_FRAMED_CLOSED, 0, WS_NORMAL, "");
}

static void on_bad_packet(struct relay *relay)
{
    relay_end_close(relay, RELAY_PROTOCOL, 0, WS_PROTOCOL_ERROR, "not an RD Gateway packet");
    if (relay->framing == RELAY_RDG)
        relay->framed_ended = true; /* what follows means nothing */
}

/* The packets of an RD Gateway channel: over WebSocket, out of the payload that has just been
 * gathered. After our close packet only theirs counts, where no close frame will follow. */
static void unpack(struct relay *relay, uint8_t *data, size_t size, struct gather *gather)
{
    while (size && !(relay->closing && (relay->framing == RELAY_RDG_WS || relay->framed_ended))) {
        enum tsgu_event_kind kind;
        size_t payload, used = tsgu_read_onto(&relay->packets, gather->to + gather->size, data,
                                              size, &kind, &payload);
        if (!relay->closing)
            gather->size += payload;
        data += used;
        size -= used;
        if (kind == TSGU_EVENT_BAD)
            on_bad_packet(relay);
        else if (kind == TSGU_EVENT_CLOSE)
            on_close_packet(relay);
        else if (kind == TSGU_EVENT_KEEPALIVE)
            relay->echoes = true;
    }
}

static void on_event(struct relay *relay, const struct ws_event *event, struct gather *gather)
{
    switch (event->kind) {
    case WS_EVENT_MORE:
    case WS_EVENT_PONG:
        break;
    case WS_EVENT_DATA:
        if (relay->framing == RELAY_RDG_WS)
            unpack(relay, event->data, event->size, gather);
        else if (!relay->closing)
            gather->size += event->size;
        break;
    case WS_EVENT_PING:
        relay_control_pinged(relay, event);
        break;
    case WS_EVENT_CLOSE:
        on_close(relay, event);
        break;
    case WS_EVENT_BAD:
        relay_end_close(relay, RELAY_PROTOCOL, 0, event->code, event->words);
        relay->framed_ended = true; /* what follows means nothing */
        break;
    }
}

/* The body's last chunk is an end like that of a stream. */
static void unchunk(struct relay *relay, uint8_t *data, size_t size, struct gather *gather)
{
    while (size && !relay->framed_ended && !relay->over) {
        enum chunked_event event;
        size_t payload, used = chunked_read_onto(&relay->chunks, gather->to + gather->size, data,
                                                 size, &event, &payload);
        gather->size += payload;
        data += used;
        size -= used;
        if (event == CHUNKED_BAD)
            relay_end_close(relay, RELAY_PROTOCOL, 0, WS_PROTOCOL_ERROR, "not a chunked body");
        else if (event == CHUNKED_END)
            relay->framed_ended = true;
    }
}

static void unframe(struct relay *relay, uint8_t *data, size_t size, struct gather *gather)
{
    while (size && !relay->over && !relay->framed_ended) {
        struct ws_event event;
        size_t used = ws_read_onto(&relay->reader, gather->to + gather->size, data, size, &event);
        on_event(relay, &event, gather);
        data += used;
        size -= used;
    }
}

static void take_apart(struct relay *relay, uint8_t *data, size_t size, struct gather *gather)
{
    gather->size = 0;
    if (relay->framing == RELAY_CHUNKED)
        unchunk(relay, data, size, gather);
    else if (relay->framing == RELAY_RDG)
        unpack(relay, data, size, gather);
    else
        unframe(relay, data, size, gather);
}

/* Plain takes no more. Its last words may still wait to be read: a server that refuses a request
 * answers, and closes without reading on. Their end, which is near, ends the relay. */
static void on_deaf(struct relay *relay, int error)
{
    backlog_free(&relay->to_plain); /* nobody will take it */
    relay->plain_full = false;
    relay->plain_error = error;
}

void relay_up_take(struct relay *relay, uint8_t *data, size_t size)
{
    struct gather gather = {.to = data, .size = size};
    relay->heard_ms = loop_now(relay->loop);
    if (relay->framing != RELAY_RAW)
        take_apart(relay, data, size, &gather);
    if (!gather.size)
        return;
    relay->up += gather.size;
    relay_moved(relay);
    int error = backlog_deliver(&relay->to_plain, relay->plain, gather.to, gather.size);
    if (error)
        on_deaf(relay, error);
    else
        relay->plain_full = relay->to_plain.data != NULL;
}

static void on_eof(struct relay *relay, ssize_t got)
{
    if (relay->framing == RELAY_RDG) {
        relay_end_inward(relay);
        return;
    }
    if (relay_is_mute(relay) && got == 0) {
        relay->framed_ended =
            true; /* half-closed: plain is told, and answers as long as it likes */
        return;
    }
    struct relay_result result = {.end = got == 0 ? RELAY_FRAMED_CLOSED : RELAY_FRAMED_LOST,
                                  .error = (int)got,
                                  .close_code = WS_NO_CODE};
    relay_end_heard(relay, &result, false);
}

/* While closing it is read for the answer to our close frame, whatever plain does. */
bool relay_up_wanted(const struct relay *relay)
{
    if (relay->over || relay->framed_ended || relay->in_ended)
        return false;
    return relay->closing || (!relay->plain_full && !relay->plain_error);
}

void relay_up_read(struct relay *relay)
{
    struct stream_scratch *scratch = relay->scratch;
    for (int i = 0; i < ROUND_READS && relay_up_wanted(relay); i++) {
        ssize_t got = stream_read(relay->framed_in, scratch->data, sizeof(scratch->data));
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            on_eof(relay, got);
            return;
        }
        relay_up_take(relay, scratch->data, (size_t)got);
        relay_wipe(relay, (size_t)got);
        if ((size_t)got < sizeof(scratch->data) && !stream_readable(relay->framed_in))
            return; /* the socket was emptied; level-triggered polling tells of more */
    }
}

void relay_up_drain(struct relay *relay)
{
    if (!relay->plain_error) {
        int error = backlog_drain(&relay->to_plain, relay->plain);
        relay->plain_full = error == -EAGAIN;
        if (error && !relay->plain_full)
            on_deaf(relay, error);
    }
    /* The framed side has said its last word and all of it is delivered: tell plain. */
    if (relay->framed_ended && !relay->plain_full && !relay->plain_told) {
        relay->plain_told = stream_end(relay->plain) != -EAGAIN;
    }
}
