/* A TLS connection to the gateway while it is being set up: blocking with a bound, for one thread.
 * Once the tunnel stands, the session moves to a stream (relay/stream.h). */
#pragma once

#include "client_failure.h"
#include "client_trust.h"
#include "client_url.h"
#include "client_wait.h"

#include <gnutls/gnutls.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whom to connect to, and how to know it; shared by all connections, read only. */
struct client_gateway {
    struct client_url url;
    struct client_trust trust;
};

struct client_wire {
    int fd;
    gnutls_session_t session; /* NULL: not open */
};

/* Connects, shakes hands and checks the certificate. 0 or -1; on -1 there is nothing to close. */
int client_wire_open(struct client_wire *wire, const struct client_gateway *gateway,
                     const struct client_wait *wait, struct client_failure *failure);
void client_wire_close(struct client_wire *wire); /* a second time: fine */

int client_wire_send(struct client_wire *wire, const void *data, size_t size,
                     const struct client_wait *wait, struct client_failure *failure); /* 0 or -1 */
/* > 0 bytes; 0 end of the connection; -1. */
ssize_t client_wire_receive(struct client_wire *wire, void *to, size_t size,
                            const struct client_wait *wait, struct client_failure *failure);
