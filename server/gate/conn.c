#include "conn.h"

#include "fd.h"
#include "gate_state.h"
#include "guarded.h"
#include "handover.h"
#include "http.h"
#include "let_in.h"
#include "log.h"
#include "owner.h"
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

static struct conn *conn_new(struct worker *worker, const struct newcomer *newcomer)
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
    conn->address = newcomer->address;
    conn->by = newcomer->by;
    conn->tls = conn->by->tls;
    conn->metrics = conn->by->metrics;
    conn->balancer = !newcomer->told && is_balancer(conn);
    conn->proxied = proxied_by(conn);
    conn->fd = newcomer->fd;
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

void conn_accept(struct worker *worker, const struct newcomer *newcomer)
{
    const struct conf *conf = worker->gate->conf;
    struct conn *conn = conn_new(worker, newcomer);
    if (!conn) {
        close(newcomer->fd);
        return;
    }
    if (!let_in(conn, newcomer)) {
        free(conn);
        return;
    }
    if (!conn->metrics && !newcomer->told) /* else it was counted where it came from */
        gate_meter_add(&worker->meter,
                       conn->tls ? GATE_METER_ACCEPTED_TLS : GATE_METER_ACCEPTED_HTTP, 1);
    fd_nodelay(conn->fd);
    worker_list(worker, conn);
    if (conn->balancer) {
        conn->state = CONN_PROXY;
        conn->source.ready = on_proxy;
        conn->proxy = calloc(1, sizeof(*conn->proxy));
    } else {
        expect(conn);
    }
    conn->watch.since_ms = conn->watch.begun_ms = loop_now(worker->loop);
    uint32_t seconds = conn->tls ? conf->handshake_seconds : conf->request_seconds;
    if ((conn->state == CONN_PROXY && !conn->proxy) ||
        loop_add(worker->loop, &conn->source, conn->fd, EPOLLIN) ||
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
    if (!conn->proxied && !let_in_told(conn)) {
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

void conn_answer(struct conn *conn, const char *status)
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
        conn_answer(conn, status == 400   ? "400 Bad Request"
                          : status == 414 ? "414 URI Too Long"
                          : status == 431 ? "431 Request Header Fields Too Large"
                          : status == 501 ? "501 Not Implemented"
                                          : "505 HTTP Version Not Supported");
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
    else if (conn->state != CONN_QUIET) /* conn_watch.h has that */
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
    let_out(conn);
    conn_unref(conn);
}
