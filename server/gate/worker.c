#include "worker.h"

#include "conn.h"
#include "conn_watch.h"
#include "gate_state.h"
#include "log.h"
#include "neighbours.h"
#include "owner.h"
#include "rdg_channel.h"
#include "refusal.h"
#include "talk.h"
#include "tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ACCEPT_MOST 64         /* in one go, so that a flood does not starve live tunnels */
#define TICK_MS 1000           /* request deadlines are whole seconds */
#define TICKS_PER_COUNT 15     /* ipc_tunnel_counts: at most every 15 s */
#define PAUSE_MS 100           /* when descriptors have run out */
#define REFUSED_EVERY_MS 10000 /* a log line about connections refused, or not accepted */

struct listener {
    struct loop_source source;
    struct worker *worker;
    const struct gate_listener *kind;
};

static void accept_again(struct worker *worker, bool on)
{
    for (size_t i = 0; i < worker->listener_count; i++)
        loop_modify(worker->loop, &worker->listeners[i].source, on ? EPOLLIN : 0);
}

static void on_pause_over(struct loop_timer *timer)
{
    accept_again(OWNER_OF(timer, struct worker, pause), true);
}

/* No descriptor or memory for one more: the others wait in the kernel meanwhile. */
static void pause_accepting(struct worker *worker, int error)
{
    uint64_t now = loop_now(worker->loop);
    gate_meter_add(&worker->meter, GATE_METER_ACCEPT_FAILED, 1);
    if (!worker->paused_told || now - worker->paused_told >= REFUSED_EVERY_MS) {
        worker->paused_told = now;
        LOG_ERROR("accept",
                  "out of descriptors or memory; accepting again as soon as there are some",
                  LOG_TEXT("error", strerror(error)));
    }
    accept_again(worker, false);
    loop_timer_set(worker->loop, &worker->pause, PAUSE_MS);
}

/* False: nothing (more) to accept now. */
static bool accept_one(struct listener *listener)
{
    struct worker *worker = listener->worker;
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof(from);
    struct newcomer newcomer = {.by = listener->kind};
    int fd =
        accept4(listener->source.fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        int error = errno;
        if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
            pause_accepting(worker, error);
        return error == EINTR || error == ECONNABORTED;
    }
    newcomer.fd = fd;
    if (!addr_from_sockaddr(&newcomer.address, (struct sockaddr *)&from))
        memset(&newcomer.address, 0, sizeof(newcomer.address));
    conn_accept(worker, &newcomer);
    return true;
}

static void on_listener(struct loop_source *source, uint32_t events)
{
    struct listener *listener = OWNER_OF(source, struct listener, source);
    (void)events;
    for (int i = 0; i < ACCEPT_MOST && accept_one(listener); i++)
        ;
}

static void list_all(struct conn **list, struct conn *conn)
{
    conn->all = (struct conn_link){*list, list};
    if (conn->all.next)
        conn->all.next->all.from = &conn->all.next;
    *list = conn;
}

static void unlist_all(struct conn *conn)
{
    if (!conn->all.from)
        return;
    *conn->all.from = conn->all.next;
    if (conn->all.next)
        conn->all.next->all.from = conn->all.from;
    conn->all = (struct conn_link){0};
}

void worker_list(struct worker *worker, struct conn *conn)
{
    list_all(&worker->conns, conn);
}

void worker_list_tunnel(struct worker *worker, struct conn *conn)
{
    unlist_all(conn);
    neighbours_remove(conn);
    list_all(&worker->tunnels, conn);
}

void worker_moved(struct worker *worker, struct conn *conn)
{
    if (conn->moved.from)
        return;
    conn->moved = (struct conn_link){worker->moved, &worker->moved};
    if (conn->moved.next)
        conn->moved.next->moved.from = &conn->moved.next;
    worker->moved = conn;
}

void worker_rested(struct conn *conn)
{
    if (!conn->moved.from)
        return;
    *conn->moved.from = conn->moved.next;
    if (conn->moved.next)
        conn->moved.next->moved.from = conn->moved.from;
    conn->moved = (struct conn_link){0};
}

void worker_unlist(struct conn *conn)
{
    unlist_all(conn);
    neighbours_remove(conn);
    worker_rested(conn);
}

void worker_note_refused(struct worker *worker, const struct addr *address, const char *limit)
{
    uint64_t now = loop_now(worker->loop);
    worker->refused++;
    gate_meter_add(&worker->meter, GATE_METER_REFUSED, 1);
    if (worker->refused_told && now - worker->refused_told < REFUSED_EVERY_MS)
        return;
    char text[ADDR_TEXT_SIZE];
    addr_text(address, text);
    LOG_WARNING("accept.refused", "too many connections; the last one refused came from here",
                LOG_TEXT("address", text), LOG_TEXT("limit", limit),
                LOG_NUMBER("refused", worker->refused));
    worker->refused = 0;
    worker->refused_told = now;
}

void worker_note_headless(struct worker *worker, const struct addr *balancer)
{
    uint64_t now = loop_now(worker->loop);
    char text[ADDR_TEXT_SIZE];
    if (worker->headless_told && now - worker->headless_told < REFUSED_EVERY_MS)
        return;
    worker->headless_told = now;
    addr_text(balancer, text);
    LOG_WARNING("proxy.header",
                "no PROXY header of version 2 from an address in [server] proxy_protocol; let it "
                "send one (haproxy: send-proxy-v2), or take it out of there",
                LOG_TEXT("address", text));
}

void worker_note_foreign(struct worker *worker, const struct addr *address)
{
    uint64_t now = loop_now(worker->loop);
    char text[ADDR_TEXT_SIZE];
    if (worker->foreign_told && now - worker->foreign_told < REFUSED_EVERY_MS)
        return;
    worker->foreign_told = now;
    addr_text(address, text);
    LOG_WARNING("proxy.header",
                "a PROXY header from an address that is not in [server] proxy_protocol; name it "
                "there if it is a balancer of yours, and let it send version 2",
                LOG_TEXT("address", text));
}

static void on_tick(struct loop_timer *timer)
{
    struct worker *worker = OWNER_OF(timer, struct worker, tick);
    bool count = ++worker->ticks % TICKS_PER_COUNT == 0;
    for (struct conn *conn = worker->conns, *next; conn; conn = next) {
        next = conn->all.next; /* conn_watch may end this one, never another */
        if (conn->state == CONN_HTTP || conn->state == CONN_QUIET)
            conn_watch(conn);
        else if (conn->state == CONN_FEED || conn->state == CONN_TALK)
            rdg_channel_watch(conn);
    }
    for (struct conn *conn = worker->moved, *next; conn; conn = next) {
        next = conn->moved.next;
        tunnel_look(conn, count);
    }
    refusal_tick();
    loop_timer_set(worker->loop, &worker->tick, TICK_MS);
}

static void drain_one(struct conn *conn)
{
    if (conn->state == CONN_TUNNEL)
        tunnel_close(conn, IPC_END_STOPPING);
    else if (conn->state == CONN_TALK)
        talk_stop(conn->talk, IPC_END_STOPPING);
    else if (conn->state == CONN_PROXY || conn->state == CONN_SNIFF ||
             conn->state == CONN_HANDSHAKE)
        conn_end(conn);
    else
        conn_watch(conn);
}

static void drain_all(struct conn *list)
{
    for (struct conn *conn = list, *next; conn; conn = next) {
        next = conn->all.next;
        drain_one(conn);
    }
}

static void stop_accepting(struct worker *worker)
{
    loop_timer_cancel(worker->loop, &worker->pause);
    for (size_t i = 0; i < worker->listener_count; i++)
        loop_remove(worker->loop, &worker->listeners[i].source);
}

static void on_retire(struct loop_task *task)
{
    stop_accepting(OWNER_OF(task, struct worker, retire));
}

void worker_retire(struct worker *worker)
{
    loop_post(worker->loop, &worker->retire);
}

static void on_drain(struct loop_task *task)
{
    struct worker *worker = OWNER_OF(task, struct worker, drain);
    stop_accepting(worker);
    drain_all(worker->conns);
    drain_all(worker->tunnels);
}

void worker_drain(struct worker *worker)
{
    loop_post(worker->loop, &worker->drain);
}

static void on_open(struct loop_task *task)
{
    struct worker *worker = OWNER_OF(task, struct worker, open);
    /* EPOLLEXCLUSIVE: a new connection wakes one worker, not all (epoll_ctl(2)). It cannot be
     * modified later, so it is not used where a pause must be possible; a needless wake-up of
     * another worker costs one accept4() that finds nothing. */
    for (size_t i = 0; i < worker->listener_count; i++) {
        struct listener *listener = &worker->listeners[i];
        int error = loop_add(worker->loop, &listener->source, listener->source.fd, EPOLLIN);
        if (error)
            LOG_ERROR("listen", "cannot watch a listener", LOG_TEXT("error", strerror(-error)));
    }
    loop_timer_set(worker->loop, &worker->tick, TICK_MS);
}

void worker_open(struct worker *worker)
{
    loop_post(worker->loop, &worker->open);
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    int error = loop_run(worker->loop);
    if (error)
        LOG_ERROR("worker", "an event loop failed", LOG_TEXT("error", strerror(-error)));
    return NULL;
}

int worker_new(struct worker **out, struct gate_state *gate)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (!worker)
        return -ENOMEM;
    const struct gate_setup *setup = gate->setup;
    worker->gate = gate;
    worker->tick.fire = on_tick;
    worker->pause.fire = on_pause_over;
    worker->open.run = on_open;
    worker->drain.run = on_drain;
    worker->retire.run = on_retire;
    worker->listener_count = setup->count;
    worker->listeners = calloc(setup->count, sizeof(*worker->listeners));
    int error = worker->listeners ? loop_new(&worker->loop) : -ENOMEM;
    if (!error)
        error = stream_scratch_new(&worker->scratch);
    if (!error)
        error = neighbours_new(&worker->neighbours);
    if (!error) {
        for (size_t i = 0; i < setup->count; i++) {
            worker->listeners[i].worker = worker;
            worker->listeners[i].kind = &setup->listeners[i];
            worker->listeners[i].source.ready = on_listener;
            worker->listeners[i].source.fd = setup->listeners[i].fd;
        }
        error = -pthread_create(&worker->thread, NULL, run, worker);
    }
    if (error) {
        neighbours_free(worker->neighbours);
        stream_scratch_free(worker->scratch);
        loop_free(worker->loop);
        free(worker->listeners);
        free(worker);
        return error;
    }
    *out = worker;
    return 0;
}
