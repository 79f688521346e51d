/* What the supervisor (server/serve) tells its two children, over one SOCK_SEQPACKET pair each, and
 * a supervisor its successors of other versions: numbers stay what they are.
 * End of file on it means that the supervisor is gone: the child ends. */
#pragma once

#include <stddef.h>

#define CONTROL_FDS_MAX 8

enum control_type {
    /* To the gate: 2n descriptors, n × (certificate PEM, key PEM), n <= CONF_PAIRS_MAX; first at
     * start, again at each SIGHUP. The gate owns them. */
    CONTROL_CERTIFICATES = 1,
    /* To the gate: stop accepting, close the tunnels (1001), exit 0. */
    CONTROL_DRAIN,
    /* To the keeper: one descriptor, its end of a new gate's record socket. */
    CONTROL_GATE,
    /* To the keeper: flush and exit 0. To a successor's supervisor: as SIGTERM. */
    CONTROL_STOP,
    /* From either, and from a successor's supervisor: serving now (the gate: caged and accepting).
     */
    CONTROL_READY,
    /* To the gate: one descriptor, PEM of who may sign desktops' certificates; behind CERTIFICATES,
     * when one is configured. */
    CONTROL_AUTHORITIES,
    /* To the gate: two descriptors, certificate and key (PEM) to sign .rdp files with; behind
     * CERTIFICATES, when they are configured. */
    CONTROL_RDP_SIGNER,
    /* From the keeper: one descriptor, an alert as JSON in a sealed memory file. */
    CONTROL_ALERT,
    /* To the keeper: one descriptor, its end of the pair that leads to who forwards the audit log
     * (keeper/audit_forward.h); in place of the one before. */
    CONTROL_FORWARD,
    /* To both: another pair serves from now on, this one ends what it has begun. The gate accepts
     * no more and exits 0 when nothing is left; the keeper leaves the duties to the other one
     * (keeper/duty.h). To a successor's supervisor (serve/serve_heirs.h): the same for its pair. */
    CONTROL_RETIRE,
    /* To the keeper, and to a successor's supervisor: no other keeper has the store any more. */
    CONTROL_ALONE,
    /* To both: one descriptor, the configuration anew (serve/serve_child.h). */
    CONTROL_CONF,
    /* To a successor's supervisor: as SIGHUP. */
    CONTROL_RELOAD,
    CONTROL_TYPES /* the first that is none */
};

/* 0 or -errno. The descriptors stay the caller's. */
int control_send(int socket, enum control_type type, const int *fds, size_t count);

/* Returns the type (> 0) and fills `fds` (the caller's to close) and `*count`; -EAGAIN when nothing
 * waits on a non-blocking socket, -EPIPE at the end, -EPROTO on rubbish. */
int control_receive(int socket, int fds[CONTROL_FDS_MAX], size_t *count);
