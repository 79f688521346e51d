#include "client_tunnel.h"

#include "client_job.h"
#include "client_line.h"
#include "fd.h"
#include "owner.h"
#include "relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PING_MS 30000     /* middleboxes forget silent connections after a minute or more */
#define CLOSE_NORMAL 1000 /* RFC 6455 section 7.4.1 */
#define LOOK_MS 2500      /* at the line to the gateway */

struct client_tunnel {
    struct client_job job;
    struct client_tunnels *tunnels;
    struct client_tunnel *next;
    unsigned number;
    int local;
    struct client_opened opened;
    struct client_failure failure; /* of the opening */
    struct stream_plain plain;
    struct stream_tls tls;  /* owns the session once the relay runs */
    struct relay *relay;    /* NULL: still opening */
    bool ending;            /* by our own wish */
    struct loop_timer look; /* at the line */
    bool silent, lost;      /* the line, at the last look, and for good */
};

static void tunnel_free(struct client_tunnel *tunnel, enum client_fault fault)
{
    struct client_tunnels *tunnels = tunnel->tunnels;
    struct client_tunnel **at = &tunnels->first;
    while (*at != tunnel)
        at = &(*at)->next;
    *at = tunnel->next;
    fd_close(&tunnel->local);
    client_opened_free(&tunnel->opened);
    free(tunnel);
    tunnels->gone(tunnels, fault);
}

/* ---- the end ---- */

static const char *words_for(const struct client_tunnel *tunnel, const struct relay_result *result,
                             char *buffer, size_t size)
{
    if (tunnel->lost)
        return "the connection to the gateway broke: no answer any more";
    switch (result->end) {
    case RELAY_FRAMED_CLOSED:
        if (result->close_code == CLOSE_NORMAL)
            snprintf(buffer, size, "%s",
                     result->reason[0] ? result->reason : "the desktop closed the connection");
        else
            snprintf(buffer, size, "closed by the gateway: %s (code %u)",
                     result->reason[0] ? result->reason : "without a reason", result->close_code);
        client_failure_plain(buffer);
        return buffer;
    case RELAY_FRAMED_LOST:
        snprintf(buffer, size, "the connection to the gateway broke: %s",
                 result->error ? strerror(-result->error) : "no answer any more");
        return buffer;
    case RELAY_PLAIN_CLOSED:
    case RELAY_PLAIN_LOST:
        return "the local client closed it";
    case RELAY_PROTOCOL:
        return "the gateway broke the WebSocket rules";
    case RELAY_IDLE:
        return "idle for too long";
    case RELAY_CLOSED:
        break;
    }
    return "closed here";
}

static enum client_fault fault_of(const struct client_tunnel *tunnel,
                                  const struct relay_result *result)
{
    if (tunnel->lost)
        return CLIENT_FAULT_NETWORK;
    if (tunnel->ending)
        return CLIENT_FAULT_NONE;
    switch (result->end) {
    case RELAY_FRAMED_CLOSED:
        return result->close_code == CLOSE_NORMAL ? CLIENT_FAULT_NONE : CLIENT_FAULT_GATEWAY;
    case RELAY_FRAMED_LOST:
        return CLIENT_FAULT_NETWORK;
    case RELAY_PROTOCOL:
        return CLIENT_FAULT_ANSWER;
    default:
        return CLIENT_FAULT_NONE;
    }
}

static void on_ended(struct relay *relay, void *owner, const struct relay_result *result)
{
    struct client_tunnel *tunnel = owner;
    struct client_tunnels *tunnels = tunnel->tunnels;
    uint64_t received, sent;
    char buffer[256], up[CLIENT_STATUS_BYTES_SIZE], down[CLIENT_STATUS_BYTES_SIZE];
    relay_counts(relay, &received, &sent); /* its "up" flows away from the gateway: to us */
    relay_free(relay);
    loop_timer_cancel(tunnels->loop, &tunnel->look);
    tunnels->open--;
    tunnels->sent_by_ended += sent;
    tunnels->received_by_ended += received;
    client_status_bytes(up, sent);
    client_status_bytes(down, received);
    client_status_say(tunnels->opening.status, "connection %u ended: %s (sent %s, received %s)",
                      tunnel->number, words_for(tunnel, result, buffer, sizeof(buffer)), up, down);
    stream_end(&tunnel->tls.stream); /* close_notify, if it fits */
    stream_deinit(&tunnel->tls.stream);
    stream_deinit(&tunnel->plain.stream);
    fd_close(&tunnel->opened.wire.fd);
    tunnel_free(tunnel, fault_of(tunnel, result));
}

/* ---- the line ---- */

static void on_look(struct loop_timer *timer)
{
    struct client_tunnel *tunnel = OWNER_OF(timer, struct client_tunnel, look);
    bool silent = client_line_is_silent(tunnel->opened.wire.fd);
    if (silent && tunnel->silent && !tunnel->ending) {
        tunnel->lost = true;
        relay_close(tunnel->relay, CLOSE_NORMAL, "no answer any more");
        return;
    }
    tunnel->silent = silent;
    loop_timer_set(tunnel->tunnels->loop, timer, LOOK_MS); /* it was armed: needs no memory */
}

/* ---- the beginning ---- */

static int begin_relay(struct client_tunnel *tunnel)
{
    struct client_tunnels *tunnels = tunnel->tunnels;
    struct client_opened *opened = &tunnel->opened;
    stream_plain_init(&tunnel->plain, tunnel->local);
    stream_tls_init(&tunnel->tls, opened->wire.fd, opened->wire.session, tunnels->scratch);
    opened->wire.session = NULL; /* the stream's now */
    struct relay_setup setup = {
        .loop = tunnels->loop,
        .scratch = tunnels->scratch,
        .framed = &tunnel->tls.stream,
        .plain = &tunnel->plain.stream,
        .framing = RELAY_WS_CLIENT,
        .ping_ms = PING_MS,
        .early = opened->early,
        .early_size = opened->early_size,
        .ended = on_ended,
        .owner = tunnel,
    };
    int error = relay_new(&tunnel->relay, &setup);
    free(opened->early);
    opened->early = NULL;
    if (!error) {
        client_line_keep(opened->wire.fd);
        tunnel->look.fire = on_look;
        loop_timer_set(tunnels->loop, &tunnel->look, LOOK_MS); /* or else the pings will tell */
        return 0;
    }
    stream_deinit(&tunnel->tls.stream);
    stream_deinit(&tunnel->plain.stream);
    fd_close(&opened->wire.fd);
    return error;
}

static void on_opened(struct client_job *job)
{
    struct client_tunnel *tunnel = OWNER_OF(job, struct client_tunnel, job);
    struct client_tunnels *tunnels = tunnel->tunnels;
    struct client_failure *failure = &tunnel->failure;
    tunnels->opening_now--;
    if (!failure->fault && tunnel->ending)
        failure->fault = CLIENT_FAULT_CANCELLED;
    if (!failure->fault && begin_relay(tunnel))
        client_fail(failure, CLIENT_FAULT_SYSTEM, "out of memory");
    if (failure->fault) {
        if (failure->fault != CLIENT_FAULT_CANCELLED)
            client_status_say(tunnels->opening.status, "connection %u failed: %s", tunnel->number,
                              failure->words);
        tunnel_free(tunnel, failure->fault);
        return;
    }
    tunnels->open++;
    client_status_say(tunnels->opening.status, "connection %u to %s is open", tunnel->number,
                      tunnels->opening.desktop);
}

static void work(struct client_job *job)
{
    struct client_tunnel *tunnel = OWNER_OF(job, struct client_tunnel, job);
    client_open(&tunnel->tunnels->opening, &tunnel->opened, &tunnel->failure);
}

void client_tunnel_start(struct client_tunnels *tunnels, int local)
{
    struct client_tunnel *tunnel = calloc(1, sizeof(*tunnel));
    if (!tunnel) {
        fd_close(&local);
        tunnels->gone(tunnels, CLIENT_FAULT_SYSTEM);
        return;
    }
    tunnel->tunnels = tunnels;
    tunnel->local = local;
    tunnel->number = ++tunnels->numbered;
    tunnel->next = tunnels->first;
    tunnels->first = tunnel;
    int error = client_job_start(&tunnel->job, tunnels->loop, work, on_opened);
    if (error) {
        client_status_say(tunnels->opening.status, "connection %u failed: no thread for it (%s)",
                          tunnel->number, strerror(-error));
        tunnel_free(tunnel, CLIENT_FAULT_SYSTEM);
        return;
    }
    tunnels->opening_now++;
}

void client_tunnel_end_all(struct client_tunnels *tunnels)
{
    for (struct client_tunnel *at = tunnels->first; at; at = at->next) {
        if (at->relay && !at->ending)
            relay_close(at->relay, CLOSE_NORMAL, "the client is ending");
        at->ending = true;
    }
}

void client_tunnel_counts(const struct client_tunnels *tunnels, uint64_t *sent, uint64_t *received)
{
    *sent = tunnels->sent_by_ended;
    *received = tunnels->received_by_ended;
    for (const struct client_tunnel *at = tunnels->first; at; at = at->next) {
        uint64_t to_us = 0, from_us = 0;
        if (at->relay)
            relay_counts(at->relay, &to_us, &from_us);
        *sent += from_us;
        *received += to_us;
    }
}
