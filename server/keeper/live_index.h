/* Live tunnels by number, by person and by desktop: what is asked of them at every opening, report
 * and end must not take longer the more of them there are. Intrusive: it allocates nothing. */
#pragma once

#include <stdint.h>

struct live;

enum live_key { LIVE_BY_TUNNEL, LIVE_BY_PERSON, LIVE_BY_DESKTOP, LIVE_KEYS };

#define LIVE_BUCKETS 4096 /* of each; some five in a chain at 20,000 tunnels */

/* Zero-initialised; part of the keeper. */
struct live_index {
    struct live *heads[LIVE_KEYS][LIVE_BUCKETS];
};

/* Part of a live tunnel. */
struct live_place {
    struct live *next;
    struct live **from; /* what points to it; NULL: in no chain */
};

void live_index_add(struct live_index *index, struct live *live);
void live_index_remove(struct live *live);
/* The one with this number, or NULL. */
struct live *live_index_tunnel(const struct live_index *index, int64_t tunnel);
/* The tunnels of one person or desktop one by one: the first, and the next behind `live`; NULL:
 * there is none (any more). */
struct live *live_index_first(const struct live_index *index, enum live_key key, int64_t id);
struct live *live_index_next(const struct live *live, enum live_key key);
/* How many live tunnels a person has, or a desktop, without those that are told to close. */
uint32_t live_index_count(const struct live_index *index, enum live_key key, int64_t id);
