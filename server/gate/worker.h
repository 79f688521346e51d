/* A worker: one event loop in a thread of its own, with its scratch buffers, its share of accepted
 * connections and a tick that looks after them. */
#pragma once

#include "addr.h"
#include "gate_meter.h"
#include "loop.h"
#include "stream.h"

#include <pthread.h>
#include <stdint.h>

struct conn;
struct gate_state;
struct listener;
struct neighbours;

struct worker {
    struct gate_state *gate;
    struct loop *loop;
    struct stream_scratch *scratch;
    pthread_t thread;
    struct listener *listeners;
    size_t listener_count;
    struct conn *conns;   /* this worker's that are no tunnels; looked after every second */
    struct conn *tunnels; /* those that are */
    struct conn *moved;   /* tunnels of which bytes are to be counted */
    struct neighbours *neighbours; /* `conns`, by where they come from */
    struct loop_timer tick;
    struct loop_timer pause;              /* out of descriptors: accept again a little later */
    struct loop_task open, drain, retire; /* each is posted once */
    struct gate_meter meter;
    unsigned ticks;
    uint64_t refused;        /* connections over a limit since the last log line about them */
    uint64_t refused_told;   /* loop_now() of that line */
    uint64_t paused_told;    /* … and of the one that nothing could be accepted; 0: never */
    uint64_t headless_told;  /* likewise, about a missing PROXY header */
    uint64_t foreign_told;   /* … and about one from somebody who may not send any */
    uint64_t displace_again; /* loop_now() before which nobody is looked for (displace.h) */
};

/* Starts the thread. Connections are accepted from worker_open() on. 0 or a negative errno. */
int worker_new(struct worker **out, struct gate_state *gate);
void worker_open(struct worker *worker);   /* any thread */
void worker_retire(struct worker *worker); /* any thread: no more accepts, nothing else */
void worker_drain(struct worker *worker);  /* any thread: no more accepts, close what is there */

/* For conn.c, in the worker's thread. */
void worker_list(struct worker *worker, struct conn *conn);
void worker_list_tunnel(struct worker *worker, struct conn *conn); /* it has become one */
void worker_unlist(struct conn *conn);
/* Payload has moved: the next ticks look at it, until worker_rested(). Twice is fine. */
void worker_moved(struct worker *worker, struct conn *conn);
void worker_rested(struct conn *conn);
/* `limit`: which one was reached, in words. */
void worker_note_refused(struct worker *worker, const struct addr *address, const char *limit);
/* A balancer did not say, or not well, whom it passes on. */
void worker_note_headless(struct worker *worker, const struct addr *balancer);
/* Somebody who is no balancer of ours has sent a PROXY header. */
void worker_note_foreign(struct worker *worker, const struct addr *address);
