/* What the supervisor (server/serve) tells its two children, over one SOCK_SEQPACKET pair each.
 * End of file on it means that the supervisor is gone: the child ends.
 *
 *   to the gate:   CERTIFICATES  2n descriptors: n × (certificate PEM, key PEM), n <=
 * CONF_PAIRS_MAX; first at start, again at each SIGHUP. The gate owns them. DRAIN         stop
 * accepting, close the tunnels (1001), exit 0 to the keeper: GATE          1 descriptor: the
 * keeper's end of a new gate's record socket STOP          flush and exit 0 from either:   READY
 * serving now (the gate: caged and accepting) */
#pragma once

#include <stddef.h>

#define CONTROL_FDS_MAX 8

enum control_type {
    CONTROL_CERTIFICATES = 1,
    CONTROL_DRAIN,
    CONTROL_GATE,
    CONTROL_STOP,
    CONTROL_READY
};

/* 0 or -errno. The descriptors stay the caller's. */
int control_send(int socket, enum control_type type, const int *fds, size_t count);

/* Returns the type (> 0) and fills `fds` (the caller's to close) and `*count`; -EAGAIN when nothing
 * waits on a non-blocking socket, -EPIPE at the end, -EPROTO on rubbish. */
int control_receive(int socket, int fds[CONTROL_FDS_MAX], size_t *count);
