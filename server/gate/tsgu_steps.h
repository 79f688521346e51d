/* The conversation of an RD Gateway client as a state machine, [MS-TSGU] section 3.3.5: packets and
 * the keeper's answers go in, what is to be done comes out. No sockets, no clock, no memory of its
 * own.
 *
 *     HANDSHAKE ─► CREATE ─► LOOKING ─► AUTHORISE ─► CHANNEL ─► OPENING ─► OPEN
 *                                           └──────► RENEWED
 *
 * A packet that is not the state's breaks the protocol, but for two: a keepalive says nothing in
 * any state, and a client may close in any. LOOKING and OPENING wait for the keeper; REFUSED waits
 * for the client to read why. RENEWED: it came to show its ticket again for a tunnel that lives
 * elsewhere (section 2.2.10.12), and has no more to do than to close. */
#pragma once

#include "ipc.h"
#include "tsgu.h"

#include <stdbool.h>
#include <stdint.h>

enum tsgu_step {
    TSGU_STEP_HANDSHAKE,
    TSGU_STEP_CREATE,
    TSGU_STEP_LOOKING,
    TSGU_STEP_AUTHORISE,
    TSGU_STEP_CHANNEL,
    TSGU_STEP_OPENING,
    TSGU_STEP_OPEN,
    TSGU_STEP_RENEWED,
    TSGU_STEP_REFUSED,
    TSGU_STEPS
};

struct tsgu_steps { /* zero-initialise; then set what stands above the line */
    bool passed;    /* the client has proved a gateway password: `ticket` is what that stands for */
    uint8_t ticket[IPC_TOKEN_SIZE]; /* else the client's own, from CREATE on */
    const char *consent;            /* what a person must agree to; "" or NULL: nothing */
    bool renews;                    /* clients that can are asked to show their ticket again */
    /* ---- */
    enum tsgu_step step;
    char desktop[TEXT_NAME_SIZE]; /* in OPENING: what the client wants */
    char machine[TSGU_NAME_SIZE]; /* the client's, as it says; for the log */
    uint32_t capabilities;        /* TSGU_CAP_*, the client's */
    bool again;                   /* it names … */
    uint64_t context;             /* … this one, of a tunnel that lives */
    struct tsgu_seen {
        unsigned status; /* what the keeper says of the ticket (ticket_seen), or IPC_BUSY: it could
                            not be asked */
        uint8_t forbidden;
        uint32_t idle_seconds;
        bool context_fits; /* steps->context is that of a tunnel that the ticket has opened */
    } seen;
};

enum tsgu_todo {
    TSGU_GO_ON,      /* say the packet, if there is one, and listen */
    TSGU_ASK_TICKET, /* ask the keeper about steps->ticket, then tsgu_steps_seen() */
    TSGU_ASK_OPEN,   /* ask it to open steps->desktop, then tsgu_steps_opened() */
    TSGU_BEGIN,      /* say the packet; the channel is open */
    TSGU_RENEW,      /* say the packet; the tunnel of steps->context may go on */
    TSGU_REFUSE,     /* say the packet, let it be read, close */
    TSGU_LEAVE,      /* say the packet, close */
    TSGU_BREAK       /* close */
};

struct tsgu_turn {
    enum tsgu_todo todo;
    const char *why; /* for the log; "" where there is nothing to say */
    size_t size;
    uint8_t packet[TSGU_ANSWER_MOST];
};

void tsgu_steps_packet(struct tsgu_steps *steps, const struct tsgu_packet *packet,
                       struct tsgu_turn *turn);
void tsgu_steps_seen(struct tsgu_steps *steps, const struct tsgu_seen *seen,
                     struct tsgu_turn *turn);
/* `status`: what came of opening (opened), or IPC_BUSY. Both do nothing in a state that has not
 * asked: what the keeper says too late. */
void tsgu_steps_opened(struct tsgu_steps *steps, unsigned status, struct tsgu_turn *turn);
/* Nothing has come in time, from whomever the state waits for. */
void tsgu_steps_late(struct tsgu_steps *steps, struct tsgu_turn *turn);
