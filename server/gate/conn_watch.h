/* How long a client may take: for a request, for reading its answer, between two, and how long a
 * connection counts as somebody's who is signed in. */
#pragma once

struct conn;

/* The worker's once-a-second look at a connection in QUIET or HTTP: ends it when a request takes
 * too long to arrive, or none comes. Ends no other. */
void conn_watch(struct conn *conn);
