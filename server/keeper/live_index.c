#include "live_index.h"

#include "live.h"

#include <stddef.h>

static int64_t id_of(const struct live *live, enum live_key key)
{
    switch (key) {
    case LIVE_BY_TUNNEL:
        return live->tunnel;
    case LIVE_BY_PERSON:
        return live->user_id;
    case LIVE_BY_DESKTOP:
    case LIVE_KEYS:
        break;
    }
    return live->desktop_id;
}

/* Row numbers of the store, given one after the other. */
static size_t bucket(int64_t id)
{
    return (size_t)((uint64_t)id % LIVE_BUCKETS);
}

void live_index_add(struct live_index *index, struct live *live)
{
    for (unsigned key = 0; key < LIVE_KEYS; key++) {
        struct live_place *place = &live->places[key];
        struct live **head = &index->heads[key][bucket(id_of(live, (enum live_key)key))];
        place->next = *head;
        place->from = head;
        if (place->next)
            place->next->places[key].from = &place->next;
        *head = live;
    }
}

void live_index_remove(struct live *live)
{
    for (unsigned key = 0; key < LIVE_KEYS; key++) {
        struct live_place *place = &live->places[key];
        if (!place->from)
            continue;
        *place->from = place->next;
        if (place->next)
            place->next->places[key].from = place->from;
        *place = (struct live_place){0};
    }
}

static struct live *of(struct live *live, enum live_key key, int64_t id)
{
    while (live && id_of(live, key) != id)
        live = live->places[key].next;
    return live;
}

struct live *live_index_first(const struct live_index *index, enum live_key key, int64_t id)
{
    return of(index->heads[key][bucket(id)], key, id);
}

struct live *live_index_next(const struct live *live, enum live_key key)
{
    return of(live->places[key].next, key, id_of(live, key));
}

struct live *live_index_tunnel(const struct live_index *index, int64_t tunnel)
{
    return live_index_first(index, LIVE_BY_TUNNEL, tunnel);
}

uint32_t live_index_count(const struct live_index *index, enum live_key key, int64_t id)
{
    uint32_t count = 0;
    for (const struct live *live = live_index_first(index, key, id); live;
         live = live_index_next(live, key))
        count += !live->closing;
    return count;
}
