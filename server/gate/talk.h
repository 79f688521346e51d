/* A conversation on an upgraded connection, before there is a tunnel: the client's binary messages
 * are read as one stream of bytes, answers go out as binary messages; a bare one is without frames,
 * and its client is heard on conn->in. What is said is its kind's business. Everything in the
 * worker's thread unless it says otherwise.
 *
 * Bounded: a kind says how many bytes it wants to see at most, and sets the clock for each wait. */
#pragma once

#include "handover.h"
#include "ipc.h"
#include "ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct talk;

struct talk_kind {
    size_t most; /* bytes of the client's that may be gathered */
    /* The client has the 101; set the clock. */
    void (*begin)(struct talk *talk);
    /* More has come: all that was not used yet is in talk->heard. It may call anything here. */
    void (*heard)(struct talk *talk);
    /* The clock has run out, or (`end`) somebody orders the end: say it in the kind's words, then
     * talk_close(). */
    void (*late)(struct talk *talk);
    void (*stop)(struct talk *talk, enum ipc_end end);
    /* The connection leaves the conversation, for the tunnel or for good: frees what embeds `talk`,
     * now or when its questions are answered. */
    void (*gone)(struct talk *talk);
};

struct talk { /* embed it; zero-initialised */
    const struct talk_kind *kind;
    struct conn *conn; /* from take() until gone(): the connection's, not referenced */
    struct ws_reader reader;
    uint8_t *heard; /* gathered payload, `most` bytes of room */
    size_t heard_size;
    uint8_t *rest; /* bytes in wire form behind what was gathered, while paused */
    size_t rest_size;
    bool paused;
    bool bare; /* set it with the kind */
};

/* For handover_post(): the owner is a struct talk with its kind set. */
extern const struct handover_heir talk_heir;

/* The clock, anew: the kind's late() after so long. */
void talk_wait(struct talk *talk, uint32_t ms);
/* For the keeper, who may be dialling a desktop and waking it up: so long, and what waking takes.
 */
void talk_wait_keeper(struct talk *talk, uint32_t ms);
/* Stops listening; from within heard() no further byte is looked at. */
void talk_pause(struct talk *talk);
/* Listens again, beginning with what has come meanwhile. `talk` may be gone when it returns. */
void talk_resume(struct talk *talk);
/* A binary message. False: the client is gone, and the connection with it. */
bool talk_say(struct talk *talk, const uint8_t *data, size_t size);
/* Close frame, when there are frames, and the end of the connection: `talk` is gone when it
 * returns. */
void talk_close(struct talk *talk, uint16_t code, const char *words);

/* True when the client stands between two frames and messages: only there a relay may take over. */
bool talk_between(const struct talk *talk);

/* ---- for the connection and the tunnel ---- */

void talk_late(struct talk *talk);
void talk_stop(struct talk *talk, enum ipc_end end);
/* The connection leaves the conversation. */
void talk_forget(struct conn *conn);
