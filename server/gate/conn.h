/* One client connection: from accept to its last byte. Belongs to the worker (event loop) that took
 * it in; other threads hold references and read only what never changes.
 *
 * (PROXY ─►) SNIFF ─► HANDSHAKE ─► QUIET ─► HTTP ─► HANDOVER (─► TALK) ─► TUNNEL ─► LINGER ─► gone
 *       │          │                   │         └───────► FEED ────────────────▲
 *       └──────────┴───────────────────┴─────────────────┴──────────────────────┘
 *
 * PROXY      of a balancer's ([server] proxy_protocol): who is it that it passes on?
 * SNIFF      TLS port: is the first byte a TLS record's? Plain HTTP gets its answer in plain.
 * QUIET      handshake done, no byte of HTTP yet: costs no HTTP connection.
 * HTTP       bytes go through a socketpair to libmicrohttpd, which parses and answers.
 * HANDOVER   libmicrohttpd has written the 101; what it still holds for the client goes out.
 * FEED       one channel of a legacy pair: what comes goes to the other's conversation and tunnel.
 * TALK       upgraded, but who the desktop is comes out in a conversation (talk.h).
 * LINGER     our last bytes are out; reads until the client closes, so that the kernel does not
 *            reset the connection under them. */
#pragma once

#include "addr.h"
#include "admit.h"
#include "creds.h"
#include "ipc.h"
#include "loop.h"
#include "relay.h"
#include "stream.h"

#include <stdatomic.h>
#include <stdbool.h>

struct gate_listener;
struct guarded;
struct handover;
struct proxy_head;
struct rdg_identity;
struct rdg_pair;
struct talk;
struct tunnel;
struct worker;

enum conn_state {
    CONN_PROXY,
    CONN_SNIFF,
    CONN_HANDSHAKE,
    CONN_QUIET,
    CONN_HTTP,
    CONN_HANDOVER,
    CONN_FEED,
    CONN_TALK,
    CONN_TUNNEL,
    CONN_LINGER,
    CONN_GONE
};

/* In a list of the worker's, from any place of which it can be taken out. */
struct conn_link {
    struct conn *next;
    struct conn **from; /* what points to it; NULL: in no list */
};

/* Who has been accepted, on the way to the worker that keeps it. */
struct newcomer {
    int fd;
    struct addr address; /* the other end's, or what a balancer has told of it */
    bool told;           /* by a balancer: its header has been read */
    size_t tried;        /* workers that it has been to before this one */
    const struct gate_listener *by;
};

struct conn {
    /* Never change once HTTP begins; any thread may read them then. */
    struct worker *worker;
    char id[IPC_CONN_SIZE];
    struct addr address; /* as a balancer says, or the other end's */
    const struct gate_listener *by;
    bool tls, metrics; /* as the listener that it came by (gate.h) */
    bool balancer;     /* it came from one, who says for whom it is ([server] proxy_protocol) */
    bool proxied; /* of a reverse proxy's ([server] trusted_proxies): each request has an address of
                     its own (proxied.h) */

    struct admit_slot slot; /* admit's */

    atomic_uint references;
    /* Written by the HTTP thread, read by the worker's watch: */
    atomic_uint completed; /* requests answered */
    atomic_bool busy;      /* a whole request is being worked on */
    atomic_bool answering; /* its answer is on the way, as fast as the client reads */
    atomic_bool proved;    /* a session was shown that is good, since the watch looked last */
    atomic_bool upgraded;  /* the 101 is on its way: what comes behind the request is not HTTP */
    atomic_bool hushed;    /* what libmicrohttpd says from now on is not for the client */

    struct rdg_identity *rdg; /* HTTP thread's only: what it has proved (rdg_auth.h), or NULL */

    /* The worker's only. */
    enum conn_state state;
    int fd;  /* the client */
    int far; /* the socketpair's end, later the desktop; in FEED, the other channel */
    int in;  /* the channel that takes, of a legacy pair: where the other's bytes come; -1 */
    struct conn_link all, moved; /* of the worker's lists */
    struct conn_link near;       /* of those of one subscriber (neighbours.h) */
    union {
        struct stream stream;
        struct stream_tls tls;
        struct stream_plain plain;
    } outer;
    struct stream_plain far_stream, in_stream;
    struct guarded *guarded; /* HTTP: the far stream, by way of a guard; a tunnel has none */
    struct creds *creds;
    struct relay *relay;
    struct loop_source source; /* while no relay has the descriptor */
    struct loop_timer timer;
    struct {
        unsigned completed; /* at the last look */
        uint64_t up, down;  /* bytes at that time */
        uint64_t since_ms;  /* of the present wait */
        uint64_t begun_ms;  /* when it was accepted */
        uint64_t proved_ms; /* when a session was last shown, to a tick */
        bool partial;       /* a request has begun to arrive */
    } watch;
    struct proxy_head *proxy;  /* PROXY */
    struct handover *handover; /* HANDOVER */
    struct rdg_pair *pair;     /* of a legacy pair: what both channels share */
    struct talk *talk;         /* from HANDOVER to TUNNEL, when there is one */
    struct tunnel *tunnel;     /* once the keeper has opened it */
};

/* Takes over its descriptor (closed when it is not admitted). */
void conn_accept(struct worker *worker, const struct newcomer *newcomer);

struct conn *conn_ref(struct conn *conn); /* any thread */
void conn_unref(struct conn *conn);       /* any thread */

/* The last word, in libmicrohttpd's place, in HTTP: this status ("408 Request Timeout") without a
 * body, then conn_linger(). */
void conn_answer(struct conn *conn, const char *status);

/* Ends at once, in any state. */
void conn_end(struct conn *conn);
/* Says goodbye (close_notify, FIN) and ends when the client has closed, or after 2 s. */
void conn_linger(struct conn *conn);
