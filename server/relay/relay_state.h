/* A relay from the inside. Private to relay/. */
#pragma once

#include "backlog.h"
#include "chunked.h"
#include "relay.h"
#include "scratch.h"
#include "tsgu.h"
#include "ws.h"

#include <string.h>

struct relay {
    struct loop *loop;
    struct stream_scratch *scratch;
    struct stream *framed, *plain;
    struct stream *framed_in; /* `framed` itself, but for RELAY_RDG */
    union {
        const atomic_bool *hush;    /* RELAY_RAW */
        const atomic_bool *in_lost; /* RELAY_RDG */
    };
    void (*ended)(struct relay *relay, void *owner, const struct relay_result *result);
    void (*decided)(void *owner, const struct relay_result *result);
    void (*moved)(void *owner);
    void *owner;
    struct loop_source framed_source, in_source, plain_source;
    struct loop_timer timer; /* pings, idleness, the close deadline; at the end, `ended` */
    struct loop_timer again; /* bytes wait inside a stream, where no poll announces them */
    struct backlog to_plain, to_framed;
    struct relay_result *result; /* made when the end is decided */
    uint8_t *pong;               /* size byte and payload of the newest ping, to be answered */
    uint8_t *words;              /* packets of relay_say() that wait, … */
    uint64_t up, down;
    uint64_t heard_ms, payload_ms, pinged_ms;
    uint32_t ping_ms;
    uint64_t idle_ms;
    uint32_t words_size; /* … bytes of them */
    enum relay_framing framing;
    int plain_error;                /* plain takes no more; what it has said is still read */
    bool plain_full;                /* it waits to take more, also what it holds inside */
    uint8_t unanswered;             /* pings since the framed side was last heard */
    bool echoes;                    /* RD Gateway: the client is one that answers keepalives */
    bool in_ended, out_ended;       /* RELAY_RDG: one channel has, the other one is waited for */
    bool framed_ended, plain_ended; /* they will send no more */
    bool plain_told;                /* we have ended our side of plain */
    bool ping_due, close_due;       /* control frames to write when framed takes them */
    bool closing, over;
    bool watched; /* `moved` is to be called */
    bool wipes;   /* nothing that passed is left in the scratch */
    struct tsgu_reader packets;
    union {
        struct ws_reader reader;
        struct chunked_reader chunks; /* RELAY_CHUNKED */
    };
};

static inline bool relay_is_rdg(const struct relay *relay)
{
    return relay->framing == RELAY_RDG_WS || relay->framing == RELAY_RDG;
}

/* No words but bytes between us and the framed peer: nothing to say at the end. */
static inline bool relay_is_mute(const struct relay *relay)
{
    return relay->framing == RELAY_RAW || relay->framing == RELAY_CHUNKED;
}

/* After `size` bytes of the scratch's data have gone on. */
static inline void relay_wipe(struct relay *relay, size_t size)
{
    if (relay->wipes)
        explicit_bzero(relay->scratch->data, size);
}

static inline void relay_moved(struct relay *relay)
{
    relay->payload_ms = loop_now(relay->loop);
    if (!relay->watched)
        return;
    relay->watched = false;
    relay->moved(relay->owner);
}

/* ---- relay_end.c ---- */

/* Out of the loop; `ended` is called by a timer. */
void relay_end_finish(struct relay *relay);
/* The end, without a word to anyone. */
void relay_end_lose(struct relay *relay, enum relay_end end, int error);
/* Decides the end and says it to the framed peer; its answer or the deadline finishes. */
void relay_end_close(struct relay *relay, enum relay_end end, int error, uint16_t code,
                     const char *words);
/* The framed peer has said its last: what was taken from it is still delivered, in bounded time,
 * and with `answer` it is told the same code and reason. */
void relay_end_heard(struct relay *relay, const struct relay_result *result, bool answer);

/* RELAY_RDG: something came on the channel that only takes; its end, most likely. */
void relay_end_outward(struct relay *relay);
/* RELAY_RDG: the channel that comes in has ended. */
void relay_end_inward(struct relay *relay);
/* RELAY_RDG: one has ended, and the other one has not followed in time. */
void relay_end_half(struct relay *relay);

/* ---- relay_clock.c ---- */

/* Closes, gives up or pings when it is time, and sets the timer for the next look. */
void relay_clock_look(struct relay *relay);

/* ---- relay_control.c ---- */

/* Remembers the newest ping, to be answered by relay_control_write(). */
void relay_control_pinged(struct relay *relay, const struct ws_event *event);
/* Remembers packets that are to be said. False: too many wait. */
bool relay_control_said(struct relay *relay, const uint8_t *packet, size_t size);
/* Writes the control frames that are due to the framed side, which must be drained. */
int relay_control_write(struct relay *relay);

/* ---- relay_up.c, relay_down.c ---- */

bool relay_up_wanted(const struct relay *relay); /* may the framed side be read? */
void relay_up_read(struct relay *relay);
/* Bytes of the framed side, changed in place. */
void relay_up_take(struct relay *relay, uint8_t *data, size_t size);
/* Writes what waits for plain. */
void relay_up_drain(struct relay *relay);

bool relay_down_wanted(const struct relay *relay); /* may plain be read? */
void relay_down_read(struct relay *relay);
/* Writes what waits for the framed side. True: it is full. */
bool relay_down_drain(struct relay *relay);
