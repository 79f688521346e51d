#include "dial.h"

#include "fd.h"
#include "log.h"
#include "owner.h"
#include "policy.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESSES_MOST 16 /* of one name */

struct dial {
    struct dial_setup setup;
    struct pool_job job;
    struct loop_timer deadline; /* for all of it */
    struct loop_timer patience; /* for one address, when there are more */
    uint64_t until_ms;
    uint64_t began_us; /* histogram_now() */
    struct loop_source source;
    char host[256];
    bool resolving; /* a thread has it: it must stay until the thread is done */
    bool over;      /* `done` was called */
    int resolved;   /* getaddrinfo()'s answer */
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
    histogram_add(&meter->took, histogram_now() - dial->began_us);
}

static void finish(struct dial *dial, enum ipc_status status)
{
    int fd = -1;
    loop_remove(dial->setup.loop, &dial->source);
    loop_timer_cancel(dial->setup.loop, &dial->patience);
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

static void set_options(int fd)
{
    int on = 1;
    fd_nodelay(fd);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

/* An address that swallows packets leaves time for those behind it. */
static void share_time(struct dial *dial)
{
    uint64_t now = loop_now(dial->setup.loop), behind = dial->count - dial->next;
    loop_timer_cancel(dial->setup.loop, &dial->patience);
    if (behind && dial->until_ms > now) /* unset for lack of memory: the deadline still stands */
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

static void go_on(struct dial *dial)
{
    while (dial->next < dial->count) {
        if (try_next(dial))
            return;
    }
    finish(dial, dial->failure);
}

/* Keeps the addresses that may be dialled: no other is ever connected to. */
static void begin(struct dial *dial)
{
    size_t kept = 0;
    for (size_t i = 0; i < dial->count; i++) {
        if (policy_may_dial(dial->setup.conf, &dial->addresses[i]))
            dial->addresses[kept++] = dial->addresses[i];
    }
    dial->count = kept;
    dial->failure = IPC_DESKTOP_ADDRESS;
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
        set_options(dial->fd);
        finish(dial, IPC_OK);
        return;
    }
    give_up_address(dial, error);
}

static void on_patience(struct loop_timer *timer)
{
    give_up_address(OWNER_OF(timer, struct dial, patience), ETIMEDOUT);
}

static void on_deadline(struct loop_timer *timer)
{
    struct dial *dial = OWNER_OF(timer, struct dial, deadline);
    if (dial->over)
        return;
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
