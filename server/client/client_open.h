/* Opens one tunnel: connection, session, WebSocket. Blocks, for a thread of its own; passing faults
 * are tried again with a growing, random pause while the local client waits. */
#pragma once

#include "client_session.h"
#include "client_wire.h"

#include <stdint.h>

struct client_opening {
    const struct client_gateway *gateway;
    struct client_session *session;
    struct client_status *status;
    const char *desktop; /* passes text_is_name() */
    int cancel;
    uint32_t retry_ms; /* how long passing faults are borne; 0: not at all */
};

struct client_opened {
    struct client_wire wire; /* the tunnel stands */
    uint8_t *early;          /* its first bytes, received already; malloc'd, or NULL */
    size_t early_size;
};

/* 0, and `opened` is the caller's; or -1. */
int client_open(const struct client_opening *opening, struct client_opened *opened,
                struct client_failure *failure);
void client_opened_free(struct client_opened *opened);

/* Pauses before the next try, having said so; -1 when there is none: the fault is final, the time
 * is up, or we are ending (the failure then says so). `since_ms` is when the first try began. */
int client_open_pause(const struct client_opening *opening, unsigned attempt, uint64_t since_ms,
                      struct client_failure *failure);
