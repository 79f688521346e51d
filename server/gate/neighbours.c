#include "neighbours.h"

#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define BUCKETS 512
#define AGAIN_MS 100

struct bucket {
    struct conn *first;
    struct addr barren; /* the last of them where nobody could make room, … */
    uint64_t again_ms;  /* … until when that is taken for granted */
};

struct neighbours {
    uint64_t seed; /* so that nobody can choose addresses that share a bucket */
    struct bucket buckets[BUCKETS];
};

int neighbours_new(struct neighbours **out)
{
    struct neighbours *neighbours = calloc(1, sizeof(*neighbours));
    if (!neighbours ||
        getrandom(&neighbours->seed, sizeof(neighbours->seed), 0) != sizeof(neighbours->seed)) {
        free(neighbours);
        return -ENOMEM;
    }
    *out = neighbours;
    return 0;
}

void neighbours_free(struct neighbours *neighbours)
{
    free(neighbours);
}

static size_t bucket_of(const struct neighbours *neighbours, const struct addr *prefix)
{
    return addr_hash(prefix, neighbours->seed) % BUCKETS;
}

void neighbours_add(struct neighbours *neighbours, struct conn *conn)
{
    struct conn **list = &neighbours->buckets[bucket_of(neighbours, &conn->slot.prefix)].first;
    conn->near = (struct conn_link){*list, list};
    if (conn->near.next)
        conn->near.next->near.from = &conn->near.next;
    *list = conn;
}

void neighbours_remove(struct conn *conn)
{
    if (!conn->near.from)
        return;
    *conn->near.from = conn->near.next;
    if (conn->near.next)
        conn->near.next->near.from = conn->near.from;
    conn->near = (struct conn_link){0};
}

static struct conn *from_here(struct conn *conn, const struct addr *prefix)
{
    while (conn && !addr_equal(&conn->slot.prefix, prefix))
        conn = conn->near.next;
    return conn;
}

struct conn *neighbours_first(const struct neighbours *neighbours, const struct addr *prefix)
{
    return from_here(neighbours->buckets[bucket_of(neighbours, prefix)].first, prefix);
}

struct conn *neighbours_next(const struct conn *conn)
{
    return from_here(conn->near.next, &conn->slot.prefix);
}

void neighbours_in_vain(struct neighbours *neighbours, const struct addr *prefix, uint64_t now_ms)
{
    struct bucket *bucket = &neighbours->buckets[bucket_of(neighbours, prefix)];
    bucket->barren = *prefix;
    bucket->again_ms = now_ms + AGAIN_MS;
}

bool neighbours_worth_a_look(const struct neighbours *neighbours, const struct addr *prefix,
                             uint64_t now_ms)
{
    const struct bucket *bucket = &neighbours->buckets[bucket_of(neighbours, prefix)];
    return now_ms >= bucket->again_ms || !addr_equal(&bucket->barren, prefix);
}
