/* The relay: moves bytes between two streams, with a framing on one of them, until one ends.
 *
 * The "framed" side carries the framing (the client's TLS stream at the gate; the gateway's TLS
 * stream at the tunnel client); the "plain" side carries bare bytes (the desktop, within TLS of its
 * own for a browser; the local RDP client). Back-pressure: while one side does not take bytes the
 * other is not read, so memory per relay is bounded by RELAY_BACKLOG per direction, and none is
 * held while nothing waits. */
#pragma once

#include "loop.h"
#include "stream.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that one direction holds at most between callbacks. It follows from what one read takes
 * (SCRATCH_IN in scratch.h) and may leave behind, framed and sealed anew; tests look after it. */
#define RELAY_BACKLOG (320 * 1024)

#define RELAY_IDLE_CODE 4006 /* of the close frame when idle_ms has passed */
/* … when the owner closes for a limit of time; RD Gateway clients have a code of their own for it.
 */
#define RELAY_LIMIT_CODE 4007
#define RELAY_OWN_CODES 4000 /* RFC 6455 section 7.4.2: from here on, somebody here wanted it */

enum relay_framing {
    RELAY_RAW,       /* none: the HTTP phase, between TLS and libmicrohttpd */
    RELAY_WS_SERVER, /* RFC 6455, we are the server: their frames masked, ours not */
    RELAY_RDG_WS,    /* the same, and in the messages the data packets of an RD Gateway channel */
    RELAY_RDG,       /* those packets bare: the legacy pair of HTTP channels, `framed_in` and
                        `framed` */
    RELAY_CHUNKED, /* towards plain only, RFC 9112 section 7.1: the one of the pair that comes in */
    RELAY_WS_CLIENT /* RFC 6455, we are the client: our frames masked, theirs not */
};

enum relay_end {
    RELAY_FRAMED_CLOSED, /* the framed peer closed politely; close_code and reason are its words */
    RELAY_FRAMED_LOST,   /* its connection broke, or it missed its pongs */
    RELAY_PLAIN_CLOSED,
    RELAY_PLAIN_LOST,
    RELAY_PROTOCOL, /* the framed peer broke the rules; close_code is what we told it */
    RELAY_IDLE,     /* no payload byte for idle_ms */
    RELAY_CLOSED    /* relay_close() was called and has been carried out */
};

struct relay_result {
    enum relay_end end;
    int error;           /* 0 or the negative errno behind a LOST */
    uint16_t close_code; /* RFC 6455 section 7.4; 1005 when none was given */
    char reason[124];    /* UTF-8, NUL-terminated */
};

struct relay;

struct relay_setup {
    struct loop *loop;
    struct stream_scratch *scratch;
    struct stream *framed; /* both streams stay the caller's and outlive the relay */
    struct stream *plain;
    struct stream *framed_in; /* RELAY_RDG: where the framed side's bytes come from. On `framed`
                                 nothing but the end is expected */
    enum relay_framing framing;
    const atomic_bool *in_lost; /* RELAY_RDG: whether framed_in broke, known when it has ended */
    const atomic_bool *hush;    /* RELAY_RAW: once true, what plain says is thrown away; or NULL */
    bool wipes; /* what passes is wiped from the scratch as soon as it has gone on: sign-ins do */
    uint32_t ping_ms; /* send a ping after so long without a byte from the peer; 0: never. A peer
                  silent for three of them is lost */
    uint64_t idle_ms; /* end after so long without payload either way; 0: never */
    /* Bytes of the framed side that were received before the relay began (wire form); copied. */
    const uint8_t *early;
    size_t early_size;
    /* Called once, from the loop, never from within relay_new() or another relay call; the relay
     * has removed itself from the loop and may be freed in it. */
    void (*ended)(struct relay *relay, void *owner, const struct relay_result *result);
    /* Called once, before it, when a polite end is decided and up to 2 s of goodbye begin; or NULL.
     * It comes from within any relay call, relay_new() too, and may only take note. */
    void (*decided)(void *owner, const struct relay_result *result);
    /* Called when payload has moved, for the first time and again after each relay_watch(); or
     * NULL. It comes from within any relay call and may only take note. */
    void (*moved)(void *owner);
    void *owner;
};

/* 0 or a negative errno; begins at once. */
int relay_new(struct relay **out, const struct relay_setup *setup);
/* Out of the loop at once, without a word to either side, and gone. NULL is fine. */
void relay_free(struct relay *relay);

/* Ends politely: what was already taken is delivered, the framed peer gets a close frame with code
 * and reason (at most 123 bytes), and `ended` is called when it answered or 2 s later. */
void relay_close(struct relay *relay, uint16_t code, const char *reason);

/* RELAY_RDG, RELAY_RDG_WS: one more packet for the client, as soon as it takes it; copied. False:
 * it takes no more of them now, or the relay is ending. */
bool relay_say(struct relay *relay, const uint8_t *packet, size_t size);

/* Payload bytes so far. up: framed to plain; down: plain to framed. */
void relay_counts(const struct relay *relay, uint64_t *up, uint64_t *down);

/* It has taken bytes from one side that the other one has not taken yet. */
bool relay_holds(const struct relay *relay);

/* `moved` is to be called once more. */
void relay_watch(struct relay *relay);

/* What a raw relay had taken from one side and not yet given to the other, in order. malloc'd, the
 * caller's; NULL when none. */
struct relay_rest {
    uint8_t *to_plain; /* from the framed side */
    size_t to_plain_size;
    uint8_t *to_framed; /* from the plain side, not yet accepted by the framed stream's write */
    size_t to_framed_size;
};

/* RELAY_RAW only, for the hand-over after an HTTP upgrade: stops both directions, frees the relay
 * (both streams stay usable) and hands out what it still held. */
void relay_take(struct relay *relay, struct relay_rest *rest);
