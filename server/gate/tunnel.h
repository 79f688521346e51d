/* The life of a tunnel, from the HTTP upgrade to the report of its end. All in the worker's thread
 * unless it says otherwise. */
#pragma once

#include "ipc.h"

#include <microhttpd.h>
#include <stdint.h>

struct conn;

/* What an upgraded request hands over. */
struct tunnel_grant {
    int64_t tunnel;            /* the keeper's number */
    int desktop;               /* the connected socket; owned by whoever holds the grant */
    uint32_t idle_seconds;     /* 0: no limit */
    uint32_t absolute_seconds; /* from now */
};

/* Called by the HTTP thread from libmicrohttpd's upgrade handler: takes the connection over from
 * it. `extra` are client's bytes that libmicrohttpd had read beyond the request (copied). Consumes
 * the grant. */
void tunnel_hand_over(struct conn *conn, const struct tunnel_grant *grant, const void *extra,
                      size_t extra_size, MHD_socket socket,
                      struct MHD_UpgradeResponseHandle *handle);

/* The worker's periodic report of bytes, when some moved. */
void tunnel_report(struct conn *conn);

/* Ends politely: close frame with the code and words for `end`. */
void tunnel_close(struct conn *conn, enum ipc_end end);
/* Any thread: the same, for the tunnel with this number, wherever it lives. */
struct gate_state;
void tunnel_close_by_number(struct gate_state *gate, int64_t tunnel, enum ipc_end end);

/* The connection ends: tells the keeper, if there was a tunnel. */
void tunnel_forget(struct conn *conn);

/* A tunnel that the keeper opened and that never came about (any thread). Consumes the grant. */
void tunnel_abandon(struct gate_state *gate, struct tunnel_grant *grant);
