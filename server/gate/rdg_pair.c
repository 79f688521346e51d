#include "rdg_pair.h"

#include "fd.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct rdg_pair {
    struct rdg_pair *next;
    struct rdg_pair_key key;
    int feed; /* the other end of `in`; -1: joined */
    atomic_uint references;
    atomic_bool lost, known, opened;
};

/* They wait for milliseconds, and each is a connection that the gate has admitted: a list will do.
 */
struct rdg_pairs {
    pthread_mutex_t lock;
    struct rdg_pair *first;
};

int rdg_pairs_new(struct rdg_pairs **out)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    pthread_mutex_init(&(*out)->lock, NULL);
    return 0;
}

void rdg_pairs_free(struct rdg_pairs *pairs)
{
    if (!pairs)
        return;
    while (pairs->first)
        rdg_pair_withdraw(pairs, pairs->first);
    pthread_mutex_destroy(&pairs->lock);
    free(pairs);
}

/* Locked. The one of this name that waits; another client cannot know a name, but may guess. */
static struct rdg_pair *find(const struct rdg_pairs *pairs, const char *name)
{
    struct rdg_pair *pair = pairs->first;
    while (pair && (pair->feed < 0 || strcmp(pair->key.name, name) != 0))
        pair = pair->next;
    return pair;
}

static bool agrees(const struct rdg_pair_key *one, const struct rdg_pair_key *other)
{
    return addr_equal(&one->address, &other->address) &&
           gnutls_memcmp(one->identity, other->identity, sizeof(one->identity)) == 0;
}

int rdg_pair_offer(struct rdg_pairs *pairs, const struct rdg_pair_key *key, struct rdg_pair **out,
                   int *in)
{
    int ends[2];
    struct rdg_pair *pair = calloc(1, sizeof(*pair));
    if (!pair || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        int error = pair ? -errno : -ENOMEM;
        free(pair);
        return error;
    }
    pair->key = *key;
    pair->feed = ends[1];
    atomic_store(&pair->references, 1);
    pthread_mutex_lock(&pairs->lock);
    bool taken = find(pairs, key->name) != NULL;
    if (!taken) {
        pair->next = pairs->first;
        pairs->first = pair;
    }
    pthread_mutex_unlock(&pairs->lock);
    if (taken) {
        fd_close(&ends[0]);
        fd_close(&ends[1]);
        free(pair);
        return -EEXIST;
    }
    *out = pair;
    *in = ends[0];
    return 0;
}

int rdg_pair_join(struct rdg_pairs *pairs, const struct rdg_pair_key *key, struct rdg_pair **out)
{
    int feed = -ENOENT;
    pthread_mutex_lock(&pairs->lock);
    struct rdg_pair *pair = find(pairs, key->name);
    if (pair && agrees(&pair->key, key)) {
        feed = pair->feed;
        pair->feed = -1;
        atomic_fetch_add(&pair->references, 1);
        *out = pair;
    }
    pthread_mutex_unlock(&pairs->lock);
    return feed;
}

void rdg_pair_lose(struct rdg_pair *pair)
{
    atomic_store(&pair->lost, true);
}

const atomic_bool *rdg_pair_lost(const struct rdg_pair *pair)
{
    return &pair->lost;
}

void rdg_pair_know(struct rdg_pair *pair)
{
    atomic_store(&pair->known, true);
}

bool rdg_pair_known(const struct rdg_pair *pair)
{
    return atomic_load(&pair->known);
}

void rdg_pair_open(struct rdg_pair *pair)
{
    atomic_store(&pair->opened, true);
}

bool rdg_pair_opened(const struct rdg_pair *pair)
{
    return atomic_load(&pair->opened);
}

void rdg_pair_withdraw(struct rdg_pairs *pairs, struct rdg_pair *pair)
{
    if (!pair)
        return;
    pthread_mutex_lock(&pairs->lock);
    struct rdg_pair **at = &pairs->first;
    while (*at && *at != pair)
        at = &(*at)->next;
    if (*at)
        *at = pair->next;
    pthread_mutex_unlock(&pairs->lock);
    if (atomic_fetch_sub(&pair->references, 1) != 1)
        return;
    fd_close(&pair->feed);
    explicit_bzero(pair, sizeof(*pair));
    free(pair);
}
