/* A conversation's questions to the keeper, one at a time. The keeper's answer comes on the main
 * loop and goes on to the conversation's worker; by then the client may be gone, and what the
 * answer has brought must be given back. In the worker's thread unless it says otherwise. */
#pragma once

#include "ipc.h"
#include "keeper_link.h"
#include "loop.h"
#include "tunnel.h"

#include <stdbool.h>

struct conn;
struct gate_state;

struct talk_ask { /* embed it */
    struct gate_state *gate;
    union ipc_record *answer; /* in answered() */

    /* Private. */
    struct conn *conn; /* referenced */
    struct keeper_call call;
    struct loop_task told; /* the answer's way to the worker */
    int answer_fd;
    bool asking, unlisted, gone;
    void (*answered)(struct talk_ask *ask);
    void (*release)(struct talk_ask *ask);
};

/* Any thread. `release` frees what embeds `ask`; it is called once, after talk_ask_gone(). 0 or
 * -ENOMEM. */
int talk_ask_init(struct talk_ask *ask, struct gate_state *gate, struct conn *conn,
                  void (*release)(struct talk_ask *ask));

/* `answered` is called with the answer, unless the conversation has gone. False: the keeper cannot
 * be asked now. */
bool talk_ask(struct talk_ask *ask, struct ipc_head *record, enum ipc_type expected,
              void (*answered)(struct talk_ask *ask));

/* In answered(), of an OPENED with status OK: what it brought, the caller's now. False: it could
 * not be listed, and is given back already. */
bool talk_ask_grant(struct talk_ask *ask, struct tunnel_grant *grant);

/* The conversation is over, for the tunnel or for good; any thread when nothing was asked yet. */
void talk_ask_gone(struct talk_ask *ask);
