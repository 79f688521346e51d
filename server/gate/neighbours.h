/* A worker's connections by the subscriber that they come from, so that the one that makes room for
 * a newcomer is found without a look at all others. Tunnels are not among them. The worker's thread
 * only. */
#pragma once

#include "addr.h"

struct conn;
struct neighbours;

int neighbours_new(struct neighbours **out); /* 0 or -ENOMEM */
void neighbours_free(struct neighbours *neighbours);

/* Among those of conn->slot.prefix, which does not change from now on. */
void neighbours_add(struct neighbours *neighbours, struct conn *conn);
void neighbours_remove(struct conn *conn); /* may run twice, and without the other */

/* The newest of this prefix, and the one that came before another. NULL: there is none. */
struct conn *neighbours_first(const struct neighbours *neighbours, const struct addr *prefix);
struct conn *neighbours_next(const struct conn *conn);
