/* Legacy pairs that are not whole yet: an RD Gateway client that cannot have a WebSocket opens one
 * connection that only takes (RDG_OUT_DATA), and then one that only gives (RDG_IN_DATA), and names
 * both alike ([MS-TSGU] section 3.3.5.1). The two may belong to different workers, so what the
 * second gives reaches the first through a socketpair. Any thread. */
#pragma once

#include "addr.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RDG_PAIR_NAME_SIZE 64 /* a GUID in braces has 38 characters */
/* What a gateway password stands for; zero: not signed in yet. */
#define RDG_PAIR_IDENTITY_SIZE 32

struct rdg_pair;
struct rdg_pairs;

/* Both channels must agree in all of it. */
struct rdg_pair_key {
    char name[RDG_PAIR_NAME_SIZE];
    struct addr address;
    uint8_t identity[RDG_PAIR_IDENTITY_SIZE];
};

int rdg_pairs_new(struct rdg_pairs **out); /* 0 or -ENOMEM */
void rdg_pairs_free(struct rdg_pairs *pairs);

/* The channel that takes: `*in` is where the other's bytes will come, the caller's to close. 0;
 * -EEXIST when one of this name waits already; another -errno. */
int rdg_pair_offer(struct rdg_pairs *pairs, const struct rdg_pair_key *key, struct rdg_pair **out,
                   int *in);
/* The channel that gives: the descriptor to write to, the caller's; -ENOENT when no such one waits.
 * One for each offer. */
int rdg_pair_join(struct rdg_pairs *pairs, const struct rdg_pair_key *key, struct rdg_pair **out);
/* The channel that gives is lost, not closed; to be said before its descriptor is closed. */
void rdg_pair_lose(struct rdg_pair *pair);
/* Whether it was. As long as the pair is the caller's. */
const atomic_bool *rdg_pair_lost(const struct rdg_pair *pair);
/* The channel that takes has shown a good ticket; has it? */
void rdg_pair_know(struct rdg_pair *pair);
bool rdg_pair_known(const struct rdg_pair *pair);
/* The channel that takes has become a tunnel; has it? */
void rdg_pair_open(struct rdg_pair *pair);
bool rdg_pair_opened(const struct rdg_pair *pair);
/* Either channel is gone: each gives back its own. NULL is fine. */
void rdg_pair_withdraw(struct rdg_pairs *pairs, struct rdg_pair *pair);
