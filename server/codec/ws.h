/* WebSocket frames, RFC 6455: pure functions over bytes. No I/O, no heap, no clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_HEADER_MOST 14   /* section 5.2: 2 + 8 + 4 */
#define WS_CONTROL_MOST 125 /* section 5.5 */
#define WS_ACCEPT_SIZE 29   /* base64 of a SHA-1, and NUL */

/* Section 11.8 */
enum ws_opcode {
    WS_CONTINUATION = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xa
};

/* Section 7.4.1 */
enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_UNACCEPTABLE = 1003,
    WS_NO_CODE = 1005, /* never on the wire */
    WS_INVALID_DATA = 1007,
    WS_INTERNAL_ERROR = 1011
};

enum ws_event_kind {
    WS_EVENT_MORE, /* all input used up, nothing to say */
    WS_EVENT_DATA, /* payload of a binary message, unmasked */
    WS_EVENT_PING, /* data, size: to be echoed */
    WS_EVENT_PONG,
    WS_EVENT_CLOSE, /* code (WS_NO_CODE when none) and the reason in data, size */
    WS_EVENT_BAD    /* the peer broke a rule: close with code; words say which */
};

struct ws_event {
    enum ws_event_kind kind;
    uint8_t *data; /* where ws_read_onto() was told to put it; in the reader for control frames */
    size_t size;
    uint16_t code;
    const char *words;
};

/* One peer's frames, at whatever boundaries they arrive. Zero-initialise; set from_client. */
struct ws_reader {
    bool from_client; /* frames must be masked; otherwise they must not be (section 5.1) */
    bool in_message;  /* a fragmented message is under way */
    bool in_frame;    /* header known, payload outstanding */
    uint8_t opcode;
    uint8_t mask[4];
    uint8_t phase; /* of the mask */
    uint8_t held;  /* bytes in `bytes`: of a header, or of a control frame's payload */
    uint64_t left; /* of the present frame's payload */
    uint8_t bytes[WS_CONTROL_MOST];
};

/* Reads from `data` up to the next event; returns the bytes used. Payload is put to `to`, which is
 * `data` or before it in the same buffer: so the payload of many frames is gathered in one pass,
 * without their headers. After WS_EVENT_BAD or WS_EVENT_CLOSE nothing more may be read. */
size_t ws_read_onto(struct ws_reader *reader, uint8_t *to, const uint8_t *data, size_t size,
                    struct ws_event *event);

/* The same without gathering: payload is left at `data`, where a frame's header may have been. */
static inline size_t ws_read(struct ws_reader *reader, uint8_t *data, size_t size,
                             struct ws_event *event)
{
    return ws_read_onto(reader, data, data, size, event);
}

/* Writes a final frame's header so that it ends at `end` (there is room for WS_HEADER_MOST before
 * it) and returns its size. `mask` NULL: unmasked. */
size_t ws_header_before(uint8_t *end, enum ws_opcode opcode, uint64_t length, const uint8_t *mask);

/* XORs with the mask, beginning at `phase` (0–3) within it. */
void ws_mask(uint8_t *data, size_t size, const uint8_t mask[4], unsigned phase);

/* A close frame's payload: code and reason, cut at a character's boundary to fit. Returns its size.
 */
size_t ws_close_payload(uint8_t to[WS_CONTROL_MOST], uint16_t code, const char *reason);

/* Section 4.2.2, item 5.4: for any key, which is taken as an opaque string. */
void ws_accept_key(char to[WS_ACCEPT_SIZE], const char *key);
