/* The keeper's side of a gate's record socket. The gate may be in an attacker's hands: whatever
 * breaks the table ends the link, and every question is judged on its own. */
#pragma once

#include "ipc.h"
#include "keeper_state.h"

struct gate_link {
    struct gate_link *next;
    struct keeper *keeper;
    struct loop_source source;
    unsigned references; /* the keeper's list, and each answer still being worked on */
    bool gone;
    struct outgoing *first, *last; /* what the socket has not taken yet */
    unsigned queued;
};

/* Takes over the socket. 0 or a negative errno. */
int gate_link_add(struct keeper *keeper, int socket);

/* Hears out what the gates have already said about their tunnels, and lets them go. */
void gate_link_drop_all(struct keeper *keeper);

/* Sends, or keeps until it can be sent; `fd` (or -1) stays the caller's. A gate that does not read
 * is dropped. */
void gate_link_send(struct gate_link *link, const struct ipc_head *record, int fd);

struct gate_link *gate_link_ref(struct gate_link *link);
void gate_link_unref(struct gate_link *link);
