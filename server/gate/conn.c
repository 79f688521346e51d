#include "conn.h"

#include "displace.h"
#include "fd.h"
#include "gate_state.h"
#include "guarded.h"
#include "handover.h"
#include "http.h"
#include "log.h"
#include "neighbours.h"
#include "owner.h"
#include "pass_on.h"
#include "proxied.h"
#include "proxy2.h"
#include "proxy_head.h"
#include "rdg_auth.h"
#include "rdg_pair.h"
#include "refusal.h"
#include "talk.h"
#include "tunnel.h"
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define TLS_HANDSHAKE_RECORD 0x16 /* RFC 8446 section 5.1: ContentType handshake */
#define RETIRING_SECONDS 5        /* between requests */
#define PROXIED_SECONDS 600       /* likewise, of a reverse proxy's */
#define LINGER_MS 2000
#define UNCLEAR_WAIT_MS 10
#define UNCLEAR_WAITS_MOST 100 /* a second in all */
#define LINGER_READS 16 /* at one go, so that a flood does not starve others; the timer ends it */

static void on_proxy(struct loop_source *source, uint32_t events);
static void on_sniff(struct loop_source *source, uint32_t events);
static void on_handshake(struct loop_source *source, uint32_t events);
static void on_first_bytes(struct loop_source *source, uint32_t events);
static void on_linger(struct loop_source *source, uint32_t events);
static void on_timer(struct loop_timer *timer);

static struct conn *of_source(struct loop_source *source)
{
    return OWNER_OF(source, struct conn, source);
}

struct conn *conn_ref(struct conn *conn)
{
    atomic_fetch_add(&conn->references, 1);
    return conn;
}

void conn_unref(struct conn *conn)
{
    if (atomic_fetch_sub(&conn->references, 1) != 1)
        return;
    rdg_auth_forget(conn->rdg);
    free(conn);
}

/* ---- beginning ---- */

static bool is_balancer(const struct conn *conn)
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
    bool balancer = is_balancer(conn);
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

/* A balancer has said for whom it is. */
static bool enter_for(struct conn *conn)
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

static void leave(struct conn *conn)
{
    struct gate_state *gate = conn->worker->gate;
    if (conn->metrics)
        atomic_fetch_sub(&gate->metrics_conns, 1);
    else
        admit_leave(gate->admit, &conn->slot);
}

static struct conn *conn_new(struct worker *worker, int fd, const struct addr *address,
                             const struct gate_listener *kind)
{
    struct conn *conn = calloc(1, sizeof(*conn));
    uint8_t random[8];
    if (!conn || getrandom(random, sizeof(random), 0) != sizeof(random)) {
        free(conn);
        return NULL;
    }
    text_hex(conn->id, random, sizeof(random));
    atomic_store(&conn->references, 1);
    conn->worker = worker;
    conn->address = *address;
    conn->tls = kind->tls;
    conn->metrics = kind->metrics;
    conn->proxied = proxied_by(conn);
    conn->fd = fd;
    conn->far = -1;
    conn->in = -1;
    conn->timer.fire = on_timer;
    return conn;
}

static void begin_http(struct conn *conn);

/* The client's first bytes. */
static void expect(struct conn *conn)
{
    conn->state = conn->tls ? CONN_SNIFF : CONN_QUIET;
    conn->source.ready = conn->tls ? on_sniff : on_first_bytes;
    if (!conn->tls)
        stream_plain_init(&conn->outer.plain, conn->fd);
}

static void turn_away(struct conn *conn, enum admit_answer full, const struct gate_listener *kind,
                      size_t tried)
{
    if (is_of_address(full) && pass_on(conn->worker, conn->fd, &conn->address, kind, tried))
        return;
    note_refused(conn, full);
    close(conn->fd);
}

void conn_accept(struct worker *worker, int fd, const struct addr *address,
                 const struct gate_listener *kind, size_t tried)
{
    const struct conf *conf = worker->gate->conf;
    bool tls = kind->tls;
    struct conn *conn = conn_new(worker, fd, address, kind);
    if (!conn) {
        close(fd);
        return;
    }
    enum admit_answer answer = enter(conn);
    if (answer != ADMIT_OK) {
        turn_away(conn, answer, kind, tried);
        free(conn);
        return;
    }
    if (!kind->metrics)
        gate_meter_add(&worker->meter, tls ? GATE_METER_ACCEPTED_TLS : GATE_METER_ACCEPTED_HTTP, 1);
    fd_nodelay(fd);
    worker_list(worker, conn);
    settle(conn);
    if (is_balancer(conn)) {
        conn->state = CONN_PROXY;
        conn->source.ready = on_proxy;
        conn->proxy = calloc(1, sizeof(*conn->proxy));
    } else {
        expect(conn);
    }
    conn->watch.since_ms = conn->watch.begun_ms = loop_now(worker->loop);
    uint32_t seconds = tls ? conf->handshake_seconds : conf->request_seconds;
    if ((conn->state == CONN_PROXY && !conn->proxy) ||
        loop_add(worker->loop, &conn->source, fd, EPOLLIN) ||
        loop_timer_set(worker->loop, &conn->timer, seconds * 1000ULL))
        conn_end(conn);
}

/* Whom a balancer passes on is known, or that it speaks for itself. */
static void on_proxy(struct loop_source *source, uint32_t events)
{
    struct conn *conn = of_source(source);
    struct worker *worker = conn->worker;
    struct proxy2 told;
    (void)events;
    enum proxy2_result result = proxy_head_read(conn->proxy, conn->fd, &told);
    if (result == PROXY2_MORE)
        return;
    if (result == PROXY2_BAD) {
        if (conn->proxy->size) /* else it only looked whether the port is open */
            worker_note_headless(worker, &conn->address);
        conn_end(conn);
        return;
    }
    free(conn->proxy);
    conn->proxy = NULL;
    if (told.told)
        conn->address = told.source;
    conn->proxied = proxied_by(conn);
    if (!conn->proxied && !enter_for(conn)) {
        conn_end(conn);
        return;
    }
    if (!conn->tls)
        admit_stage(worker->gate->admit, &conn->slot, ADMIT_STRANGER);
    expect(conn);
}

/* Someone speaks HTTP to the TLS port: tell them in their own language. */
static void answer_plain(struct conn *conn)
{
    char body[400], text[700];
    int size = snprintf(body, sizeof(body), "This port speaks HTTPS only. Use %s/\n",
                        conn->worker->gate->origin);
    size = snprintf(text, sizeof(text),
                    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
                    size, body);
    ssize_t sent = send(conn->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent; /* a socket that has not sent a byte yet takes these */
    conn_linger(conn);
}

static bool looks_like_http(const char *bytes, ssize_t size)
{
    for (ssize_t i = 0; i < size; i++) {
        if (bytes[i] == ' ')
            return i >= 3;
        if (bytes[i] < 'A' || bytes[i] > 'Z')
            return false;
    }
    return size >= 3;
}

static bool is_foreign_head(struct conn *conn, const char *bytes, ssize_t size)
{
    bool begins = size > 0 && proxy2_begins((const uint8_t *)bytes, (size_t)size);
    if (begins)
        worker_note_foreign(conn->worker, &conn->address);
    return begins;
}

static void on_sniff(struct loop_source *source, uint32_t events)
{
    struct conn *conn = of_source(source);
    char bytes[PROXY2_BEGINS];
    ssize_t got = recv(conn->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    (void)events;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bool foreign = is_foreign_head(conn, bytes, got);
    if (!foreign && got > 0 && looks_like_http(bytes, got)) {
        answer_plain(conn);
        return;
    }
    gnutls_session_t session;
    if (got <= 0 || bytes[0] != TLS_HANDSHAKE_RECORD ||
        creds_session(conn->worker->gate->creds, &session, &conn->creds)) {
        conn_end(conn);
        return;
    }
    stream_tls_init(&conn->outer.tls, conn->fd, session, conn->worker->scratch);
    conn->state = CONN_HANDSHAKE;
    conn->source.ready = on_handshake;
    on_handshake(source, EPOLLIN);
}

static void on_handshake(struct loop_source *source, uint32_t events)
{
    struct conn *conn = of_source(source);
    struct worker *worker = conn->worker;
    int tls_error = 0;
    int error = stream_tls_handshake(&conn->outer.tls, &tls_error);
    (void)events;
    if (error == -EAGAIN) {
        loop_modify(worker->loop, source, stream_tls_wants(&conn->outer.tls));
        return;
    }
    if (error) {
        LOG_DEBUG("tls.failed", gnutls_strerror(tls_error), LOG_TEXT("conn", conn->id));
        conn_linger(conn);
        return;
    }
    gate_meter_add(&worker->meter,
                   gnutls_session_is_resumed(conn->outer.tls.session) ? GATE_METER_HANDSHAKE_RESUMED
                                                                      : GATE_METER_HANDSHAKE_FULL,
                   1);
    admit_stage(worker->gate->admit, &conn->slot, ADMIT_STRANGER);
    conn->state = CONN_QUIET;
    conn->watch.since_ms = loop_now(worker->loop);
    conn->source.ready = on_first_bytes;
    loop_modify(worker->loop, source, EPOLLIN);
    if (stream_readable(&conn->outer.stream))
        begin_http(conn);
}

static void on_first_bytes(struct loop_source *source, uint32_t events)
{
    struct conn *conn = of_source(source);
    char bytes[PROXY2_BEGINS];
    (void)events;
    if (!conn->tls && !conn->metrics)
        is_foreign_head(conn, bytes, recv(conn->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT));
    begin_http(conn);
}

/* ---- HTTP ---- */

static void on_http_ended(struct relay *relay, void *owner, const struct relay_result *result)
{
    struct conn *conn = owner;
    (void)relay;
    if (result->end == RELAY_FRAMED_LOST)
        conn_end(conn);
    else
        conn_linger(conn);
}

/* Within a write of the relay's, which cannot end there. */
static void on_refused(struct guarded *guarded)
{
    struct conn *conn = guarded->owner;
    loop_timer_set(conn->worker->loop, &conn->timer, 0);
}

static void begin_http(struct conn *conn)
{
    struct worker *worker = conn->worker;
    loop_remove(worker->loop, &conn->source);
    loop_timer_cancel(worker->loop, &conn->timer);
    if (conn->proxied) /* it may have taken longer than any request may */
        conn->watch.since_ms = loop_now(worker->loop);
    conn->far = http_attach(worker->gate, conn);
    conn->guarded = calloc(1, sizeof(*conn->guarded));
    if (conn->far < 0 || !conn->guarded) {
        conn_end(conn);
        return;
    }
    conn->state = CONN_HTTP;
    guarded_init(conn->guarded, conn->far, &conn->completed, &conn->upgraded, on_refused);
    conn->guarded->owner = conn;
    struct relay_setup setup = {
        .loop = worker->loop,
        .scratch = worker->scratch,
        .framed = &conn->outer.stream,
        .plain = &conn->guarded->stream,
        .framing = RELAY_RAW,
        .hush = &conn->hushed,
        .wipes = true,
        .ended = on_http_ended,
        .owner = conn,
    };
    if (relay_new(&conn->relay, &setup))
        conn_end(conn);
}

/* The last word, in libmicrohttpd's place. */
static void answer_and_close(struct conn *conn, const char *status)
{
    char text[128];
    int size = snprintf(text, sizeof(text),
                        "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    relay_free(conn->relay);
    conn->relay = NULL;
    ssize_t written = stream_write(&conn->outer.stream, (const uint8_t *)text, (size_t)size);
    if (written < 0) {
        conn_end(conn);
        return;
    }
    conn_linger(conn);
}

/* The client did not finish its request in time: say so (RFC 9110 section 15.5.9). */
static void answer_late(struct conn *conn)
{
    answer_and_close(conn, "408 Request Timeout");
}

/* What came is no request, or could be read in two ways. The answer to the one before goes out
 * first; ours does not come in the midst of it. */
static void answer_unclear(struct conn *conn)
{
    unsigned status = conn->guarded->fault;
    bool works = atomic_load(&conn->busy) || atomic_load(&conn->answering);
    if (works && ++conn->guarded->waits < UNCLEAR_WAITS_MOST) {
        loop_timer_set(conn->worker->loop, &conn->timer, UNCLEAR_WAIT_MS);
        return;
    }
    REFUSAL_LOG("http.refused", "what came is not one clear HTTP request",
                LOG_TEXT("conn", conn->id), LOG_NUMBER("status", status));
    gate_meter_answer(&conn->worker->meter, status);
    if (works)
        conn_linger(conn);
    else
        answer_and_close(conn, status == 400   ? "400 Bad Request"
                               : status == 414 ? "414 URI Too Long"
                               : status == 431 ? "431 Request Header Fields Too Large"
                               : status == 501 ? "501 Not Implemented"
                                               : "505 HTTP Version Not Supported");
}

/* A request has come in part. By the bytes that came since the last look alone it could not be told
 * from the one before, when it begins at once. */
static bool has_begun(const struct conn *conn)
{
    const struct http_guard *guard = conn->guarded ? &conn->guarded->guard : NULL;
    return guard && !guard->unjudged ? !http_guard_rests(guard, conn->watch.completed)
                                     : conn->watch.partial;
}

/* It has had an answer and asks for nothing: it may, later. */
static bool between_requests(const struct conn *conn)
{
    return conn->watch.completed > 0 && !has_begun(conn);
}

/* A reverse proxy keeps its connections for whoever asks next, and has to be the one that closes
 * them: of a request that meets our end on the way it makes a 502. They are few, and nobody's. */
static bool is_kept(const struct conn *conn)
{
    return conn->proxied && (conn->state == CONN_QUIET || between_requests(conn));
}

/* How long the connection may go on as it is, in seconds. Where another gate has taken over, those
 * that only may ask again are not waited for so long. */
static uint32_t patience(const struct conn *conn)
{
    bool retiring = atomic_load(&conn->worker->gate->retiring);
    const struct conf *conf = conn->worker->gate->conf;
    if (atomic_load(&conn->answering))
        return conf->keepalive_seconds;
    if (is_kept(conn))
        return conf->keepalive_seconds > PROXIED_SECONDS ? conf->keepalive_seconds
                                                         : PROXIED_SECONDS;
    if (!between_requests(conn))
        return conf->request_seconds;
    return retiring && conf->keepalive_seconds > RETIRING_SECONDS ? RETIRING_SECONDS
                                                                  : conf->keepalive_seconds;
}

/* A client that does not read what it has asked for holds the connection no longer than one that
 * does not ask: of an answer, a relay's read must go out in that time. */
static bool overdue(struct conn *conn)
{
    uint64_t now = loop_now(conn->worker->loop), up = 0, down = 0;
    unsigned completed = atomic_load(&conn->completed);
    bool answering = atomic_load(&conn->answering);
    if (conn->relay)
        relay_counts(conn->relay, &up, &down);
    if (atomic_load(&conn->busy) || completed != conn->watch.completed ||
        (answering && down != conn->watch.down)) {
        conn->watch.completed = completed;
        conn->watch.up = up;
        conn->watch.down = down;
        conn->watch.since_ms = now;
        conn->watch.partial = false;
    } else if (up != conn->watch.up &&
               !conn->watch.partial) { /* also of what is answered already */
        conn->watch.partial = true;
        conn->watch.since_ms = now;
    }
    return now - conn->watch.since_ms >= patience(conn) * 1000ULL;
}

/* A session ends without a word to the connections on which it was shown, and a request that needs
 * none does not bring it out: whoever is to stay known shows one now and then. */
static void watch_known(struct conn *conn)
{
    const struct gate_state *gate = conn->worker->gate;
    uint64_t now = loop_now(conn->worker->loop);
    if (atomic_exchange(&conn->proved, false))
        conn->watch.proved_ms = now;
    else if (atomic_load(&conn->slot.stage) == ADMIT_KNOWN && !atomic_load(&conn->busy) &&
             now - conn->watch.proved_ms >= gate->conf->keepalive_seconds * 1000ULL)
        admit_stage(gate->admit, &conn->slot, ADMIT_STRANGER);
}

void conn_watch(struct conn *conn)
{
    bool works = atomic_load(&conn->busy) || atomic_load(&conn->answering);
    bool stopping = atomic_load(&conn->worker->gate->draining) && !works;
    if (conn->state == CONN_HTTP) {
        watch_known(conn);
        bool late = overdue(conn);
        if (stopping || (late && atomic_load(&conn->answering)))
            conn_end(conn);
        else if (late && between_requests(conn))
            conn_linger(conn); /* a word now would be taken for the answer to what crosses it */
        else if (late)
            answer_late(conn);
    } else if (conn->state == CONN_QUIET && (stopping || overdue(conn))) {
        conn_linger(conn);
    }
}

/* ---- the end ---- */

static void on_timer(struct loop_timer *timer)
{
    struct conn *conn = OWNER_OF(timer, struct conn, timer);
    if (conn->state == CONN_TUNNEL)
        tunnel_close(conn, IPC_END_LIMIT);
    else if (conn->state == CONN_TALK)
        talk_late(conn->talk);
    else if (conn->state == CONN_HTTP)
        answer_unclear(conn);
    else
        conn_end(conn);
}

static void leave_pair(struct conn *conn)
{
    rdg_pair_withdraw(conn->worker->gate->pairs, conn->pair);
    conn->pair = NULL;
    fd_close(&conn->in);
}

static void meter_end(struct conn *conn)
{
    if (conn->state == CONN_HANDSHAKE)
        gate_meter_add(&conn->worker->meter, GATE_METER_HANDSHAKE_FAILED, 1);
}

void conn_linger(struct conn *conn)
{
    struct worker *worker = conn->worker;
    meter_end(conn);
    talk_forget(conn);
    tunnel_forget(conn);
    relay_free(conn->relay);
    conn->relay = NULL;
    leave_pair(conn);
    fd_close(&conn->far);
    if (conn->outer.stream.ops && conn->state != CONN_HANDSHAKE) {
        stream_flush(&conn->outer.stream);
        stream_end(&conn->outer.stream);
    }
    shutdown(conn->fd, SHUT_WR);
    loop_remove(worker->loop, &conn->source);
    conn->state = CONN_LINGER;
    conn->source.ready = on_linger;
    if (loop_add(worker->loop, &conn->source, conn->fd, EPOLLIN) ||
        loop_timer_set(worker->loop, &conn->timer, LINGER_MS))
        conn_end(conn);
}

static void on_linger(struct loop_source *source, uint32_t events)
{
    struct conn *conn = of_source(source);
    char rubbish[16384];
    (void)events;
    for (int i = 0; i < LINGER_READS; i++) {
        ssize_t got = recv(conn->fd, rubbish, sizeof(rubbish), MSG_DONTWAIT);
        if (got > 0 || (got < 0 && errno == EINTR))
            continue;
        if (got == 0 || errno != EAGAIN)
            conn_end(conn);
        return;
    }
}

void conn_end(struct conn *conn)
{
    struct worker *worker = conn->worker;
    if (conn->state == CONN_GONE)
        return;
    meter_end(conn);
    handover_forget(conn);
    talk_forget(conn);
    tunnel_forget(conn);
    relay_free(conn->relay);
    conn->relay = NULL;
    loop_remove(worker->loop, &conn->source);
    loop_timer_cancel(worker->loop, &conn->timer);
    free(conn->proxy);
    conn->proxy = NULL;
    free(conn->guarded);
    conn->guarded = NULL;
    stream_deinit(&conn->outer.stream);
    creds_release(conn->creds);
    conn->creds = NULL;
    leave_pair(conn);
    fd_close(&conn->far);
    fd_close(&conn->fd);
    conn->state = CONN_GONE;
    worker_unlist(conn);
    leave(conn);
    conn_unref(conn);
}
