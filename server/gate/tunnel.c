/* The hand-over is the one place where a connection changes owner, between two threads:
 *
 * libmicrohttpd has written its whole 101 into the socketpair before it calls the upgrade handler,
 * and does not touch the socket again. The handler posts to the worker, which then owns everything.
 * The client may have sent tunnel bytes already; in order, they are: what libmicrohttpd read beyond
 * the request (`extra`), what still lies in the socketpair, and what the raw relay had taken from
 * TLS and not yet delivered. They become the relay's early bytes. In the other direction, what lies
 * in the raw relay and then in the socketpair (the 101's last bytes, at least) goes to the client
 * before anything of the desktop's. */
#include "tunnel.h"

#include "conn.h"
#include "fd.h"
#include "gate_state.h"
#include "log.h"
#include "owner.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HAND_OVER_MS 10000    /* for the client to take the 101 */
#define EARLY_MOST (1U << 20) /* the socketpair, libmicrohttpd's pool and a relay's backlog fit */

struct bytes {
    uint8_t *data;
    size_t size, at;
};

struct tunnel {
    struct loop_task task; /* the hand-over's way to the worker */
    struct conn *conn;     /* referenced until the task has run */
    MHD_socket socket;
    struct MHD_UpgradeResponseHandle *handle;
    struct tunnel_grant grant;
    struct bytes early; /* client's, for the desktop */
    struct bytes last;  /* libmicrohttpd's, for the client */
    uint64_t reported;  /* up + down at the last report */
    enum ipc_end end;
    bool ending; /* `end` is decided */
};

static const struct {
    uint16_t code; /* RFC 6455 section 7.4; 4000–4999 are ours, listed in the manual */
    const char *words;
} closings[IPC_ENDS] = {
    [IPC_END_LIMIT] = {4007, "the time limit for this connection was reached"},
    [IPC_END_IDLE] = {4006, "closed after a long time without activity"},
    [IPC_END_SIGNED_OUT] = {4001, "you signed out"},
    [IPC_END_SESSION_ENDED] = {4002, "your session was ended"},
    [IPC_END_TUNNEL_ENDED] = {4003, "an administrator ended this connection"},
    [IPC_END_USER_DISABLED] = {4004, "your account was disabled"},
    [IPC_END_GRANT_REMOVED] = {4005, "you may no longer use this desktop"},
    [IPC_END_STOPPING] = {1001, "the gateway is stopping"},
};

static bool append(struct bytes *to, const void *data, size_t size)
{
    if (size == 0)
        return true;
    if (size > EARLY_MOST - to->size)
        return false;
    uint8_t *grown = realloc(to->data, to->size + size);
    if (!grown)
        return false;
    memcpy(grown + to->size, data, size);
    to->data = grown;
    to->size += size;
    return true;
}

/* All that can be read without waiting. */
static bool append_socket(struct bytes *to, int socket)
{
    uint8_t piece[16384];
    for (;;) {
        ssize_t got = recv(socket, piece, sizeof(piece), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        if (!append(to, piece, (size_t)got))
            return false;
    }
}

static void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* ---- the hand-over ---- */

static void on_handed_over(struct loop_task *task);

void tunnel_hand_over(struct conn *conn, const struct tunnel_grant *grant, const void *extra,
                      size_t extra_size, MHD_socket socket,
                      struct MHD_UpgradeResponseHandle *handle)
{
    struct tunnel *tunnel = calloc(1, sizeof(*tunnel));
    if (!tunnel || !append(&tunnel->early, extra, extra_size)) {
        struct tunnel_grant lost = *grant;
        free(tunnel);
        tunnel_abandon(conn->worker->gate, &lost);
        MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
        return;
    }
    tunnel->task.run = on_handed_over;
    tunnel->conn = conn_ref(conn);
    tunnel->grant = *grant;
    tunnel->socket = socket;
    tunnel->handle = handle;
    tunnel->end = IPC_END_SETUP;
    loop_post(conn->worker->loop, &tunnel->task);
}

void tunnel_abandon(struct gate_state *gate, struct tunnel_grant *grant)
{
    struct ipc_tunnel_ended ended;
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = grant->tunnel;
    ended.end = IPC_END_SETUP;
    fd_close(&grant->desktop);
    tunnel_table_remove(gate->tunnels, grant->tunnel);
    keeper_link_tell(gate->keeper, &ended.head);
}

/* Gathers both directions' left-overs and frees the raw relay. */
static bool take_rest(struct conn *conn, struct tunnel *tunnel)
{
    struct relay_rest rest;
    struct relay *raw = conn->relay;
    conn->relay = NULL; /* relay_take() frees it in any case */
    if (relay_take(raw, &rest))
        return false;
    bool all = append_socket(&tunnel->early, tunnel->socket) &&
               append(&tunnel->early, rest.to_plain, rest.to_plain_size) &&
               append(&tunnel->last, rest.to_framed, rest.to_framed_size) &&
               append_socket(&tunnel->last, conn->far);
    free(rest.to_plain);
    free(rest.to_framed);
    return all;
}

static void begin_relay(struct conn *conn);
static void on_writable(struct loop_source *source, uint32_t events);

/* Writes the last HTTP bytes; the relay begins when all are out. */
static void write_last(struct conn *conn)
{
    struct bytes *last = &conn->tunnel->last;
    while (last->at < last->size) {
        ssize_t written =
            stream_write(&conn->outer.stream, last->data + last->at, last->size - last->at);
        if (written == -EAGAIN) {
            conn->source.ready = on_writable;
            if (!conn->source.added &&
                loop_add(conn->worker->loop, &conn->source, conn->fd, EPOLLOUT))
                conn_end(conn);
            return;
        }
        if (written < 0) {
            conn_end(conn);
            return;
        }
        last->at += (size_t)written;
    }
    begin_relay(conn);
}

static void on_writable(struct loop_source *source, uint32_t events)
{
    struct conn *conn = OWNER_OF(source, struct conn, source);
    (void)events;
    int error = stream_flush(&conn->outer.stream);
    if (error == 0)
        write_last(conn);
    else if (error != -EAGAIN)
        conn_end(conn);
}

static void on_handed_over(struct loop_task *task)
{
    struct tunnel *tunnel = OWNER_OF(task, struct tunnel, task);
    struct conn *conn = tunnel->conn;
    struct gate_state *gate = conn->worker->gate;
    tunnel->conn = NULL;
    bool alive = conn->state == CONN_HTTP && take_rest(conn, tunnel);
    MHD_upgrade_action(tunnel->handle, MHD_UPGRADE_ACTION_CLOSE);
    if (!alive) {
        tunnel_abandon(gate, &tunnel->grant);
        bytes_free(&tunnel->early);
        bytes_free(&tunnel->last);
        free(tunnel);
        conn_end(conn);
        conn_unref(conn);
        return;
    }
    conn->tunnel = tunnel;
    conn->state = CONN_HANDOVER;
    tunnel->ending = tunnel_table_ordered(gate->tunnels, tunnel->grant.tunnel, &tunnel->end);
    close(conn->far);
    conn->far = tunnel->grant.desktop;
    tunnel->grant.desktop = -1; /* the connection's now */
    admit_promote(gate->admit, &conn->address);
    conn->promoted = true;
    if (loop_timer_set(conn->worker->loop, &conn->timer, HAND_OVER_MS))
        conn_end(conn);
    else
        write_last(conn);
    conn_unref(conn);
}

/* ---- the tunnel ---- */

static enum ipc_end end_of(enum relay_end end)
{
    switch (end) {
    case RELAY_FRAMED_CLOSED:
        return IPC_END_CLIENT;
    case RELAY_FRAMED_LOST:
        return IPC_END_CLIENT_LOST;
    case RELAY_PLAIN_CLOSED:
        return IPC_END_DESKTOP;
    case RELAY_PLAIN_LOST:
        return IPC_END_DESKTOP_LOST;
    case RELAY_PROTOCOL:
        return IPC_END_PROTOCOL;
    case RELAY_IDLE:
        return IPC_END_IDLE;
    case RELAY_CLOSED:
        break;
    }
    return IPC_END_STOPPING;
}

static void on_relay_ended(struct relay *relay, void *owner, const struct relay_result *result)
{
    struct conn *conn = owner;
    struct tunnel *tunnel = conn->tunnel;
    (void)relay;
    if (!tunnel->ending)
        tunnel->end = end_of(result->end);
    tunnel->ending = true;
    tunnel_forget(conn);
    if (result->end == RELAY_FRAMED_LOST)
        conn_end(conn);
    else
        conn_linger(conn);
}

static void close_relay(struct conn *conn)
{
    enum ipc_end end = conn->tunnel->end;
    uint16_t code = closings[end].code ? closings[end].code : 1001;
    const char *words = closings[end].words ? closings[end].words : "closed by the gateway";
    relay_close(conn->relay, code, words);
}

static void begin_relay(struct conn *conn)
{
    struct worker *worker = conn->worker;
    struct tunnel *tunnel = conn->tunnel;
    loop_remove(worker->loop, &conn->source);
    loop_timer_cancel(worker->loop, &conn->timer);
    bytes_free(&tunnel->last);
    stream_plain_init(&conn->far_stream, conn->far);
    struct relay_setup setup = {
        .loop = worker->loop,
        .scratch = worker->scratch,
        .framed = &conn->outer.stream,
        .plain = &conn->far_stream.stream,
        .framing = RELAY_WS_SERVER,
        .ping_ms = worker->gate->conf->tunnel_ping_seconds * 1000,
        .idle_ms = tunnel->grant.idle_seconds * 1000,
        .early = tunnel->early.data,
        .early_size = tunnel->early.size,
        .ended = on_relay_ended,
        .owner = conn,
    };
    conn->state = CONN_TUNNEL;
    int error = relay_new(&conn->relay, &setup);
    bytes_free(&tunnel->early);
    if (error ||
        loop_timer_set(worker->loop, &conn->timer, tunnel->grant.absolute_seconds * 1000ULL)) {
        conn_end(conn);
        return;
    }
    LOG_INFO("tunnel.open", "a tunnel begins", LOG_TEXT("conn", conn->id),
             LOG_NUMBER("tunnel", tunnel->grant.tunnel));
    /* An order to close it may have come before now. */
    if (tunnel->ending)
        close_relay(conn);
    else if (atomic_load(&worker->gate->draining))
        tunnel_close(conn, IPC_END_STOPPING);
}

void tunnel_report(struct conn *conn)
{
    uint64_t up, down;
    relay_counts(conn->relay, &up, &down);
    if (up + down == conn->tunnel->reported)
        return;
    conn->tunnel->reported = up + down;
    struct ipc_tunnel_counts counts;
    IPC_INIT(&counts, TUNNEL_COUNTS, 0);
    counts.tunnel = conn->tunnel->grant.tunnel;
    counts.up = up;
    counts.down = down;
    keeper_link_tell(conn->worker->gate->keeper, &counts.head);
}

void tunnel_close(struct conn *conn, enum ipc_end end)
{
    struct tunnel *tunnel = conn->tunnel;
    if (!tunnel || tunnel->ending || (unsigned)end >= IPC_ENDS)
        return;
    tunnel->ending = true;
    tunnel->end = end;
    if (!conn->relay)
        return; /* still handing over: begin_relay() looks */
    close_relay(conn);
}

struct close_order {
    struct loop_task task;
    struct conn *conn;
    enum ipc_end end;
};

static void on_close_order(struct loop_task *task)
{
    struct close_order *order = OWNER_OF(task, struct close_order, task);
    tunnel_close(order->conn, order->end);
    conn_unref(order->conn);
    free(order);
}

void tunnel_close_by_number(struct gate_state *gate, int64_t number, enum ipc_end end)
{
    struct conn *conn = tunnel_table_order(gate->tunnels, number, end);
    if (!conn)
        return;
    struct close_order *order = malloc(sizeof(*order));
    if (!order) {
        /* The order must not be lost, and there is no memory for it: better no gate than one that
         * keeps a tunnel which the keeper has forbidden. */
        LOG_ERROR("tunnel.close", "out of memory");
        _exit(71); /* EX_OSERR */
    }
    *order = (struct close_order){.task.run = on_close_order, .conn = conn, .end = end};
    loop_post(conn->worker->loop, &order->task);
}

void tunnel_forget(struct conn *conn)
{
    struct tunnel *tunnel = conn->tunnel;
    struct gate_state *gate = conn->worker->gate;
    if (!tunnel)
        return;
    struct ipc_tunnel_ended ended;
    IPC_INIT(&ended, TUNNEL_ENDED, 0);
    ended.tunnel = tunnel->grant.tunnel;
    ended.end = (uint8_t)tunnel->end;
    if (conn->relay)
        relay_counts(conn->relay, &ended.up, &ended.down);
    LOG_INFO("tunnel.end", "a tunnel ended", LOG_TEXT("conn", conn->id),
             LOG_NUMBER("tunnel", ended.tunnel), LOG_TEXT("why", ipc_end_name(ended.end)),
             LOG_NUMBER("up", ended.up), LOG_NUMBER("down", ended.down));
    keeper_link_tell(gate->keeper, &ended.head);
    conn->tunnel = NULL;
    tunnel_table_remove(gate->tunnels, ended.tunnel);
    bytes_free(&tunnel->early);
    bytes_free(&tunnel->last);
    free(tunnel);
}
