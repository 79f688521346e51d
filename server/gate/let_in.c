#include "let_in.h"

#include "conn.h"
#include "displace.h"
#include "gate_state.h"
#include "neighbours.h"
#include "pass_on.h"
#include "worker.h"

#include <stdio.h>
#include <unistd.h>

static bool is_of_address(enum admit_answer full)
{
    return full == ADMIT_ADDRESS_FULL || full == ADMIT_ADDRESS_HANDSHAKES_FULL;
}

static bool make_room(struct conn *conn, enum admit_answer full)
{
    if (is_of_address(full))
        return displace_near(conn->worker, full, &conn->address);
    return displace(conn->worker, full);
}

static void note_refused(const struct conn *conn, enum admit_answer full)
{
    const struct conf *conf = conn->worker->gate->conf;
    char limit[128];
    if (full == ADMIT_ADDRESS_FULL)
        snprintf(limit, sizeof(limit), "%u of one address ([server] connections_per_address)",
                 conf->connections_per_address);
    else if (full == ADMIT_ADDRESS_HANDSHAKES_FULL)
        snprintf(limit, sizeof(limit),
                 "%u of one address before TLS is up ([server] handshakes_per_address)",
                 conf->handshakes_per_address);
    else if (conn->metrics)
        snprintf(limit, sizeof(limit), "%d to [metrics] listen", METRICS_CONNECTIONS);
    else
        snprintf(limit, sizeof(limit), "of all addresses (%s)",
                 full != ADMIT_FULL ? "[server] handshakes_percent"
                 : admit_lacks_descriptors(conn->worker->gate->admit)
                     ? "descriptors, LimitNOFILE"
                     : "[server] connections, strangers_percent");
    if (is_of_address(full))
        admit_in_vain(conn->worker->gate->admit, &conn->address, loop_now(conn->worker->loop));
    worker_note_refused(conn->worker, &conn->address, limit);
}

/* A balancer's and a reverse proxy's connections are many people's. */
static enum admit_answer enter(struct conn *conn)
{
    struct gate_state *gate = conn->worker->gate;
    enum admit_stage stage = conn->tls || conn->balancer ? ADMIT_HANDSHAKE : ADMIT_STRANGER;
    const struct addr *address = conn->balancer || conn->proxied ? NULL : &conn->address;
    if (conn->metrics) {
        if (atomic_fetch_add(&gate->metrics_conns, 1) < METRICS_CONNECTIONS)
            return ADMIT_OK;
        atomic_fetch_sub(&gate->metrics_conns, 1);
        return ADMIT_FULL;
    }
    enum admit_answer answer = admit_enter(gate->admit, &conn->slot, stage, address);
    /* Twice at most: one of its address, and one of those that all strangers share. */
    for (int i = 0; i < 2 && answer != ADMIT_OK && make_room(conn, answer); i++)
        answer = admit_enter(gate->admit, &conn->slot, stage, address);
    return answer;
}

/* It counts for this address now, and may have to make room for others from there. */
static void settle(struct conn *conn)
{
    if (conn->slot.addressed)
        neighbours_add(conn->worker->neighbours, conn);
}

void let_out(struct conn *conn)
{
    struct gate_state *gate = conn->worker->gate;
    if (conn->metrics)
        atomic_fetch_sub(&gate->metrics_conns, 1);
    else
        admit_leave(gate->admit, &conn->slot);
}

bool let_in(struct conn *conn, const struct newcomer *newcomer)
{
    enum admit_answer answer = enter(conn);
    if (answer == ADMIT_OK) {
        settle(conn);
    } else if (!is_of_address(answer) || !pass_on(conn->worker, newcomer)) {
        note_refused(conn, answer);
        close(newcomer->fd);
    }
    return answer == ADMIT_OK;
}

/* Its address is full here: the next worker begins anew with it. */
static bool leave_for_another(struct conn *conn)
{
    struct newcomer newcomer = {
        .fd = conn->fd, .address = conn->address, .told = true, .by = conn->by};
    loop_remove(conn->worker->loop, &conn->source);
    admit_leave(conn->worker->gate->admit, &conn->slot);
    bool left = pass_on(conn->worker, &newcomer);
    if (left)
        conn->fd = -1;
    return left;
}

bool let_in_told(struct conn *conn)
{
    struct admit *admit = conn->worker->gate->admit;
    enum admit_answer answer = admit_address(admit, &conn->slot, &conn->address);
    if (answer != ADMIT_OK && make_room(conn, answer))
        answer = admit_address(admit, &conn->slot, &conn->address);
    if (answer == ADMIT_OK)
        settle(conn);
    else if (!leave_for_another(conn))
        note_refused(conn, answer);
    return answer == ADMIT_OK;
}
