/* The tunnels: one for each local connection, from its acceptance to its end. Belongs to the loop's
 * thread. */
#pragma once

#include "client_open.h"
#include "loop.h"
#include "stream.h"

#include <stdbool.h>
#include <stdint.h>

struct client_tunnel;

struct client_tunnels {
    struct loop *loop;
    struct stream_scratch *scratch;
    struct client_opening opening; /* the same for all */
    /* One is gone; `fault` is NONE when it ended as it should. */
    void (*gone)(struct client_tunnels *tunnels, enum client_fault fault);

    struct client_tunnel *first;
    unsigned numbered;          /* given out so far */
    unsigned opening_now, open; /* how many there are of each */
    uint64_t sent_by_ended, received_by_ended;
};

/* Takes `local` (non-blocking). */
void client_tunnel_start(struct client_tunnels *tunnels, int local);

/* Ends all politely; gone() follows for each. Those still opening end by opening.cancel. */
void client_tunnel_end_all(struct client_tunnels *tunnels);

/* Payload bytes over all tunnels, those that have ended included. */
void client_tunnel_counts(const struct client_tunnels *tunnels, uint64_t *sent, uint64_t *received);
