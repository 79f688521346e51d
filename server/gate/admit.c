#include "admit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 4096
#define AGAIN_MS 100

struct visitor { /* one subscriber's prefix with at least one connection that is no tunnel yet */
    struct visitor *next;
    struct addr prefix;
    uint32_t count, stages[ADMIT_TUNNEL]; /* in all, and in each stage */
    uint64_t again_ms; /* before which nobody is looked for who could make room */
};

struct admit {
    pthread_mutex_t lock;
    struct admit_limits most;
    uint32_t stages[ADMIT_TUNNEL + 1]; /* connections in each; OUT is not counted */
    uint64_t seed;                     /* so that nobody can choose addresses that share a bucket */
    struct visitor *buckets[BUCKETS];
};

int admit_new(struct admit **out, const struct admit_limits *limits)
{
    struct admit *admit = calloc(1, sizeof(*admit));
    if (!admit)
        return -ENOMEM;
    if (getrandom(&admit->seed, sizeof(admit->seed), 0) != sizeof(admit->seed)) {
        free(admit);
        return -ENOMEM;
    }
    pthread_mutex_init(&admit->lock, NULL);
    admit->most = *limits;
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

void admit_set_limits(struct admit *admit, const struct admit_limits *limits)
{
    pthread_mutex_lock(&admit->lock);
    uint32_t total = admit->most.total;
    admit->most = *limits;
    admit->most.total = total;
    pthread_mutex_unlock(&admit->lock);
}

static struct visitor **find(struct admit *admit, const struct addr *prefix)
{
    struct visitor **at = &admit->buckets[addr_hash(prefix, admit->seed) % BUCKETS];
    while (*at && !addr_equal(&(*at)->prefix, prefix))
        at = &(*at)->next;
    return at;
}

static uint32_t strangers(const struct admit *admit)
{
    return admit->stages[ADMIT_HANDSHAKE] + admit->stages[ADMIT_STRANGER];
}

static uint32_t total(const struct admit *admit)
{
    return strangers(admit) + admit->stages[ADMIT_KNOWN] + admit->stages[ADMIT_TUNNEL];
}

/* ---- per address ---- */

static enum admit_answer room_of(const struct admit *admit, const struct visitor *visitor,
                                 enum admit_stage stage)
{
    if (!visitor)
        return ADMIT_OK;
    /* First: one less of these makes room in both. */
    if (stage == ADMIT_HANDSHAKE && visitor->stages[stage] >= admit->most.handshakes_each)
        return ADMIT_ADDRESS_HANDSHAKES_FULL;
    return visitor->count >= admit->most.each ? ADMIT_ADDRESS_FULL : ADMIT_OK;
}

static void count_down(struct admit *admit, const struct admit_slot *slot)
{
    struct visitor **at = find(admit, &slot->prefix);
    if (!*at)
        return;
    (*at)->stages[slot->stage]--;
    if (--(*at)->count)
        return;
    struct visitor *gone = *at;
    *at = gone->next;
    free(gone);
}

/* From nobody to `address`. */
static enum admit_answer give(struct admit *admit, struct admit_slot *slot,
                              const struct addr *address, enum admit_stage stage)
{
    slot->prefix = addr_subscriber(address);
    if (stage == ADMIT_TUNNEL) {
        slot->addressed = true;
        return ADMIT_OK;
    }
    struct visitor **at = find(admit, &slot->prefix);
    enum admit_answer answer = room_of(admit, *at, stage);
    if (answer == ADMIT_OK && !*at) {
        *at = calloc(1, sizeof(**at));
        if (!*at)
            return ADMIT_ADDRESS_FULL;
        (*at)->prefix = slot->prefix;
    }
    if (answer == ADMIT_OK) {
        (*at)->count++;
        (*at)->stages[stage]++;
        slot->addressed = true;
    }
    return answer;
}

static void take_back(struct admit *admit, struct admit_slot *slot)
{
    if (slot->addressed && slot->stage != ADMIT_TUNNEL)
        count_down(admit, slot);
    slot->addressed = false;
}

/* ---- a connection's way ---- */

static bool descriptors_left(const struct admit *admit)
{
    uint32_t tunnels = admit->stages[ADMIT_TUNNEL];
    uint32_t held =
        ADMIT_DESCRIPTORS * (total(admit) - tunnels) + ADMIT_DESCRIPTORS_TUNNEL * tunnels;
    return !admit->most.descriptors || held + ADMIT_DESCRIPTORS <= admit->most.descriptors;
}

static enum admit_answer room_for(const struct admit *admit, enum admit_stage stage)
{
    if (total(admit) >= admit->most.total || strangers(admit) >= admit->most.strangers ||
        !descriptors_left(admit))
        return ADMIT_FULL;
    if (stage == ADMIT_HANDSHAKE && admit->stages[ADMIT_HANDSHAKE] >= admit->most.handshakes)
        return ADMIT_HANDSHAKES_FULL;
    return ADMIT_OK;
}

/* Its address is asked first: who is one too many there makes nobody of another address go. */
enum admit_answer admit_enter(struct admit *admit, struct admit_slot *slot, enum admit_stage stage,
                              const struct addr *address)
{
    enum admit_answer answer = ADMIT_OK;
    pthread_mutex_lock(&admit->lock);
    if (address) {
        struct addr prefix = addr_subscriber(address);
        answer = room_of(admit, *find(admit, &prefix), stage);
    }
    if (answer == ADMIT_OK)
        answer = room_for(admit, stage);
    if (answer == ADMIT_OK && address)
        answer = give(admit, slot, address, stage);
    if (answer == ADMIT_OK) {
        slot->stage = stage;
        admit->stages[stage]++;
    }
    pthread_mutex_unlock(&admit->lock);
    return answer;
}

enum admit_answer admit_address(struct admit *admit, struct admit_slot *slot,
                                const struct addr *address)
{
    enum admit_answer answer = ADMIT_OK;
    pthread_mutex_lock(&admit->lock);
    if (slot->stage != ADMIT_OUT) {
        take_back(admit, slot);
        if (address)
            answer = give(admit, slot, address, slot->stage);
    }
    pthread_mutex_unlock(&admit->lock);
    return answer;
}

void admit_stage(struct admit *admit, struct admit_slot *slot, enum admit_stage stage)
{
    pthread_mutex_lock(&admit->lock);
    if (slot->stage != ADMIT_OUT && slot->stage != ADMIT_TUNNEL && slot->stage != stage) {
        struct visitor **at = slot->addressed ? find(admit, &slot->prefix) : NULL;
        if (at && stage == ADMIT_TUNNEL) {
            count_down(admit, slot);
        } else if (at && *at) {
            (*at)->stages[slot->stage]--;
            (*at)->stages[stage]++;
        }
        admit->stages[slot->stage]--;
        admit->stages[stage]++;
        slot->stage = stage;
    }
    pthread_mutex_unlock(&admit->lock);
}

bool admit_lacks_descriptors(struct admit *admit)
{
    pthread_mutex_lock(&admit->lock);
    bool left = descriptors_left(admit);
    pthread_mutex_unlock(&admit->lock);
    return !left;
}

bool admit_known_to_spare(struct admit *admit, const struct addr *address)
{
    struct addr prefix = addr_subscriber(address);
    pthread_mutex_lock(&admit->lock);
    const struct admit_limits *most = &admit->most;
    const struct visitor *visitor = *find(admit, &prefix);
    uint64_t kept = most->each - (uint64_t)most->each * most->strangers / most->total;
    bool many = visitor && visitor->stages[ADMIT_KNOWN] > kept;
    pthread_mutex_unlock(&admit->lock);
    return many;
}

bool admit_worth_a_look(struct admit *admit, const struct addr *address, uint64_t now_ms)
{
    struct addr prefix = addr_subscriber(address);
    pthread_mutex_lock(&admit->lock);
    const struct visitor *visitor = *find(admit, &prefix);
    bool worth = visitor && now_ms >= visitor->again_ms;
    pthread_mutex_unlock(&admit->lock);
    return worth;
}

void admit_in_vain(struct admit *admit, const struct addr *address, uint64_t now_ms)
{
    struct addr prefix = addr_subscriber(address);
    pthread_mutex_lock(&admit->lock);
    struct visitor *visitor = *find(admit, &prefix);
    if (visitor && now_ms >= visitor->again_ms)
        visitor->again_ms = now_ms + AGAIN_MS;
    pthread_mutex_unlock(&admit->lock);
}

void admit_leave(struct admit *admit, struct admit_slot *slot)
{
    pthread_mutex_lock(&admit->lock);
    if (slot->stage != ADMIT_OUT) {
        take_back(admit, slot);
        admit->stages[slot->stage]--;
        slot->stage = ADMIT_OUT;
    }
    pthread_mutex_unlock(&admit->lock);
}

/* ---- numbers ---- */

uint32_t admit_count(struct admit *admit)
{
    pthread_mutex_lock(&admit->lock);
    uint32_t count = total(admit);
    pthread_mutex_unlock(&admit->lock);
    return count;
}

uint32_t admit_most(const struct admit *admit)
{
    return admit->most.total;
}

void admit_strangers(struct admit *admit, uint32_t *count, uint32_t *handshakes)
{
    pthread_mutex_lock(&admit->lock);
    *count = strangers(admit);
    *handshakes = admit->stages[ADMIT_HANDSHAKE];
    pthread_mutex_unlock(&admit->lock);
}
