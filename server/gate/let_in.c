#include "let_in.h"

#include "conn.h"
#include "displace.h"
#include "gate_state.h"
#include "neighbours.h"
#include "pass_on.h"
#include "worker.h"

#include <stdio.h>
#include <unistd.h>

bool let_in_balancer(const struct conn *conn)
{
    const struct conf_nets *balancers = &conn->worker->gate->conf->proxy_protocol;
    return !conn->metrics && addr_in_any(&conn->address, balancers->nets, balancers->count);
}

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
        snprintf(limit, sizeof(limit), "of all addresses ([server] %s)",
                 full == ADMIT_FULL ? "connections, strangers_percent" : "handshakes_percent");
    if (is_of_address(full))
        admit_in_vain(conn->worker->gate->admit, &conn->address, loop_now(conn->worker->loop));
    worker_note_refused(conn->worker, &conn->address, limit);
}

/* A balancer's and a reverse proxy's connections are many people's. */
static enum admit_answer enter(struct conn *conn)
{
    struct gate_state *gate = conn->worker->gate;
    bool balancer = let_in_balancer(conn);
    enum admit_stage stage = conn->tls || balancer ? ADMIT_HANDSHAKE : ADMIT_STRANGER;
    const struct addr *address = balancer || conn->proxied ? NULL : &conn->address;
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

bool let_in_from(struct conn *conn)
{
    struct admit *admit = conn->worker->gate->admit;
    enum admit_answer answer = admit_address(admit, &conn->slot, &conn->address);
    if (answer != ADMIT_OK && make_room(conn, answer))
        answer = admit_address(admit, &conn->slot, &conn->address);
    if (answer == ADMIT_OK)
        settle(conn);
    else
        note_refused(conn, answer);
    return answer == ADMIT_OK;
}

void let_out(struct conn *conn)
{
    struct gate_state *gate = conn->worker->gate;
    if (conn->metrics)
        atomic_fetch_sub(&gate->metrics_conns, 1);
    else
        admit_leave(gate->admit, &conn->slot);
}

static void turn_away(struct conn *conn, enum admit_answer full, const struct gate_listener *kind,
                      size_t tried)
{
    if (is_of_address(full) && pass_on(conn->worker, conn->fd, &conn->address, kind, tried))
        return;
    note_refused(conn, full);
    close(conn->fd);
}

bool let_in(struct conn *conn, const struct gate_listener *kind, size_t tried)
{
    enum admit_answer answer = enter(conn);
    if (answer == ADMIT_OK)
        settle(conn);
    else
        turn_away(conn, answer, kind, tried);
    return answer == ADMIT_OK;
}
