/* The limits of connections where a connection meets them: it is counted, or somebody makes room
 * for it (displace.h), or another worker's connection may (pass_on.h), or it is told in the log
 * which limit there is no room in. What the limits are and who holds what is admit.h's. The
 * worker's thread only. */
#pragma once

#include <stdbool.h>

struct conn;
struct newcomer;

/* Counts a new connection, until let_out(). False: there is no room for it here, and its descriptor
 * is another worker's now, or closed. */
bool let_in(struct conn *conn, const struct newcomer *newcomer);

/* The balancer has said whose it is: it counts for conn->address, too. False: that address has no
 * room here, and conn->fd is another worker's now, or still its own; it is for the caller to end
 * the connection. */
bool let_in_told(struct conn *conn);

void let_out(struct conn *conn); /* once, of what was let in */
