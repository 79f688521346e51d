/* Dialling a desktop: resolve its name in a thread, check every address against the policy, connect
 * to exactly the address that was checked, the next one when it fails. A desktop that may be asleep
 * is woken when it has not answered within a second, and dialled again and again until it does. */
#pragma once

#include "conf.h"
#include "histogram.h"
#include "ipc.h"
#include "loop.h"
#include "pool.h"

struct dial;

struct dial_meter { /* the caller's, zeroed */
    uint64_t outcomes[IPC_STATUSES];
    struct histogram took;
    uint32_t under_way;
    uint64_t woken, silent; /* of those that had to be woken: answered in the end, or not */
};

struct dial_setup {
    struct loop *loop;
    struct pool *resolvers;
    const struct conf *conf;
    const char *host; /* a name or an address; copied */
    uint16_t port;
    uint32_t seconds; /* 0: conf->dial_seconds */
    /* Called once, from the loop, never from within dial_start(): IPC_OK with a connected,
     * non-blocking socket that is now the callee's, or IPC_DESKTOP_*, and -1. */
    void (*done)(void *owner, enum ipc_status status, int fd);
    void *owner;
    struct dial_meter *meter; /* or NULL */
    const uint8_t *mac;       /* WAKE_MAC_SIZE bytes, copied; NULL: it is not to be woken */
    /* It does not answer and is woken now, by packets to so many addresses; 0: there is nowhere to
     * send one to, and the dial goes on as if it had no MAC. Or NULL. */
    void (*waking)(void *owner, size_t packets);
};

/* 0 or a negative errno (then `done` is not called). It ends by itself in time. */
int dial_start(const struct dial_setup *setup);
