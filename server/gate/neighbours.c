#include "neighbours.h"

#include "conn.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#define BUCKETS 512

struct neighbours {
    uint64_t seed;                 /* so that nobody can choose addresses that share a bucket */
    struct conn *buckets[BUCKETS]; /* the newest of each */
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
    struct conn **list = &neighbours->buckets[bucket_of(neighbours, &conn->slot.prefix)];
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
    return from_here(neighbours->buckets[bucket_of(neighbours, prefix)], prefix);
}

struct conn *neighbours_next(const struct conn *conn)
{
    return from_here(conn->near.next, &conn->slot.prefix);
}
