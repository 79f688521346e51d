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

struct live *live_index_tunnel(const struct live_index *index, int64_t tunnel)
{
    struct live *live = index->heads[LIVE_BY_TUNNEL][bucket(tunnel)];
    while (live && live->tunnel != tunnel)
        live = live->places[LIVE_BY_TUNNEL].next;
    return live;
}

uint32_t live_index_count(const struct live_index *index, enum live_key key, int64_t id)
{
    uint32_t count = 0;
    for (const struct live *live = index->heads[key][bucket(id)]; live;
         live = live->places[key].next)
        count += id_of(live, key) == id && !live->closing;
    return count;
}
