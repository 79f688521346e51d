#include "load_wire.h"

#include "load.h"
#include "load_greet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAIN_ROOM LINK_ROOM
#define HEADS_MOST (WS_HEADER_MOST + TSGU_DATA_HEADER)

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

static bool in_messages(const struct wire *wire)
{
    return wire->place->framing >= WIRE_WS;
}

/* ---- life ---- */

int wire_begin(struct wire *wire, const struct wire_place *place)
{
    *wire = (struct wire){.place = place};
    return link_connect(&wire->link, place->port, place->from, place->framing != WIRE_BARE,
                        place->resume);
}

/* The answer's head; what came behind it is kept. 0 when it was a 101. */
static int read_upgrade(struct wire *wire)
{
    if (!wire->plain)
        wire->plain = malloc(PLAIN_ROOM + 1);
    if (!wire->plain)
        load_die("memory");
    for (;;) {
        wire->plain[wire->size] = 0;
        char *head = (char *)wire->plain, *end = strstr(head, "\r\n\r\n");
        if (end) {
            wire->at = (size_t)(end - head) + 4;
            wire->status = strncmp(head, "HTTP/1.1 ", 9) == 0 ? atoi(head + 9) : -1;
            if (wire->status == 101)
                return 0;
            if (wire->status != 429)
                fprintf(stderr, "deskgate-load: not upgraded: %.200s\n", head);
            return -EACCES;
        }
        ssize_t got = link_read(&wire->link, wire->plain + wire->size, PLAIN_ROOM - wire->size);
        if (got <= 0)
            return got < 0 ? (int)got : -ECONNRESET;
        wire->size += (size_t)got;
    }
}

/* What is done in the present state; 0: on to the next. */
static int do_state(struct wire *wire)
{
    int result;
    switch (wire->state) {
    case WIRE_LINKING:
        result = link_step(&wire->link);
        return result < 0 || !in_messages(wire) ? result : greet_upgrade(wire);
    case WIRE_UPGRADING:
        result = in_messages(wire) ? read_upgrade(wire) : 0;
        return result < 0 ? result : greet_begin(wire);
    case WIRE_GREETING:
        return greet_step(wire);
    default:
        return 0;
    }
}

int wire_step(struct wire *wire)
{
    int result = link_flush(&wire->link);
    while (result == 0 && wire->state != WIRE_OPEN) {
        result = do_state(wire);
        if (result == 0)
            wire->state++;
    }
    /* What a state wants to say must be away before anything can come for it. */
    int flushed = wire->link.handshaken ? link_flush(&wire->link) : 0;
    return flushed < 0 ? flushed : result;
}

int wire_open(struct wire *wire, const struct wire_place *place)
{
    int result = wire_begin(wire, place);
    while (result == 0 && (result = wire_step(wire)) == -EAGAIN) {
        wire_wait(wire);
        result = 0;
    }
    return result;
}

void wire_finish(struct wire *wire)
{
    link_finish(&wire->link);
}

void wire_deinit(struct wire *wire)
{
    free(wire->plain);
    wire->plain = NULL;
    link_deinit(&wire->link);
}

/* ---- reading ---- */

/* Up to the next payload of WebSocket: 1 when there is some, 0 when more must come. */
static int unpack_message(struct wire *wire)
{
    while (wire->at < wire->size) {
        struct ws_event event;
        wire->at += ws_read(&wire->ws, wire->plain + wire->at, wire->size - wire->at, &event);
        switch (event.kind) {
        case WS_EVENT_DATA:
            wire->message = event.data;
            wire->message_size = event.size;
            if (event.size)
                return 1;
            break;
        case WS_EVENT_PING: {
            uint8_t pong[WS_HEADER_MOST + WS_CONTROL_MOST], *payload = pong + WS_HEADER_MOST;
            memcpy(payload, event.data, event.size);
            ws_mask(payload, event.size, mask, 0);
            size_t head = ws_header_before(payload, WS_PONG, event.size, mask);
            int result = link_write(&wire->link, payload - head, head + event.size);
            if (result < 0)
                return result;
            link_flush(&wire->link);
            break;
        }
        case WS_EVENT_CLOSE:
            return -EPIPE;
        case WS_EVENT_BAD:
            fprintf(stderr, "deskgate-load: WebSocket: %s\n", event.words);
            return -EPROTO;
        default:
            break;
        }
    }
    return 0;
}

/* The same for the payload of RD Gateway's data packets. */
static int unpack_data(struct wire *wire, const uint8_t **bytes, size_t *size)
{
    while (wire->message_size) {
        enum tsgu_event_kind kind;
        size_t used = tsgu_read_onto(&wire->tsgu, wire->message, wire->message, wire->message_size,
                                     &kind, size);
        *bytes = wire->message;
        wire->message += used;
        wire->message_size -= used;
        if (kind == TSGU_EVENT_DATA && *size)
            return 1;
        if (kind == TSGU_EVENT_BAD || kind == TSGU_EVENT_CLOSE)
            return kind == TSGU_EVENT_BAD ? -EPROTO : -EPIPE;
    }
    return 0;
}

static int unpack(struct wire *wire, const uint8_t **bytes, size_t *size)
{
    bool packets = wire->place->framing == WIRE_RDG && wire->state == WIRE_OPEN;
    if (!in_messages(wire)) {
        *bytes = wire->plain + wire->at;
        *size = wire->size - wire->at;
        wire->at = wire->size;
        return *size > 0;
    }
    for (;;) {
        int result;
        if (packets && (result = unpack_data(wire, bytes, size)) != 0)
            return result;
        if (!packets && wire->message_size) {
            *bytes = wire->message;
            *size = wire->message_size;
            wire->message_size = 0;
            return 1;
        }
        if ((result = unpack_message(wire)) <= 0)
            return result;
    }
}

ssize_t wire_read(struct wire *wire, const uint8_t **bytes)
{
    for (;;) {
        size_t size = 0;
        int result = wire->plain ? unpack(wire, bytes, &size) : 0;
        if (result > 0)
            return (ssize_t)size;
        if (result < 0)
            return result == -EPIPE ? 0 : result;
        if (!wire->plain && !(wire->plain = malloc(PLAIN_ROOM + 1)))
            load_die("memory");
        wire->at = wire->size = 0;
        ssize_t got = link_read(&wire->link, wire->plain, PLAIN_ROOM);
        if (got <= 0) {
            free(wire->plain);
            wire->plain = NULL;
            return got;
        }
        wire->size = (size_t)got;
    }
}

ssize_t wire_read_some(struct wire *wire, const uint8_t **bytes)
{
    ssize_t got;
    while ((got = wire_read(wire, bytes)) == -EAGAIN)
        wire_wait(wire);
    return got;
}

/* ---- writing ---- */

/* Puts the heads before the payload and masks it; where the message begins. */
static uint8_t *put_heads(enum wire_framing framing, bool packet, uint8_t *payload, size_t size)
{
    uint8_t *begin = payload;
    if (framing < WIRE_WS)
        return begin;
    if (packet)
        begin -= tsgu_header_before(begin, (uint16_t)size);
    size += (size_t)(payload - begin);
    ws_mask(begin, size, mask, 0);
    return begin - ws_header_before(begin, WS_BINARY, size, mask);
}

int wire_write(struct wire *wire, const uint8_t *data, size_t size)
{
    uint8_t small[HEADS_MOST + 4096], *room = small;
    if (!in_messages(wire))
        return link_write(&wire->link, data, size);
    if (size > sizeof(small) - HEADS_MOST && !(room = malloc(HEADS_MOST + size)))
        load_die("memory");
    uint8_t *payload = room + HEADS_MOST;
    memcpy(payload, data, size);
    bool packet = wire->place->framing == WIRE_RDG && wire->state == WIRE_OPEN;
    uint8_t *begin = put_heads(wire->place->framing, packet, payload, size);
    int result = link_write(&wire->link, begin, (size_t)(payload + size - begin));
    if (room != small)
        free(room);
    return result;
}

size_t wire_frame(enum wire_framing framing, const uint8_t *data, size_t size, uint8_t **out)
{
    uint8_t *room = malloc(HEADS_MOST + size), *payload = room + HEADS_MOST;
    if (!room)
        load_die("memory");
    memcpy(payload, data, size);
    uint8_t *begin = put_heads(framing, framing == WIRE_RDG, payload, size);
    size += (size_t)(payload - begin);
    memmove(room, begin, size);
    *out = room;
    return size;
}

int wire_write_framed(struct wire *wire, const uint8_t *framed, size_t size)
{
    return link_write(&wire->link, framed, size);
}

bool wire_full(const struct wire *wire)
{
    return link_full(&wire->link);
}

int wire_flush(struct wire *wire)
{
    return link_flush(&wire->link);
}

int wire_push(struct wire *wire)
{
    return link_push(&wire->link);
}

void wire_wait(const struct wire *wire)
{
    link_wait(&wire->link);
}

int wire_flush_all(struct wire *wire)
{
    return link_flush_all(&wire->link);
}

int wire_push_all(struct wire *wire)
{
    return link_push_all(&wire->link);
}
