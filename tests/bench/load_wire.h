/* A client's connection through a gateway: a link, what opens the tunnel, and the framing of its
 * bytes. Every server of the benchmark and every verb uses it.
 *
 *     WIRE_BARE       TCP: straight to a desktop, or the plain relay
 *     WIRE_RAW        TLS, and nothing in it: haproxy, nginx stream
 *     WIRE_WS         TLS and WebSocket (RFC 6455), binary messages: deskgate, websockify
 *     WIRE_RDG        the same, and in the messages RD Gateway packets ([MS-TSGU] section 2.2.10)
 *     WIRE_CLEANPATH  as WIRE_WS, opened by an RDCleanPath request
 *
 * Nothing here blocks, but for what says so. To have many at once: wire_begin(), then wire_step()
 * whenever poll() says what `wire->link.wants` asks for, until it gives 0; then read and write. */
#pragma once

#include "load_link.h"
#include "tsgu.h"
#include "ws.h"

enum wire_framing { WIRE_BARE, WIRE_RAW, WIRE_WS, WIRE_RDG, WIRE_CLEANPATH };

/* Where a wire leads. The words stay the caller's and outlive the wire. */
struct wire_place {
    enum wire_framing framing;
    uint16_t port;
    const char *path;             /* WIRE_WS: of the upgrade */
    const char *desktop;          /* WIRE_RDG, WIRE_CLEANPATH: its name at the gateway */
    const char *token;            /* of a session, or NULL */
    const char *ticket;           /* WIRE_RDG, WIRE_CLEANPATH: good for one wire */
    const gnutls_datum_t *resume; /* a TLS session to resume, or NULL */
    in_addr_t from;               /* an address of loopback that it comes from, or 0 */
};

enum wire_state { WIRE_LINKING, WIRE_UPGRADING, WIRE_GREETING, WIRE_OPEN };

struct wire {
    struct link link;
    const struct wire_place *place;
    enum wire_state state;
    unsigned greeting; /* WIRE_RDG: which answer is due */
    int status;        /* of the HTTP answer, once it came; 0 before */
    uint8_t *plain;    /* what TLS gave, not used up; NULL while there is none */
    size_t at, size;
    uint8_t *message; /* in `plain`: payload of WebSocket that is not unpacked yet */
    size_t message_size;
    struct ws_reader ws;
    struct tsgu_reader tsgu;
};

/* All of these: 0 or a negative errno. -EACCES: the gateway said no, and stderr has its words
 * unless `wire->status` is 429. */

/* `place` outlives the wire. */
int wire_begin(struct wire *wire, const struct wire_place *place);
/* Further towards an open tunnel: 0 when it is open; -EAGAIN. */
int wire_step(struct wire *wire);
/* Both, waiting until it is open. */
int wire_open(struct wire *wire, const struct wire_place *place);

/* The next payload bytes, a view that the next call ends: their number; 0 at a polite end; -EAGAIN.
 * Pings are answered in passing. */
ssize_t wire_read(struct wire *wire, const uint8_t **bytes);
/* As one message, at most TSGU_DATA_MOST bytes; takes all of it. Flush, or see wire_full(). */
int wire_write(struct wire *wire, const uint8_t *data, size_t size);
/* The wire form of a message, for whoever sends it often: its size; malloc'd, the caller's. */
size_t wire_frame(enum wire_framing framing, const uint8_t *data, size_t size, uint8_t **out);
/* Takes what wire_frame() made. */
int wire_write_framed(struct wire *wire, const uint8_t *framed, size_t size);
bool wire_full(const struct wire *wire); /* push or flush before writing more */
int wire_flush(struct wire *wire);       /* 0 or -EAGAIN */
int wire_push(struct wire *wire);        /* 0 or -EAGAIN: full records alone, more is to come */

/* Waits for what the last -EAGAIN was about. */
void wire_wait(const struct wire *wire);
/* As their namesakes, but they wait. */
int wire_flush_all(struct wire *wire);
int wire_push_all(struct wire *wire);
ssize_t wire_read_some(struct wire *wire, const uint8_t **bytes);

/* No more from us. The end of what the other side sends still comes. */
void wire_finish(struct wire *wire);
void wire_deinit(struct wire *wire); /* twice is fine */
