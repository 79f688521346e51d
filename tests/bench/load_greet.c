#include "load_greet.h"

#include "load_wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- HTTP ---- */

int greet_upgrade(struct wire *wire)
{
    const struct wire_place *place = wire->place;
    const bool rdg = place->framing == WIRE_RDG;
    char head[1024];
    int size = snprintf(
        head, sizeof(head),
        "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s%s\r\n",
        rdg ? "RDG_OUT_DATA" : "GET",
        rdg                                ? "/remoteDesktopGateway/"
        : place->framing == WIRE_CLEANPATH ? "/rdcleanpath"
                                           : place->path,
        place->port,
        rdg ? "RDG-Connection-Id: {9a6b55f7-0f7d-4c5e-8a55-2f1f5d1c0001}\r\nRDG-Auth-Scheme: "
              "PAA\r\n"
        : place->framing == WIRE_WS ? "Sec-WebSocket-Protocol: binary\r\n"
                                    : "",
        place->token && !rdg ? "Authorization: Bearer " : "",
        place->token && !rdg ? place->token : "", place->token && !rdg ? "\r\n" : "");
    if (size >= (int)sizeof(head))
        return -EMSGSIZE;
    return link_write(&wire->link, (uint8_t *)head, (size_t)size);
}

/* ---- RD Gateway: [MS-TSGU] section 2.2.10 ---- */

static uint8_t *put16(uint8_t *to, unsigned value)
{
    *to++ = (uint8_t)value;
    *to++ = (uint8_t)(value >> 8);
    return to;
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
    return put16(put16(to, value & 0xffff), value >> 16);
}

/* A counted text in UTF-16, with its NUL. */
static uint8_t *put_text(uint8_t *to, const char *text)
{
    to = put16(to, (unsigned)(2 * (strlen(text) + 1)));
    do
        to = put16(to, (uint8_t)*text);
    while (*text++);
    return to;
}

/* The packets in the order in which a client sends them, each after the answer to the last. */
static int send_packet(struct wire *wire)
{
    static const unsigned types[] = {TSGU_HANDSHAKE_REQUEST, TSGU_TUNNEL_CREATE, TSGU_TUNNEL_AUTH,
                                     TSGU_CHANNEL_CREATE};
    uint8_t packet[2048], *to = packet + TSGU_HEADER;
    if (strlen(wire->place->ticket) + strlen(wire->place->desktop) > 900)
        return -EMSGSIZE;
    switch (types[wire->greeting]) {
    case TSGU_HANDSHAKE_REQUEST:
        *to++ = 1;
        *to++ = 0;
        to = put16(put16(to, 0), TSGU_AUTH_PAA);
        break;
    case TSGU_TUNNEL_CREATE:
        to = put16(put16(put32(to, 0x3f), 1), 0); /* capabilities as Windows has them */
        to = put_text(to, wire->place->ticket);
        break;
    case TSGU_TUNNEL_AUTH:
        to = put_text(put16(to, 0), "LOAD");
        break;
    default:
        *to++ = 1; /* one resource, no alternate */
        *to++ = 0;
        to = put_text(put16(put16(to, 3389), 3), wire->place->desktop);
    }
    put32(put16(put16(packet, types[wire->greeting]), 0), (uint32_t)(to - packet));
    return wire_write(wire, packet, (size_t)(to - packet));
}

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* An answer is expected to be one whole message, as ours are. 0, or -EACCES with words. */
static int check_packet(const struct wire *wire, const uint8_t *message, size_t size)
{
    static const struct {
        unsigned type;
        size_t status; /* where its error code is in the body */
    } due[] = {{TSGU_HANDSHAKE_RESPONSE, 0},
               {TSGU_TUNNEL_RESPONSE, 2},
               {TSGU_TUNNEL_AUTH_RESPONSE, 0},
               {TSGU_CHANNEL_RESPONSE, 0}};
    struct tsgu_packet packet;
    if (tsgu_packet_read(message, size, &packet) != (int)size ||
        packet.type != due[wire->greeting].type ||
        packet.size < due[wire->greeting].status + sizeof(uint32_t)) {
        fprintf(stderr, "deskgate-load: RD Gateway: no answer of type %u\n",
                due[wire->greeting].type);
        return -EPROTO;
    }
    uint32_t status = get32(packet.body + due[wire->greeting].status);
    if (status == TSGU_OK)
        return 0;
    fprintf(stderr, "deskgate-load: RD Gateway: 0x%x in the answer of type %u\n", status,
            packet.type);
    return -EACCES;
}

/* ---- RDCleanPath: the DER of cleanpath.h, forms of less than 128 bytes but for the whole ---- */

static uint8_t *put_field(uint8_t *to, unsigned field, unsigned tag, const void *data, size_t size)
{
    *to++ = (uint8_t)(0xa0 + field);
    *to++ = (uint8_t)(size + 2);
    *to++ = (uint8_t)tag;
    *to++ = (uint8_t)size;
    memcpy(to, data, size);
    return to + size;
}

static int send_request(struct wire *wire)
{
    /* [MS-RDPBCGR] section 2.2.1.1: TLS, CredSSP and its early form would do. */
    static const uint8_t version[] = {0x0d, 0x3e},
                         x224[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 11, 0, 0, 0};
    const struct wire_place *place = wire->place;
    uint8_t pdu[512], *to = pdu + 4;
    if (strlen(place->desktop) > 100 || strlen(place->ticket) > 100)
        return -EMSGSIZE;
    to = put_field(to, 0, 0x02, version, sizeof(version));
    to = put_field(to, 2, 0x0c, place->desktop, strlen(place->desktop));
    to = put_field(to, 3, 0x0c, place->ticket, strlen(place->ticket));
    to = put_field(to, 6, 0x04, x224, sizeof(x224));
    /* DER knows one form for each length (X.690 section 10.1). */
    size_t size = (size_t)(to - pdu) - 4, head = size < 128 ? 2 : size < 256 ? 3 : 4;
    uint8_t *begin = pdu + 4 - head;
    begin[0] = 0x30;
    begin[1] = head == 2 ? (uint8_t)size : (uint8_t)(0x7e + head);
    if (head == 4)
        begin[2] = (uint8_t)(size >> 8);
    if (head > 2)
        begin[head - 1] = (uint8_t)size;
    return wire_write(wire, begin, head + size);
}

/* The answer comes as one message. It has the version, and then an error or what the desktop said.
 */
static int check_answer(const uint8_t *pdu, size_t size)
{
    size_t head = size > 1 && pdu[1] & 0x80 ? 2 + (pdu[1] & 0x7fU) : 2;
    size_t second = size > head + 1 ? head + 2 + pdu[head + 1] : size;
    if (second >= size || pdu[0] != 0x30 || pdu[head] != 0xa0) {
        fputs("deskgate-load: RDCleanPath: that is no answer\n", stderr);
        return -EPROTO;
    }
    if (pdu[second] == 0xa6)
        return 0;
    fputs("deskgate-load: RDCleanPath: the gateway answered with an error\n", stderr);
    return -EACCES;
}

/* ---- both ---- */

int greet_begin(struct wire *wire)
{
    if (wire->place->framing == WIRE_RDG)
        return send_packet(wire);
    return wire->place->framing == WIRE_CLEANPATH ? send_request(wire) : 0;
}

int greet_step(struct wire *wire)
{
    const uint8_t *bytes;
    if (wire->place->framing < WIRE_RDG)
        return 0;
    for (;;) {
        ssize_t got = wire_read(wire, &bytes);
        if (got <= 0)
            return got < 0 ? (int)got : -ECONNRESET;
        if (wire->place->framing == WIRE_CLEANPATH)
            return check_answer(bytes, (size_t)got);
        int result = check_packet(wire, bytes, (size_t)got);
        if (result < 0 || ++wire->greeting == 4)
            return result;
        if ((result = send_packet(wire)) < 0)
            return result;
        link_flush(&wire->link); /* an error of it shows when reading */
    }
}
