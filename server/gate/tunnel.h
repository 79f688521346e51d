/* The life of a tunnel, from the HTTP upgrade to the report of its end. All in the worker's thread
 * unless it says otherwise. */
#pragma once

#include "ipc.h"

#include "relay.h"
#include "stream.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

struct conn;
struct gate_state;

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

/* The same for a conversation that got its desktop: the connection is the tunnel's from now on, but
 * no byte is relayed before tunnel_begin(). Consumes the grant; false: no memory. */
bool tunnel_take(struct conn *conn, struct tunnel_grant *grant);

/* Relays from now on. `desktop` is the stream to the desktop when it is TLS (malloc'd, the tunnel's
 * now); NULL: conn->far as it is. `early`: bytes that the client sent before, in frames. */
void tunnel_begin(struct conn *conn, enum relay_framing framing, struct stream_tls *desktop,
                  const uint8_t *early, size_t size);

/* The client shows words between its packets (RD Gateway's service messages). */
void tunnel_shows_words(struct conn *conn);
/* Words for the person in front of it, UTF-8; nothing where the client does not show them. */
void tunnel_tell(struct conn *conn, const char *words);

/* The client is one that can show its ticket again: it is asked to after so long, and cut off when
 * it does not. 0: never. */
void tunnel_renews(struct conn *conn, uint32_t seconds);
/* It has. */
void tunnel_renewed(struct conn *conn);

/* Decides why it will have ended, unless that is decided already. */
void tunnel_fail(struct conn *conn, enum ipc_end end);
/* What to tell a client: words, and the close code. */
const char *tunnel_words(enum ipc_end end, uint16_t *code);

/* The worker's look, once a second; with `report`, the keeper is told of bytes, when some moved. */
void tunnel_look(struct conn *conn, bool report);

/* Ends politely: close frame with the code and words for `end`. */
void tunnel_close(struct conn *conn, enum ipc_end end);

/* The connection ends: tells the keeper, if there was a tunnel. */
void tunnel_forget(struct conn *conn);

/* A tunnel that the keeper opened and that never came about (any thread). Consumes the grant. */
void tunnel_abandon(struct gate_state *gate, struct tunnel_grant *grant);
