/* How many connections there may be: in total, of those on which nobody has signed in, of those
 * that are not through with the TLS handshake; and per client address while they are not tunnels
 * yet. Thread-safe; touched when a connection comes, gets further, or goes: never per byte. */
#pragma once

#include "addr.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct admit;

struct admit_limits {
    uint32_t total;
    uint32_t strangers;       /* of them, in HANDSHAKE and STRANGER */
    uint32_t handshakes;      /* of them, in HANDSHAKE */
    uint32_t each;            /* of one subscriber's, all but tunnels … */
    uint32_t handshakes_each; /* … and in HANDSHAKE */
    uint32_t descriptors;     /* that all of them may hold; 0: any number */
};

/* Descriptors that a connection holds: its own, and a pair towards libmicrohttpd; as a tunnel, its
 * own and the desktop's. (Of a legacy pair of an RD Gateway client the one that takes has three,
 * and the other one, which is no tunnel, two.) */
#define ADMIT_DESCRIPTORS 3
#define ADMIT_DESCRIPTORS_TUNNEL 2

/* How far a connection has got. Only ever forward, but for what a reverse proxy uses again. */
enum admit_stage {
    ADMIT_OUT,
    ADMIT_HANDSHAKE, /* accepted; no TLS yet, nor perhaps the client's address */
    ADMIT_STRANGER,  /* nobody has signed in */
    ADMIT_KNOWN,     /* somebody has */
    ADMIT_TUNNEL     /* counts in total only */
};

/* A connection's place, zero-initialised and not moved. Written under admit's lock; `stage` may be
 * looked at without. */
struct admit_slot {
    _Atomic enum admit_stage stage;
    bool addressed; /* counts for `prefix` */
    struct addr prefix;
};

enum admit_answer {
    ADMIT_OK,
    ADMIT_ADDRESS_FULL,            /* too many from there */
    ADMIT_ADDRESS_HANDSHAKES_FULL, /* … in HANDSHAKE */
    ADMIT_HANDSHAKES_FULL,         /* one less in HANDSHAKE would make room */
    ADMIT_FULL                     /* … in HANDSHAKE or STRANGER … */
};

int admit_new(struct admit **out, const struct admit_limits *limits); /* 0 or -ENOMEM */
void admit_free(struct admit *admit);
/* All but the total, for those to come. */
void admit_set_limits(struct admit *admit, const struct admit_limits *limits);

/* A new connection, in HANDSHAKE or STRANGER. `address` NULL: it counts for no address (yet), since
 * the other end passes on the connections of many. After OK, admit_leave() is due. */
enum admit_answer admit_enter(struct admit *admit, struct admit_slot *slot, enum admit_stage stage,
                              const struct addr *address);
/* It is this address's from now on, or nobody's. Too many from there: it counts for nobody then,
 * and must not go on for that address. Out of its place already: OK, and nothing happens. */
enum admit_answer admit_address(struct admit *admit, struct admit_slot *slot,
                                const struct addr *address);
/* It has got to this stage. */
void admit_stage(struct admit *admit, struct admit_slot *slot, enum admit_stage stage);
/* Whether those of this address on which somebody has signed in hold more than is kept for such:
 * as much of what one address may have as of all connections. */
bool admit_known_to_spare(struct admit *admit, const struct addr *address);
/* Nobody of this address could make room at `now_ms`: for some time nobody is looked for, so that a
 * flood does not make us look for each newcomer. */
void admit_in_vain(struct admit *admit, const struct addr *address, uint64_t now_ms);
bool admit_worth_a_look(struct admit *admit, const struct addr *address, uint64_t now_ms);
/* Descriptors are what there is no room in. */
bool admit_lacks_descriptors(struct admit *admit);
void admit_leave(struct admit *admit, struct admit_slot *slot); /* may run twice */

uint32_t admit_count(struct admit *admit);      /* connections there are … */
uint32_t admit_most(const struct admit *admit); /* … and may be */
/* Those on which nobody has signed in, and of these, those in HANDSHAKE. */
void admit_strangers(struct admit *admit, uint32_t *strangers, uint32_t *handshakes);
