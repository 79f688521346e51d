#include "tsgu.h"

#include "bytes.h"
#include "utf16.h"

#include <errno.h>
#include <string.h>

/* Presence flags: sections 2.2.5.3.4, 2.2.5.3.8, 2.2.5.3.1, 2.2.5.3.5 */
enum { CREATE_COOKIE = 1, CREATE_REAUTH = 2 };
enum { TUNNEL_ID = 1, TUNNEL_CAPABILITIES = 2, TUNNEL_CONSENT = 0x10 };
enum { AUTH_REDIRECTION = 1, AUTH_IDLE = 2 };
enum { CHANNEL_ID = 1 };
enum { PROTOCOL_TCP = 3 }; /* section 2.2.10.4 */

/* ---- reading ---- */

int tsgu_packet_read(const uint8_t *data, size_t size, struct tsgu_packet *out)
{
    if (size < TSGU_HEADER)
        return 0;
    uint32_t whole = bytes_get_le32(data + 4);
    if (whole < TSGU_HEADER || whole > TSGU_PACKET_MOST)
        return -EPROTO;
    if (size < whole)
        return 0;
    *out = (struct tsgu_packet){bytes_get_le16(data), data + TSGU_HEADER, whole - TSGU_HEADER};
    return (int)whole;
}

/* What is left of a body. */
struct cursor {
    const uint8_t *at;
    size_t left;
};

static const uint8_t *take(struct cursor *cursor, size_t size)
{
    if (size > cursor->left)
        return NULL;
    const uint8_t *at = cursor->at;
    cursor->at += size;
    cursor->left -= size;
    return at;
}

/* A counted UTF-16 string, whose NUL may be there or not. False: the count lies, or it does not
 * fit. `strange` stands for what is not ASCII; '\0' in its place makes the whole text empty. */
static bool take_text(struct cursor *cursor, char *to, size_t size, char strange)
{
    const uint8_t *count = take(cursor, 2);
    const uint8_t *text =
        count && bytes_get_le16(count) % 2 == 0 ? take(cursor, bytes_get_le16(count)) : NULL;
    if (!text)
        return false;
    size_t units = bytes_get_le16(count) / 2U;
    if (units && bytes_get_le16(text + 2 * units - 2) == 0)
        units--;
    if (units >= size)
        return false;
    for (size_t i = 0; i < units; i++) {
        uint16_t unit = bytes_get_le16(text + 2 * i);
        to[i] = unit > 0x1f && unit < 0x7f ? (char)unit : strange;
        if (!to[i])
            units = 0;
    }
    to[units] = '\0';
    return true;
}

int tsgu_handshake_read(const struct tsgu_packet *packet, struct tsgu_handshake *out)
{
    if (packet->size != 6)
        return -EPROTO;
    *out = (struct tsgu_handshake){bytes_get_le16(packet->body + 4)};
    return 0;
}

int tsgu_tunnel_create_read(const struct tsgu_packet *packet, struct tsgu_tunnel_create *out)
{
    struct cursor cursor = {packet->body, packet->size};
    const uint8_t *fixed = take(&cursor, 8);
    *out = (struct tsgu_tunnel_create){0};
    if (!fixed)
        return -EPROTO;
    unsigned fields = bytes_get_le16(fixed + 4);
    out->capabilities = bytes_get_le32(fixed);
    out->has_reauth = fields & CREATE_REAUTH;
    if (out->has_reauth) {
        const uint8_t *context = take(&cursor, 8);
        if (!context)
            return -EPROTO;
        out->reauth = (uint64_t)bytes_get_le32(context + 4) << 32 | bytes_get_le32(context);
    }
    out->has_cookie = fields & CREATE_COOKIE;
    if (out->has_cookie && !take_text(&cursor, out->cookie, sizeof(out->cookie), '\0'))
        return -EPROTO;
    return 0; /* what follows is for later versions */
}

int tsgu_tunnel_auth_read(const struct tsgu_packet *packet, char name[TSGU_NAME_SIZE])
{
    struct cursor cursor = {packet->body, packet->size};
    return take(&cursor, 2) && take_text(&cursor, name, TSGU_NAME_SIZE, '?') ? 0 : -EPROTO;
}

int tsgu_channel_create_read(const struct tsgu_packet *packet, struct tsgu_channel_create *out)
{
    struct cursor cursor = {packet->body, packet->size};
    const uint8_t *fixed = take(&cursor, 6);
    *out = (struct tsgu_channel_create){0};
    if (!fixed)
        return -EPROTO;
    unsigned count = fixed[0] + fixed[1];
    out->port = bytes_get_le16(fixed + 2);
    if (fixed[0] < 1 || count > TSGU_NAMES_MOST || bytes_get_le16(fixed + 4) != PROTOCOL_TCP)
        return -EPROTO;
    for (; out->count < count; out->count++) {
        if (!take_text(&cursor, out->names[out->count], TSGU_NAME_SIZE, '?'))
            return -EPROTO;
    }
    return 0;
}

/* ---- the stream ---- */

/* The header is whole: what follows it? */
static enum tsgu_event_kind judge_header(struct tsgu_reader *reader)
{
    unsigned type = bytes_get_le16(reader->head);
    uint32_t length = bytes_get_le32(reader->head + 4);
    if (type == TSGU_DATA) {
        reader->data_left = bytes_get_le16(reader->head + TSGU_HEADER);
        return length == TSGU_DATA_HEADER + reader->data_left ? TSGU_EVENT_MORE : TSGU_EVENT_BAD;
    }
    if (length < TSGU_HEADER || length > TSGU_PACKET_MOST)
        return TSGU_EVENT_BAD;
    reader->skip_left = length - TSGU_HEADER;
    if (type == TSGU_KEEPALIVE)
        return TSGU_EVENT_KEEPALIVE;
    return type == TSGU_CLOSE_CHANNEL || type == TSGU_CLOSE_CHANNEL_RESPONSE ? TSGU_EVENT_CLOSE
                                                                             : TSGU_EVENT_BAD;
}

static size_t read_header(struct tsgu_reader *reader, const uint8_t *data, size_t size,
                          enum tsgu_event_kind *kind)
{
    size_t used = 0;
    while (used < size) {
        reader->head[reader->held++] = data[used++];
        bool is_data = reader->held >= TSGU_HEADER && bytes_get_le16(reader->head) == TSGU_DATA;
        if (reader->held == (is_data ? TSGU_DATA_HEADER : TSGU_HEADER)) {
            reader->held = 0;
            *kind = judge_header(reader);
            break;
        }
    }
    return used;
}

size_t tsgu_read_onto(struct tsgu_reader *reader, uint8_t *to, const uint8_t *data, size_t size,
                      enum tsgu_event_kind *kind, size_t *payload)
{
    *kind = TSGU_EVENT_MORE;
    *payload = 0;
    if (reader->data_left) {
        size_t take = size < reader->data_left ? size : reader->data_left;
        if (to != data)
            memmove(to, data, take);
        reader->data_left -= (uint32_t)take;
        *payload = take;
        *kind = TSGU_EVENT_DATA;
        return take;
    }
    if (reader->skip_left) {
        size_t take = size < reader->skip_left ? size : reader->skip_left;
        reader->skip_left -= (uint32_t)take;
        return take;
    }
    return read_header(reader, data, size, kind);
}

/* ---- writing ---- */

/* A counted text with its NUL. */
static uint8_t *put_text(uint8_t *to, const char *words)
{
    uint8_t *at = utf16_put(to + 2, to + 2 + 2 * TSGU_WORDS_MOST, words);
    at = bytes_put_le16(at, 0);
    bytes_put_le16(to, (unsigned)(at - to - 2));
    return at;
}

static size_t finish(uint8_t *to, enum tsgu_type type, const uint8_t *end)
{
    size_t size = (size_t)(end - to);
    bytes_put_le32(bytes_put_le16(bytes_put_le16(to, type), 0), (uint32_t)size);
    return size;
}

size_t tsgu_write_handshake(uint8_t *to, uint32_t error, uint16_t extended_auth)
{
    uint8_t *at = bytes_put_le32(to + TSGU_HEADER, error);
    *at++ = 1; /* version 1.0 */
    *at++ = 0;
    return finish(to, TSGU_HANDSHAKE_RESPONSE,
                  bytes_put_le16(bytes_put_le16(at, 0), extended_auth));
}

size_t tsgu_write_tunnel(uint8_t *to, uint32_t status, uint32_t tunnel, uint32_t capabilities)
{
    uint8_t *at = bytes_put_le32(bytes_put_le16(to + TSGU_HEADER, 0), status);
    bool good = status == TSGU_OK;
    at = bytes_put_le16(bytes_put_le16(at, good ? TUNNEL_ID | TUNNEL_CAPABILITIES : 0), 0);
    if (good)
        at = bytes_put_le32(bytes_put_le32(at, tunnel), capabilities);
    return finish(to, TSGU_TUNNEL_RESPONSE, at);
}

size_t tsgu_write_tunnel_consent(uint8_t *to, uint32_t tunnel, uint32_t capabilities,
                                 const char *words)
{
    uint8_t *at = bytes_put_le32(bytes_put_le16(to + TSGU_HEADER, 0), TSGU_OK);
    at = bytes_put_le16(bytes_put_le16(at, TUNNEL_ID | TUNNEL_CAPABILITIES | TUNNEL_CONSENT), 0);
    at = bytes_put_le32(bytes_put_le32(at, tunnel), capabilities);
    return finish(to, TSGU_TUNNEL_RESPONSE, put_text(at, words));
}

size_t tsgu_write_tunnel_auth(uint8_t *to, uint32_t error, uint32_t redirection,
                              uint32_t idle_minutes)
{
    bool good = error == TSGU_OK;
    uint8_t *at = bytes_put_le32(to + TSGU_HEADER, error);
    at = bytes_put_le16(bytes_put_le16(at, good ? AUTH_REDIRECTION | AUTH_IDLE : 0), 0);
    if (good)
        at = bytes_put_le32(bytes_put_le32(at, redirection), idle_minutes);
    return finish(to, TSGU_TUNNEL_AUTH_RESPONSE, at);
}

size_t tsgu_write_channel(uint8_t *to, uint32_t error, uint32_t channel)
{
    bool good = error == TSGU_OK;
    uint8_t *at = bytes_put_le32(to + TSGU_HEADER, error);
    at = bytes_put_le16(bytes_put_le16(at, good ? CHANNEL_ID : 0), 0);
    return finish(to, TSGU_CHANNEL_RESPONSE, good ? bytes_put_le32(at, channel) : at);
}

size_t tsgu_write_keepalive(uint8_t *to)
{
    return finish(to, TSGU_KEEPALIVE, to + TSGU_HEADER);
}

size_t tsgu_write_close(uint8_t *to, bool response, uint32_t status)
{
    return finish(to, response ? TSGU_CLOSE_CHANNEL_RESPONSE : TSGU_CLOSE_CHANNEL,
                  bytes_put_le32(to + TSGU_HEADER, status));
}

size_t tsgu_write_service_message(uint8_t *to, const char *words)
{
    return finish(to, TSGU_SERVICE_MESSAGE, put_text(to + TSGU_HEADER, words));
}

size_t tsgu_write_reauth(uint8_t *to, uint64_t context)
{
    uint8_t *at = bytes_put_le32(to + TSGU_HEADER, (uint32_t)context);
    return finish(to, TSGU_REAUTH, bytes_put_le32(at, (uint32_t)(context >> 32)));
}

size_t tsgu_header_before(uint8_t *end, uint16_t size)
{
    uint8_t *to = end - TSGU_DATA_HEADER;
    bytes_put_le32(bytes_put_le16(bytes_put_le16(to, TSGU_DATA), 0),
                   (uint32_t)(TSGU_DATA_HEADER + size));
    bytes_put_le16(to + TSGU_HEADER, size);
    return TSGU_DATA_HEADER;
}
