#include "dial.h"

#include "fd.h"
#include "log.h"
#include "own_address.h"
#include "owner.h"
#include "policy.h"
#include "wake.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESSES_MOST 16  /* of one name */
#define WAKE_AFTER_MS 1000 /* whoever is awake has answered by then */
#define WAKE_EVERY_MS 1000
#define WAKE_ROUNDS 3      /* of packets, which nobody acknowledges */
#define WAKE_TRY_MS 2000   /* a new SYN gets through sooner than the kernel's next repetition */
#define WAKE_PAUSE_MS 1000 /* after all addresses were tried */
/* Else the kernel makes it megabytes while a client takes less than its desktop gives: they are old
 * when they arrive, and memory that one client can hold. A desktop 10 ms away still gives 25 MB a
 * second through it. */
#define UNREAD_MOST (256 * 1024)

struct dial {
    struct dial_setup setup;
    struct pool_job job;
    struct loop_timer deadline; /* for all of it */
    struct loop_timer patience; /* for one address, when there are more, or between two rounds */
    struct loop_timer wake;     /* the next magic packet */
    uint64_t until_ms;
    uint64_t began_us; /* histogram_now() */
    struct loop_source source;
    char host[256];
    bool resolving; /* a thread has it: it must stay until the thread is done */
    bool over;      /* `done` was called */
    bool may_wake, waking;
    unsigned rounds; /* of packets sent */
    uint8_t mac[WAKE_MAC_SIZE];
    int resolved; /* getaddrinfo()'s answer */
    int fd;
    size_t count, next;
    enum ipc_status failure; /* what to say when no address is left */
    struct addr addresses[ADDRESSES_MOST];
};

static void dial_free(struct dial *dial)
{
    loop_remove(dial->setup.loop, &dial->source);
    loop_timer_cancel(dial->setup.loop, &dial->deadline);
    loop_timer_cancel(dial->setup.loop, &dial->patience);
    loop_timer_cancel(dial->setup.loop, &dial->wake);
    fd_close(&dial->fd);
    free(dial);
}

static void count(const struct dial *dial, enum ipc_status status)
{
    struct dial_meter *meter = dial->setup.meter;
    if (!meter)
        return;
    meter->under_way--;
    meter->outcomes[status]++;
    meter->woken += dial->waking && status == IPC_OK;
    meter->silent += dial->waking && status != IPC_OK;
    histogram_add(&meter->took, histogram_now() - dial->began_us);
}

static void finish(struct dial *dial, enum ipc_status status)
{
    int fd = -1;
    loop_remove(dial->setup.loop, &dial->source);
    loop_timer_cancel(dial->setup.loop, &dial->patience);
    loop_timer_cancel(dial->setup.loop, &dial->wake);
    if (status == IPC_OK) {
        fd = dial->fd;
        dial->fd = -1; /* the callee's */
    }
    dial->over = true;
    count(dial, status);
    dial->setup.done(dial->setup.owner, status, fd);
    if (!dial->resolving)
        dial_free(dial);
}

static enum ipc_status status_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
        return IPC_DESKTOP_REFUSED;
    case EMFILE: /* ours */
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
        LOG_ERROR("dial", "no socket can be made for dialling", LOG_TEXT("error", strerror(error)));
        return IPC_FAILED;
    default: /* ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, … */
        return IPC_DESKTOP_ASLEEP;
    }
}

static void set_options(const struct dial *dial)
{
    fd_nodelay(dial->fd);
    fd_unread_most(dial->fd, UNREAD_MOST);
    fd_lost_after(dial->fd, dial->setup.conf->dial_lost_seconds);
}

/* An address that swallows packets leaves time for those behind it. */
static void share_time(struct dial *dial)
{
    uint64_t now = loop_now(dial->setup.loop), behind = dial->count - dial->next;
    loop_timer_cancel(dial->setup.loop, &dial->patience);
    if (dial->waking)
        loop_timer_set(dial->setup.loop, &dial->patience, WAKE_TRY_MS);
    else if (behind &&
             dial->until_ms > now) /* unset for lack of memory: the deadline still stands */
        loop_timer_set(dial->setup.loop, &dial->patience, (dial->until_ms - now) / (behind + 1));
}

/* Tries the next address; true when one is under way or the dial is over. */
static bool try_next(struct dial *dial)
{
    const struct addr *address = &dial->addresses[dial->next++];
    struct sockaddr_storage to;
    socklen_t size = addr_to_sockaddr(address, dial->setup.port, &to);
    dial->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (dial->fd < 0 ||
        (connect(dial->fd, (struct sockaddr *)&to, size) < 0 && errno != EINPROGRESS)) {
        dial->failure = status_of(errno);
        fd_close(&dial->fd);
        return false;
    }
    /* A connection made at once is writable at once. */
    int error = loop_add(dial->setup.loop, &dial->source, dial->fd, EPOLLOUT);
    if (error) {
        dial->failure = status_of(-error);
        fd_close(&dial->fd);
        return false;
    }
    share_time(dial);
    return true;
}

/* ---- waking ---- */

/* Says to how many addresses. */
static size_t send_packets(struct dial *dial)
{
    size_t sent = wake_send(dial->setup.conf, dial->mac, dial->addresses, dial->count);
    if (++dial->rounds < WAKE_ROUNDS)
        loop_timer_set(dial->setup.loop, &dial->wake, WAKE_EVERY_MS);
    return sent;
}

/* False when it cannot be woken. */
static bool begin_waking(struct dial *dial)
{
    uint64_t within = dial->setup.conf->wake_seconds * 1000ULL;
    size_t sent = send_packets(dial);
    if (dial->setup.waking)
        dial->setup.waking(dial->setup.owner, sent);
    dial->waking = sent && loop_timer_set(dial->setup.loop, &dial->deadline, within) == 0;
    dial->may_wake = dial->waking;
    if (dial->waking)
        dial->failure = IPC_DESKTOP_ASLEEP;
    else
        loop_timer_cancel(dial->setup.loop, &dial->wake);
    return dial->waking;
}

static void on_wake(struct loop_timer *timer)
{
    struct dial *dial = OWNER_OF(timer, struct dial, wake);
    if (dial->waking)
        send_packets(dial);
    else if (begin_waking(dial))
        loop_timer_set(dial->setup.loop, &dial->patience, WAKE_TRY_MS);
}

/* All addresses have failed: false when that is the end of it. */
static bool bear_failure(struct dial *dial)
{
    if (!dial->may_wake || dial->failure == IPC_FAILED)
        return false;
    if (!dial->waking && (dial->failure != IPC_DESKTOP_ASLEEP || !begin_waking(dial)))
        return false;
    return loop_timer_set(dial->setup.loop, &dial->patience, WAKE_PAUSE_MS) == 0;
}

static void go_on(struct dial *dial)
{
    while (dial->next < dial->count) {
        if (try_next(dial))
            return;
    }
    if (!bear_failure(dial))
        finish(dial, dial->failure);
}

/* Keeps the addresses that may be dialled: no other is ever connected to. */
static void begin(struct dial *dial)
{
    size_t kept = 0;
    for (size_t i = 0; i < dial->count; i++) {
        if (policy_may_dial(dial->setup.conf, &dial->addresses[i],
                            own_address(&dial->addresses[i])))
            dial->addresses[kept++] = dial->addresses[i];
    }
    dial->count = kept;
    dial->failure = IPC_DESKTOP_ADDRESS;
    dial->may_wake = dial->may_wake && kept; /* unset for lack of memory: it is woken later */
    if (dial->may_wake)
        loop_timer_set(dial->setup.loop, &dial->wake, WAKE_AFTER_MS);
    go_on(dial);
}

static void give_up_address(struct dial *dial, int error)
{
    dial->failure = status_of(error);
    loop_remove(dial->setup.loop, &dial->source);
    fd_close(&dial->fd);
    go_on(dial);
}

static void on_connect(struct loop_source *source, uint32_t events)
{
    struct dial *dial = OWNER_OF(source, struct dial, source);
    int error = 0;
    socklen_t size = sizeof(error);
    (void)events;
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (!error) {
        set_options(dial);
        finish(dial, IPC_OK);
        return;
    }
    give_up_address(dial, error);
}

static void on_patience(struct loop_timer *timer)
{
    struct dial *dial = OWNER_OF(timer, struct dial, patience);
    if (dial->fd >= 0) {
        give_up_address(dial, ETIMEDOUT);
    } else {
        dial->next = 0;
        go_on(dial);
    }
}

static void on_deadline(struct loop_timer *timer)
{
    struct dial *dial = OWNER_OF(timer, struct dial, deadline);
    if (dial->over)
        return;
    if (dial->waking)
        finish(dial, dial->failure);
    else
        finish(dial, dial->resolving ? IPC_DESKTOP_NAME : IPC_DESKTOP_ASLEEP);
}

/* ---- names ---- */

static void resolve(struct pool_job *job)
{
    struct dial *dial = OWNER_OF(job, struct dial, job);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    dial->resolved = getaddrinfo(dial->host, NULL, &hints, &list);
    for (struct addrinfo *at = list; at && dial->count < ADDRESSES_MOST; at = at->ai_next) {
        if (addr_from_sockaddr(&dial->addresses[dial->count], at->ai_addr))
            dial->count++;
    }
    if (list)
        freeaddrinfo(list);
}

static void on_resolved(struct pool_job *job)
{
    struct dial *dial = OWNER_OF(job, struct dial, job);
    dial->resolving = false;
    if (dial->over)
        dial_free(dial);
    else if (job->late || dial->resolved != 0 || dial->count == 0)
        finish(dial, IPC_DESKTOP_NAME);
    else
        begin(dial);
}

/* An address needs no thread; it takes the same way through the loop. */
static void on_start(struct loop_task *task)
{
    begin(OWNER_OF(task, struct dial, job.task));
}

int dial_start(const struct dial_setup *setup)
{
    struct dial *dial = calloc(1, sizeof(*dial));
    if (!dial)
        return -ENOMEM;
    dial->setup = *setup;
    dial->setup.host = NULL; /* the caller's may go */
    dial->setup.mac = NULL;
    dial->may_wake = setup->mac && setup->conf->wake_seconds;
    if (setup->mac)
        memcpy(dial->mac, setup->mac, sizeof(dial->mac));
    dial->wake.fire = on_wake;
    dial->fd = -1;
    dial->began_us = histogram_now();
    dial->source.ready = on_connect;
    dial->deadline.fire = on_deadline;
    dial->patience.fire = on_patience;
    dial->job.work = resolve;
    dial->job.finished = on_resolved;
    uint64_t within = (setup->seconds ? setup->seconds : setup->conf->dial_seconds) * 1000ULL;
    dial->until_ms = loop_now(setup->loop) + within;
    int error = text_copy(dial->host, sizeof(dial->host), setup->host) ? 0 : -ENAMETOOLONG;
    if (!error)
        error = loop_timer_set(setup->loop, &dial->deadline, within);
    if (!error && addr_parse(&dial->addresses[0], dial->host)) {
        dial->count = 1;
        dial->job.task.run = on_start;
        loop_post(setup->loop, &dial->job.task);
    } else if (!error) {
        error = pool_submit(setup->resolvers, &dial->job, within);
        dial->resolving = !error;
    }
    if (error)
        dial_free(dial);
    else if (setup->meter)
        setup->meter->under_way++;
    return error;
}
