/* Many wires of a benchmark by one epoll in one thread, with callbacks: clients through a gateway,
 * and the desktops that they end at. Nothing blocks, so a thousand of them cost what their bytes
 * cost. For a few that are given a thread each, see load_bulk.c. */
#pragma once

#include "load_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow;

/* What connections have in common. It outlives them. */
struct flow_plan {
    struct wire_place place;
    uint32_t sources; /* so many addresses of 127.0.0.0/8, each in a /24 of its own; 0: any */
    void *owner;      /* the caller's */
    bool ticket;      /* raw: opened when a session ticket has come: the server is done then, too */
    void (*opened)(struct flow *flow);
    void (*arrived)(struct flow *flow, const uint8_t *bytes, size_t size);
    void (*drained)(struct flow *flow); /* all that was sent has left; may be NULL */
    /* By the other end or by an accident, not by flow_close(). The flow is gone afterwards. */
    void (*ended)(struct flow *flow, const char *why);
};

struct flow_loop {
    int epoll;
    struct flow *dead; /* freed after the batch of events */
};

enum flow_state { FLOW_LISTENS, FLOW_OPENS, FLOW_AWAITS_TICKET, FLOW_OPEN, FLOW_DEAD };

struct flow {
    const struct flow_plan *plan;
    void *owner;     /* the caller's */
    uint32_t number; /* the caller's; chooses the source address */
    enum flow_state state;
    struct wire wire;
    /* the rest is load_flow.c's */
    struct flow_loop *loop;
    struct flow *next;
    struct wire_place place; /* the plan's, with what is this one's alone */
    uint32_t interest;
};

void flow_loop_init(struct flow_loop *loop);

/* Connects; `resume` is NULL or what link_remember() gave, and outlives the opening. `opened` or
 * `ended` follows from flow_poll(). */
struct flow *flow_start(struct flow_loop *loop, const struct flow_plan *plan, uint32_t number,
                        void *owner, const gnutls_datum_t *resume);

/* Listens on a port of loopback that the system chooses, and returns it. Each connection is a flow
 * of the plan, bare and opened at once, whose owner is NULL. */
uint16_t flow_listen(struct flow_loop *loop, const struct flow_plan *plan);

/* As one message. What does not leave at once waits in memory. */
void flow_send(struct flow *flow, const void *bytes, size_t size);
/* Bytes that have not left yet. */
size_t flow_waiting(const struct flow *flow);

/* Says goodbye as TLS wants it, and closes. No callback comes of it. */
void flow_close(struct flow *flow);

/* Waits for events until `until` (of time_ns()), takes one batch of them, and returns. */
void flow_poll(struct flow_loop *loop, uint64_t until);
