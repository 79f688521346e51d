/* How many connections there may be: in total, and per client address while they are not tunnels
 * yet. Thread-safe; touched when a connection comes, becomes a tunnel, or goes: never per byte. */
#pragma once

#include "addr.h"

#include <stdbool.h>
#include <stdint.h>

struct admit;

int admit_new(struct admit **out, uint32_t total, uint32_t per_address); /* 0 or -ENOMEM */
void admit_free(struct admit *admit);
void admit_set_per_address(struct admit *admit, uint32_t per_address); /* for those to come */

/* False: over a limit. After true, admit_leave() is due exactly once. */
bool admit_enter(struct admit *admit, const struct addr *address);
/* The connection has signed in and become a tunnel: it no longer counts for its address. */
void admit_promote(struct admit *admit, const struct addr *address);
void admit_leave(struct admit *admit, const struct addr *address, bool promoted);
uint32_t admit_count(struct admit *admit);      /* connections there are … */
uint32_t admit_most(const struct admit *admit); /* … and may be */
