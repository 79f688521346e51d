/* The limits of connections where a connection meets them: it is counted, or somebody makes room
 * for it (displace.h), or another worker's connection may (pass_on.h), or it is told in the log
 * which limit there is no room in. What the limits are and who holds what is admit.h's. The
 * worker's thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct conn;
struct gate_listener;

/* Counts a new connection, until let_out(). `tried`: as conn_accept() has it. False: there is no
 * room for it here, and its descriptor is another worker's now, or closed. */
bool let_in(struct conn *conn, const struct gate_listener *kind, size_t tried);

/* It comes from a balancer ([server] proxy_protocol), and is nobody's until that has said whose it
 * is. */
bool let_in_balancer(const struct conn *conn);
/* The balancer has: it counts for conn->address, too. False: that address has no room; it is for
 * the caller to end the connection. */
bool let_in_from(struct conn *conn);

void let_out(struct conn *conn); /* once, of what was let in */
