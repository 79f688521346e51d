#include "admit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 4096

struct visitor { /* one subscriber's prefix with at least one connection that is no tunnel yet */
    struct visitor *next;
    struct addr prefix;
    uint32_t count;
};

struct admit {
    pthread_mutex_t lock;
    uint32_t total, most_total, most_each;
    uint64_t seed; /* so that nobody can choose addresses that share a bucket */
    struct visitor *buckets[BUCKETS];
};

int admit_new(struct admit **out, uint32_t total, uint32_t per_address)
{
    struct admit *admit = calloc(1, sizeof(*admit));
    if (!admit)
        return -ENOMEM;
    if (getrandom(&admit->seed, sizeof(admit->seed), 0) != sizeof(admit->seed)) {
        free(admit);
        return -ENOMEM;
    }
    pthread_mutex_init(&admit->lock, NULL);
    admit->most_total = total;
    admit->most_each = per_address;
    *out = admit;
    return 0;
}

void admit_free(struct admit *admit)
{
    if (!admit)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (admit->buckets[i]) {
            struct visitor *next = admit->buckets[i]->next;
            free(admit->buckets[i]);
            admit->buckets[i] = next;
        }
    }
    pthread_mutex_destroy(&admit->lock);
    free(admit);
}

void admit_set_per_address(struct admit *admit, uint32_t per_address)
{
    pthread_mutex_lock(&admit->lock);
    admit->most_each = per_address;
    pthread_mutex_unlock(&admit->lock);
}

static struct visitor **find(struct admit *admit, const struct addr *prefix)
{
    uint64_t halves[2], hash = admit->seed;
    memcpy(halves, prefix->bytes, sizeof(halves));
    for (size_t i = 0; i < 2; i++) {
        /* The finaliser of MurmurHash3, by Austin Appleby, public domain. */
        hash ^= halves[i];
        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdULL;
        hash ^= hash >> 33;
        hash *= 0xc4ceb9fe1a85ec53ULL;
        hash ^= hash >> 33;
    }
    struct visitor **at = &admit->buckets[hash % BUCKETS];
    while (*at && !addr_equal(&(*at)->prefix, prefix))
        at = &(*at)->next;
    return at;
}

static bool count_up(struct admit *admit, const struct addr *prefix)
{
    struct visitor **at = find(admit, prefix);
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        if (!*at)
            return false;
        (*at)->prefix = *prefix;
    }
    if ((*at)->count >= admit->most_each)
        return false;
    (*at)->count++;
    return true;
}

static void count_down(struct admit *admit, const struct addr *address)
{
    struct addr prefix = addr_subscriber(address);
    struct visitor **at = find(admit, &prefix);
    if (!*at || --(*at)->count)
        return;
    struct visitor *gone = *at;
    *at = gone->next;
    free(gone);
}

bool admit_enter(struct admit *admit, const struct addr *address)
{
    struct addr prefix = addr_subscriber(address);
    pthread_mutex_lock(&admit->lock);
    bool in = admit->total < admit->most_total && count_up(admit, &prefix);
    if (in)
        admit->total++;
    pthread_mutex_unlock(&admit->lock);
    return in;
}

void admit_promote(struct admit *admit, const struct addr *address)
{
    pthread_mutex_lock(&admit->lock);
    count_down(admit, address);
    pthread_mutex_unlock(&admit->lock);
}

void admit_leave(struct admit *admit, const struct addr *address, bool promoted)
{
    pthread_mutex_lock(&admit->lock);
    admit->total--;
    if (!promoted)
        count_down(admit, address);
    pthread_mutex_unlock(&admit->lock);
}

uint32_t admit_count(struct admit *admit)
{
    pthread_mutex_lock(&admit->lock);
    uint32_t count = admit->total;
    pthread_mutex_unlock(&admit->lock);
    return count;
}

uint32_t admit_most(const struct admit *admit)
{
    return admit->most_total;
}
