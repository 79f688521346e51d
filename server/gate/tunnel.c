#include "tunnel.h"

#include "conn.h"
#include "fd.h"
#include "gate_state.h"
#include "handover.h"
#include "log.h"
#include "rdg_pair.h"
#include "talk.h"
#include "tsgu.h"
#include "worker.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tunnel {
    struct tunnel_grant grant;      /* its socket is the connection's (conn->far) from take() on */
    struct stream_tls *desktop_tls; /* TLS of our own with the desktop; NULL: bare bytes */
    uint64_t reported;              /* up + down at the last report */
    uint64_t metered_up, metered_down;
    enum ipc_end end;
    bool ending; /* `end` is decided */
    bool shows_words;
    bool asked_again;       /* to show its ticket; until renew_ms */
    uint32_t renew_seconds; /* 0: it is not asked to */
    uint64_t renew_ms;      /* the next time */
};

static const struct {
    uint16_t code; /* RFC 6455 section 7.4; 4000–4999 are ours, in deskgate-operation(7) */
    const char *words;
} closings[IPC_ENDS] = {
    [IPC_END_LIMIT] = {RELAY_LIMIT_CODE, "the time limit for this connection was reached"},
    [IPC_END_IDLE] = {RELAY_IDLE_CODE, "closed after a long time without activity"},
    [IPC_END_SIGNED_OUT] = {4001, "you signed out"},
    [IPC_END_SESSION_ENDED] = {4002, "your session was ended"},
    [IPC_END_TUNNEL_ENDED] = {4003, "an administrator ended this connection"},
    [IPC_END_USER_DISABLED] = {4004, "your account was disabled"},
    [IPC_END_GRANT_REMOVED] = {4005, "you may no longer use this desktop"},
    [IPC_END_STOPPING] = {1001, "the gateway is stopping"},
};

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

/* ---- the beginning ---- */

static struct tunnel *tunnel_new(const struct tunnel_grant *grant)
{
    struct tunnel *tunnel = calloc(1, sizeof(*tunnel));
    if (!tunnel)
        return NULL;
    tunnel->grant = *grant;
    tunnel->end = IPC_END_SETUP;
    return tunnel;
}

static void take(struct conn *conn, void *owner)
{
    struct tunnel *tunnel = owner;
    struct gate_state *gate = conn->worker->gate;
    conn->tunnel = tunnel;
    conn->far = tunnel->grant.desktop;
    tunnel->grant.desktop = -1; /* the connection's now */
    tunnel->ending = tunnel_table_ordered(gate->tunnels, tunnel->grant.tunnel, &tunnel->end);
    admit_stage(gate->admit, &conn->slot, ADMIT_TUNNEL);
    if (conn->pair)
        rdg_pair_open(conn->pair);
}

static void begin(struct conn *conn, uint8_t *early, size_t size)
{
    tunnel_begin(conn, RELAY_WS_SERVER, NULL, early, size);
}

static void lost(struct gate_state *gate, void *owner)
{
    struct tunnel *tunnel = owner;
    tunnel_abandon(gate, &tunnel->grant);
    free(tunnel);
}

void tunnel_hand_over(struct conn *conn, const struct tunnel_grant *grant, const void *extra,
                      size_t extra_size, MHD_socket socket,
                      struct MHD_UpgradeResponseHandle *handle)
{
    struct handover_heir heir = {take, begin, lost, tunnel_new(grant), false};
    if (heir.owner) {
        handover_post(conn, &heir, extra, extra_size, socket, handle);
        return;
    }
    struct tunnel_grant unused = *grant;
    tunnel_abandon(conn->worker->gate, &unused);
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

bool tunnel_take(struct conn *conn, struct tunnel_grant *grant)
{
    struct tunnel *tunnel = tunnel_new(grant);
    if (!tunnel) {
        tunnel_abandon(conn->worker->gate, grant);
        return false;
    }
    take(conn, tunnel);
    return true;
}

/* ---- the tunnel ---- */

static enum ipc_end end_of(const struct conn *conn, const struct relay_result *result)
{
    const struct stream_tls *desktop = conn->tunnel->desktop_tls;
    switch (result->end) {
    case RELAY_FRAMED_CLOSED:
        return IPC_END_CLIENT;
    case RELAY_FRAMED_LOST:
        return IPC_END_CLIENT_LOST;
    case RELAY_PLAIN_CLOSED:
        return IPC_END_DESKTOP;
    case RELAY_PLAIN_LOST:
        /* Windows and xrdp end TLS without a close_notify. */
        return desktop && desktop->gone ? IPC_END_DESKTOP : IPC_END_DESKTOP_LOST;
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
        tunnel->end = end_of(conn, result);
    tunnel->ending = true;
    tunnel_forget(conn);
    if (result->end == RELAY_FRAMED_LOST)
        conn_end(conn);
    else
        conn_linger(conn);
}

/* What a ticket is good for from now on depends on it. */
static void on_relay_decided(void *owner, const struct relay_result *result)
{
    struct conn *conn = owner;
    struct ipc_tunnel_ending ending;
    IPC_INIT(&ending, TUNNEL_ENDING, 0);
    ending.tunnel = conn->tunnel->grant.tunnel;
    ending.end = (uint8_t)(conn->tunnel->ending ? conn->tunnel->end : end_of(conn, result));
    keeper_link_tell(conn->worker->gate->keeper, &ending.head);
}

/* Who shows a desktop on which nothing happens costs no look. */
static void on_relay_moved(void *owner)
{
    struct conn *conn = owner;
    worker_moved(conn->worker, conn);
}

static void close_relay(struct conn *conn)
{
    uint16_t code;
    const char *words = tunnel_words(conn->tunnel->end, &code);
    relay_close(conn->relay, code, words);
}

/* Who answers no ping is lost (relay/relay_clock.c); so is, after as long, a client that owes none,
 * or that cannot be asked because the desktop takes nothing, when its machine is silent. */
#define PINGS_LOST 4

void tunnel_begin(struct conn *conn, enum relay_framing framing, struct stream_tls *desktop,
                  const uint8_t *early, size_t size)
{
    struct worker *worker = conn->worker;
    struct tunnel *tunnel = conn->tunnel;
    tunnel->desktop_tls = desktop;
    if (desktop)
        stream_tls_direct(desktop, false);
    else
        stream_plain_init(&conn->far_stream, conn->far);
    if (conn->tls)
        stream_tls_direct(&conn->outer.tls, true);
    fd_lost_after(conn->fd, PINGS_LOST * worker->gate->conf->tunnel_ping_seconds);
    struct relay_setup setup = {
        .loop = worker->loop,
        .scratch = worker->scratch,
        .framed = &conn->outer.stream,
        .plain = desktop ? &desktop->stream : &conn->far_stream.stream,
        .framed_in = framing == RELAY_RDG ? &conn->in_stream.stream : NULL,
        .in_lost = framing == RELAY_RDG ? rdg_pair_lost(conn->pair) : NULL,
        .framing = framing,
        .ping_ms = worker->gate->conf->tunnel_ping_seconds * 1000,
        .idle_ms = tunnel->grant.idle_seconds * 1000ULL,
        .early = early,
        .early_size = size,
        .ended = on_relay_ended,
        .decided = on_relay_decided,
        .moved = on_relay_moved,
        .owner = conn,
    };
    conn->state = CONN_TUNNEL;
    worker_list_tunnel(worker, conn);
    if (relay_new(&conn->relay, &setup) ||
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

static void meter_bytes(struct conn *conn)
{
    struct gate_meter *meter = &conn->worker->meter;
    struct tunnel *tunnel = conn->tunnel;
    uint64_t up, down;
    relay_counts(conn->relay, &up, &down);
    gate_meter_add(meter, GATE_METER_UP, up - tunnel->metered_up);
    gate_meter_add(meter, GATE_METER_DOWN, down - tunnel->metered_down);
    tunnel->metered_up = up;
    tunnel->metered_down = down;
}

static void report_bytes(struct conn *conn)
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

void tunnel_fail(struct conn *conn, enum ipc_end end)
{
    if (conn->tunnel && !conn->tunnel->ending) {
        conn->tunnel->ending = true;
        conn->tunnel->end = end;
    }
}

const char *tunnel_words(enum ipc_end end, uint16_t *code)
{
    bool known = (unsigned)end < IPC_ENDS && closings[end].words;
    *code = known ? closings[end].code : 1001;
    return known ? closings[end].words : "closed by the gateway";
}

void tunnel_close(struct conn *conn, enum ipc_end end)
{
    struct tunnel *tunnel = conn->tunnel;
    if (!tunnel || tunnel->ending || (unsigned)end >= IPC_ENDS)
        return;
    tunnel_fail(conn, end);
    if (conn->relay)
        close_relay(conn);
    else if (conn->talk)
        talk_stop(conn->talk, end);
    /* else still handing over: tunnel_begin() looks */
}

/* ---- showing the ticket again ---- */

#define RENEW_MS 120000 /* for the client to do it, by itself */

static void set_renewal(struct conn *conn)
{
    struct tunnel *tunnel = conn->tunnel;
    tunnel->asked_again = false;
    tunnel->renew_ms = loop_now(conn->worker->loop) + tunnel->renew_seconds * 1000ULL;
    tunnel_table_set_context(conn->worker->gate->tunnels, tunnel->grant.tunnel, 0);
}

void tunnel_renews(struct conn *conn, uint32_t seconds)
{
    conn->tunnel->renew_seconds = seconds;
    if (!seconds)
        return;
    set_renewal(conn);
    worker_moved(conn->worker, conn); /* it is looked at all the time */
}

static void ask_again(struct conn *conn)
{
    struct tunnel *tunnel = conn->tunnel;
    uint8_t packet[TSGU_ANSWER_MOST];
    uint64_t context = 0;
    if (gnutls_rnd(GNUTLS_RND_NONCE, &context, sizeof(context)) < 0 || !context)
        return; /* the next look tries again */
    tunnel_table_set_context(conn->worker->gate->tunnels, tunnel->grant.tunnel, context);
    tunnel->asked_again = true;
    tunnel->renew_ms = loop_now(conn->worker->loop) + RENEW_MS;
    relay_say(conn->relay, packet, tsgu_write_reauth(packet, context));
}

void tunnel_look(struct conn *conn, bool report)
{
    struct tunnel *tunnel = conn->tunnel;
    meter_bytes(conn);
    if (report) {
        report_bytes(conn);
        if (!tunnel->renew_seconds)
            worker_rested(conn);
        relay_watch(conn->relay);
    }
    if (!tunnel->renew_seconds || tunnel->ending || loop_now(conn->worker->loop) < tunnel->renew_ms)
        return;
    /* After an upgrade, a client's new connection is another gate's, which does not know this one:
     * the session's end still ends it, by the keeper. */
    if (atomic_load(&conn->worker->gate->retiring)) {
        tunnel->renew_seconds = 0;
        return;
    }
    if (tunnel->asked_again)
        tunnel_close(conn, IPC_END_LIMIT);
    else
        ask_again(conn);
}

void tunnel_renewed(struct conn *conn)
{
    if (conn->tunnel && conn->tunnel->asked_again)
        set_renewal(conn);
}

/* ---- words ---- */

void tunnel_shows_words(struct conn *conn)
{
    conn->tunnel->shows_words = true;
}

void tunnel_tell(struct conn *conn, const char *words)
{
    uint8_t packet[TSGU_ANSWER_MOST];
    if (!conn->tunnel || !conn->relay || !conn->tunnel->shows_words)
        return;
    if (!relay_say(conn->relay, packet, tsgu_write_service_message(packet, words)))
        LOG_INFO("tunnel.tell", "the client does not take it", LOG_TEXT("conn", conn->id));
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
    if (conn->relay) {
        meter_bytes(conn);
        relay_counts(conn->relay, &ended.up, &ended.down);
    }
    LOG_INFO("tunnel.end", "a tunnel ended", LOG_TEXT("conn", conn->id),
             LOG_NUMBER("tunnel", ended.tunnel), LOG_TEXT("why", ipc_end_name(ended.end)),
             LOG_NUMBER("up", ended.up), LOG_NUMBER("down", ended.down));
    keeper_link_tell(gate->keeper, &ended.head);
    conn->tunnel = NULL;
    worker_rested(conn);
    tunnel_table_remove(gate->tunnels, ended.tunnel);
    relay_free(conn->relay);
    conn->relay = NULL;
    if (tunnel->desktop_tls)
        stream_deinit(&tunnel->desktop_tls->stream);
    free(tunnel->desktop_tls);
    free(tunnel);
}
