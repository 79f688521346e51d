#include "load_flow.h"

#include "load.h"
#include "load_time.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define SECOND 1000000000ULL
#define BATCH 256
#define READS_MOST 16 /* of one event, so that one connection does not keep the others waiting */

void flow_loop_init(struct flow_loop *loop)
{
    /* A link holds its buffers only while there is something in them: not worth the kernel's time.
     */
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    *loop = (struct flow_loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (loop->epoll < 0)
        load_die("epoll");
}

static void want(struct flow *flow, uint32_t interest)
{
    struct epoll_event event = {.events = interest, .data.ptr = flow};
    if (flow->interest == interest || flow->state == FLOW_DEAD)
        return;
    if (epoll_ctl(flow->loop->epoll, flow->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
                  flow->wire.link.fd, &event) < 0)
        load_die("epoll");
    flow->interest = interest;
}

/* ---- the end ---- */

static void bury(struct flow *flow)
{
    flow->state = FLOW_DEAD;
    wire_deinit(&flow->wire);
    flow->next = flow->loop->dead;
    flow->loop->dead = flow;
}

static void fail(struct flow *flow, int error)
{
    char why[64];
    if (flow->state == FLOW_DEAD)
        return;
    if (flow->wire.status > 0 && flow->wire.status != 101)
        snprintf(why, sizeof(why), "HTTP status %d", flow->wire.status);
    else
        snprintf(why, sizeof(why), "%s", error ? strerror(-error) : "ended by the other side");
    flow->plan->ended(flow, why);
    bury(flow);
}

void flow_close(struct flow *flow)
{
    if (flow->state == FLOW_DEAD)
        return;
    wire_finish(&flow->wire);
    bury(flow);
}

/* ---- out ---- */

static void flush(struct flow *flow)
{
    int result = wire_flush(&flow->wire);
    if (result == -EAGAIN)
        want(flow, EPOLLIN | EPOLLOUT);
    else if (result < 0)
        fail(flow, result);
    else
        want(flow, EPOLLIN);
}

void flow_send(struct flow *flow, const void *bytes, size_t size)
{
    bool waits = flow_waiting(flow) > 0;
    if (flow->state == FLOW_DEAD)
        return;
    int result = wire_write(&flow->wire, bytes, size);
    if (result < 0)
        fail(flow, result);
    else if (!waits)
        flush(flow);
}

size_t flow_waiting(const struct flow *flow)
{
    return flow->wire.link.out.size - flow->wire.link.out.at;
}

/* ---- in ---- */

static void open_now(struct flow *flow)
{
    flow->state = FLOW_OPEN;
    flow->plan->opened(flow);
}

static bool has_ticket(const struct flow *flow)
{
    return gnutls_session_get_flags(flow->wire.link.tls) & GNUTLS_SFLAGS_SESSION_TICKET;
}

static void read_all(struct flow *flow)
{
    const uint8_t *bytes;
    ssize_t got = 1;
    for (int i = 0; got > 0 && flow->state != FLOW_DEAD; i++) {
        /* What TLS holds already, epoll does not tell again. */
        if (i >= READS_MOST && !flow->wire.link.tls)
            return;
        got = wire_read(&flow->wire, &bytes);
        if (got > 0)
            flow->plan->arrived(flow, bytes, (size_t)got);
        else if (got != -EAGAIN)
            fail(flow, (int)got);
        else if (flow->state == FLOW_AWAITS_TICKET && has_ticket(flow))
            open_now(flow);
    }
}

/* ---- the beginning ---- */

static void step(struct flow *flow)
{
    int result = wire_step(&flow->wire);
    if (result == -EAGAIN) {
        want(flow, (uint32_t)flow->wire.link.wants);
        return;
    }
    if (result < 0) {
        fail(flow, result);
        return;
    }
    want(flow, EPOLLIN);
    if (flow->plan->ticket)
        flow->state = FLOW_AWAITS_TICKET;
    else
        open_now(flow);
    if (flow->state != FLOW_DEAD) /* it may be here already, within TLS */
        read_all(flow);
}

static struct flow *flow_new(struct flow_loop *loop, const struct flow_plan *plan)
{
    struct flow *flow = calloc(1, sizeof(*flow));
    if (!flow)
        load_die("memory");
    flow->loop = loop;
    flow->plan = plan;
    flow->place = plan->place;
    flow->wire.place = &flow->place;
    return flow;
}

static in_addr_t source(uint32_t number)
{
    return htonl(127U << 24 | (1 + number / 250) << 16 | number % 250 << 8 | 1);
}

/* X25519 alone, as browsers choose it, so that every server has the same to do. */
static void offer_x25519(struct flow *flow)
{
    static gnutls_priority_t priorities;
    if ((!priorities &&
         gnutls_priority_init(&priorities,
                              "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+SIGN-ALL:+GROUP-X25519",
                              NULL) < 0) ||
        gnutls_priority_set(flow->wire.link.tls, priorities) < 0)
        load_die("priorities");
}

struct flow *flow_start(struct flow_loop *loop, const struct flow_plan *plan, uint32_t number,
                        void *owner, const gnutls_datum_t *resume)
{
    struct flow *flow = flow_new(loop, plan);
    flow->number = number;
    flow->owner = owner;
    flow->state = FLOW_OPENS;
    flow->place.resume = resume;
    flow->place.from = plan->sources ? source(number % plan->sources) : 0;
    if (wire_begin(&flow->wire, &flow->place) < 0)
        load_die("connect");
    if (flow->wire.link.tls)
        offer_x25519(flow);
    want(flow, EPOLLOUT);
    return flow;
}

/* ---- the desktop's side ---- */

static struct flow *adopt(struct flow_loop *loop, const struct flow_plan *plan, int fd)
{
    struct flow *flow = flow_new(loop, plan);
    link_accept(&flow->wire.link, fd, NULL);
    flow->wire.state = WIRE_OPEN;
    want(flow, EPOLLIN);
    return flow;
}

uint16_t flow_listen(struct flow_loop *loop, const struct flow_plan *plan)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, 65535) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) < 0)
        load_die("listen");
    adopt(loop, plan, fd)->state = FLOW_LISTENS;
    return ntohs(at.sin_port);
}

static void accept_one(struct flow *listener)
{
    int fd = accept4(listener->wire.link.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        open_now(adopt(listener->loop, listener->plan, fd));
    else if (errno != EAGAIN && errno != ECONNABORTED)
        load_die("accept");
}

/* ---- events ---- */

static void on_event(struct flow *flow, uint32_t events)
{
    if (flow->state == FLOW_LISTENS) {
        accept_one(flow);
        return;
    }
    if (flow->state == FLOW_OPENS) {
        step(flow);
        return;
    }
    if (events & EPOLLOUT) {
        flush(flow);
        if (flow->state != FLOW_DEAD && !flow_waiting(flow) && flow->plan->drained)
            flow->plan->drained(flow);
    }
    if (events & ~(uint32_t)EPOLLOUT && flow->state != FLOW_DEAD)
        read_all(flow);
}

static void free_dead(struct flow_loop *loop)
{
    while (loop->dead) {
        struct flow *flow = loop->dead;
        loop->dead = flow->next;
        free(flow);
    }
}

void flow_poll(struct flow_loop *loop, uint64_t until)
{
    struct epoll_event events[BATCH];
    uint64_t now = time_ns(), left = until > now ? until - now : 0;
    struct timespec wait = {.tv_sec = (time_t)(left / SECOND), .tv_nsec = (long)(left % SECOND)};
    int count = epoll_pwait2(loop->epoll, events, BATCH, &wait, NULL);
    if (count < 0 && errno != EINTR)
        load_die("epoll");
    for (int i = 0; i < count; i++) {
        struct flow *flow = events[i].data.ptr;
        if (flow->state != FLOW_DEAD)
            on_event(flow, events[i].events);
    }
    free_dead(loop);
}
