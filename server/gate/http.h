/* HTTP: libmicrohttpd in a thread of its own, in plaintext, at the far end of socketpairs. It is
 * the one HTTP parser; what stands before it (guarded.h) only refuses. */
#pragma once

struct conn;
struct gate_state;

int http_start(struct gate_state *gate); /* sets gate->http; 0 or a negative errno */

/* Gives libmicrohttpd one end of a new socketpair for this connection and returns the other
 * (non-blocking, the caller's), or a negative errno. */
int http_attach(struct gate_state *gate, struct conn *conn);
