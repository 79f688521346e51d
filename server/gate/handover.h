/* After an HTTP upgrade the connection changes its owner, between two threads: libmicrohttpd is out
 * of the way and the worker has the client's stream for itself. No byte may be lost at it. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct gate_state;
struct handover;

/* Who takes the connection over. */
struct handover_heir {
    /* Worker's thread: the connection is yours (CONN_HANDOVER); hang `owner` on it. */
    void (*take)(struct conn *conn, void *owner);
    /* Worker's thread, later: the client has the whole 101, and nobody watches its descriptor.
     * `early` are its bytes that have come already, valid during the call. */
    void (*begin)(struct conn *conn, uint8_t *early, size_t size);
    /* Any thread, in place of take(): it did not come about. Frees `owner`. */
    void (*lost)(struct gate_state *gate, void *owner);
    void *owner;
    bool hushed; /* conn->hushed was set before the 101: the client does not get it */
};

/* Called by the HTTP thread from libmicrohttpd's upgrade handler, with what that gave it. `extra`
 * (client's bytes that libmicrohttpd had read beyond the request) is copied. */
void handover_post(struct conn *conn, const struct handover_heir *heir, const void *extra,
                   size_t extra_size, MHD_socket socket, struct MHD_UpgradeResponseHandle *handle);

/* The connection ends before begin(). */
void handover_forget(struct conn *conn);
