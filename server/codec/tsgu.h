/* Packets of the RD Gateway protocol, [MS-TSGU] section 2.2.10, over HTTP or WebSocket: pure
 * functions. Little-endian; strings are UTF-16 with a byte count. A client may cut its stream of
 * packets anywhere. */
#pragma once

#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TSGU_HEADER 8         /* section 2.2.10.9: type, reserved, length */
#define TSGU_DATA_HEADER 10   /* … and the count of section 2.2.10.6 */
#define TSGU_DATA_MOST 65535  /* payload of one packet */
#define TSGU_PACKET_MOST 8192 /* of any other: a cookie or a statement of health is its largest */
#define TSGU_ANSWER_MOST 1536 /* our packets, but for data */
/* UTF-16 units of a text in one of them: never more than bytes of UTF-8, so nothing is cut that an
 * administrator may write. */
#define TSGU_WORDS_MOST (TEXT_WORDS_SIZE - 1)
#define TSGU_COOKIE_SIZE 512 /* of a PAA cookie as text; ours have 43 characters */
#define TSGU_NAME_SIZE 256
#define TSGU_NAMES_MOST 4 /* resources and alternates */

/* Section 2.2.10.9.1, 2.2.5.3.3 */
enum tsgu_type {
    TSGU_HANDSHAKE_REQUEST = 0x1,
    TSGU_HANDSHAKE_RESPONSE = 0x2,
    TSGU_EXTENDED_AUTH = 0x3,
    TSGU_TUNNEL_CREATE = 0x4,
    TSGU_TUNNEL_RESPONSE = 0x5,
    TSGU_TUNNEL_AUTH = 0x6,
    TSGU_TUNNEL_AUTH_RESPONSE = 0x7,
    TSGU_CHANNEL_CREATE = 0x8,
    TSGU_CHANNEL_RESPONSE = 0x9,
    TSGU_DATA = 0xa,
    TSGU_SERVICE_MESSAGE = 0xb,
    TSGU_REAUTH = 0xc,
    TSGU_KEEPALIVE = 0xd,
    TSGU_CLOSE_CHANNEL = 0x10,
    TSGU_CLOSE_CHANNEL_RESPONSE = 0x11
};

/* HTTP_EXTENDED_AUTH, section 2.2.5.3.2 */
enum { TSGU_AUTH_PAA = 0x2 };
/* HTTP_TUNNEL_CAPABILITIES, section 2.2.5.3.6 */
enum {
    TSGU_CAP_IDLE_TIMEOUT = 0x2,
    TSGU_CAP_CONSENT = 0x4,
    TSGU_CAP_SERVICE_MESSAGE = 0x8,
    TSGU_CAP_REAUTH = 0x10
};
/* Redirection flags, section 2.2.5.3.7: all, none, or what is forbidden. */
#define TSGU_REDIRECT_ALL 0x80000000U
#define TSGU_REDIRECT_NONE 0x40000000U
enum {
    TSGU_FORBID_DRIVES = 0x1,
    TSGU_FORBID_PRINTERS = 0x2,
    TSGU_FORBID_PORTS = 0x4,
    TSGU_FORBID_CLIPBOARD = 0x8,
    TSGU_FORBID_PNP = 0x10
};

/* HRESULTs that clients have words for, section 2.2.6. */
#define TSGU_OK 0U
#define TSGU_E_INTERNAL 0x800759D8U          /* E_PROXY_INTERNALERROR */
#define TSGU_E_RAP_ACCESS_DENIED 0x800759DAU /* the resource */
#define TSGU_E_NAP_ACCESS_DENIED 0x800759DBU /* the person */
#define TSGU_E_CONNECT_FAILED 0x800759DDU    /* E_PROXY_TS_CONNECTFAILED */
#define TSGU_E_MAX_CONNECTIONS 0x800759E6U   /* E_PROXY_MAXCONNECTIONSREACHED */
#define TSGU_E_BAD_COOKIE 0x800759F7U        /* E_PROXY_COOKIE_BADPACKET */
#define TSGU_E_COOKIE_DENIED 0x800759F8U     /* E_PROXY_COOKIE_AUTHENTICATION_ACCESS_DENIED */
#define TSGU_E_AUTH 0x800759F9U              /* E_PROXY_UNSUPPORTED_AUTHENTICATION_METHOD */
#define TSGU_E_REAUTH 0x800759FAU            /* E_PROXY_REAUTH_AUTHN_FAILED */
#define TSGU_E_SESSION_TIMEOUT 0x59F6U       /* in a close packet: the low word */
#define TSGU_GRACEFUL 0x4CAU                 /* ERROR_GRACEFUL_DISCONNECT, likewise */
/* E_PROXY_CONNECTIONABORTED, likewise: by us, or the desktop is lost. */
#define TSGU_E_ABORTED 0x4D4U

/* ---- reading ---- */

struct tsgu_packet {
    unsigned type;
    const uint8_t *body;
    size_t size;
};
/* The packet at the beginning of `data`. Its size with the header; 0 when it is not whole yet;
 * -EPROTO when it is none or larger than TSGU_PACKET_MOST. */
int tsgu_packet_read(const uint8_t *data, size_t size, struct tsgu_packet *out);

/* Bodies: 0 or -EPROTO. */
struct tsgu_handshake {
    uint16_t extended_auth;
};
int tsgu_handshake_read(const struct tsgu_packet *packet, struct tsgu_handshake *out);
struct tsgu_tunnel_create {
    uint32_t capabilities;
    bool has_reauth; /* the context of a packet that tsgu_write_reauth() made */
    uint64_t reauth;
    bool has_cookie;
    char cookie[TSGU_COOKIE_SIZE]; /* ASCII; "" when it is anything else */
};
int tsgu_tunnel_create_read(const struct tsgu_packet *packet, struct tsgu_tunnel_create *out);
/* The client machine's name, for the log: what is not ASCII becomes '?'. */
int tsgu_tunnel_auth_read(const struct tsgu_packet *packet, char name[TSGU_NAME_SIZE]);
struct tsgu_channel_create {
    uint16_t port;
    unsigned count;
    char names[TSGU_NAMES_MOST][TSGU_NAME_SIZE]; /* what is not ASCII becomes '?' */
};
int tsgu_channel_create_read(const struct tsgu_packet *packet, struct tsgu_channel_create *out);

/* ---- the stream of an open channel ---- */

enum tsgu_event_kind {
    TSGU_EVENT_MORE, /* nothing to say yet */
    TSGU_EVENT_DATA, /* payload, at `to` */
    TSGU_EVENT_KEEPALIVE,
    TSGU_EVENT_CLOSE, /* either side's wish; or the answer to ours */
    TSGU_EVENT_BAD
};

/* Zero-initialise. */
struct tsgu_reader {
    uint8_t held;
    uint32_t data_left, skip_left;
    uint8_t head[TSGU_DATA_HEADER];
};

/* Reads from `data` up to the next event; returns the bytes used. Payload is put to `to`, which is
 * `data` or before it in the same buffer. `*payload` is its size. After BAD nothing may be read. */
size_t tsgu_read_onto(struct tsgu_reader *reader, uint8_t *to, const uint8_t *data, size_t size,
                      enum tsgu_event_kind *kind, size_t *payload);

/* ---- writing: `to` holds TSGU_ANSWER_MOST; the packet's size ---- */

size_t tsgu_write_handshake(uint8_t *to, uint32_t error, uint16_t extended_auth);
size_t tsgu_write_tunnel(uint8_t *to, uint32_t status, uint32_t tunnel, uint32_t capabilities);
/* A good answer that asks the person to agree to `words` (UTF-8, not empty, cut to
 * TSGU_WORDS_MOST). Only for a client that has TSGU_CAP_CONSENT, and none by default: FreeRDP asks
 * on its terminal, and fails without one. */
size_t tsgu_write_tunnel_consent(uint8_t *to, uint32_t tunnel, uint32_t capabilities,
                                 const char *words);
/* `idle_minutes` 0: no limit. */
size_t tsgu_write_tunnel_auth(uint8_t *to, uint32_t error, uint32_t redirection,
                              uint32_t idle_minutes);
size_t tsgu_write_channel(uint8_t *to, uint32_t error, uint32_t channel);
size_t tsgu_write_keepalive(uint8_t *to);
size_t tsgu_write_close(uint8_t *to, bool response, uint32_t status);
/* For the person in front of the client: UTF-8, cut to TSGU_WORDS_MOST between two characters. */
size_t tsgu_write_service_message(uint8_t *to, const char *words);
/* Asks the client to come with a new tunnel that names this context. */
size_t tsgu_write_reauth(uint8_t *to, uint64_t context);
/* Writes a data packet's header so that it ends at `end`, and returns its size. */
size_t tsgu_header_before(uint8_t *end, uint16_t size);
