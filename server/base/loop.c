#include "loop.h"

#include "fd.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define ROUND 128  /* events fetched at once */
#define CHILDREN 4 /* of a timer in the heap: half as deep as with two */

struct heap_entry {
    uint64_t at_ms;
    struct loop_timer *timer;
};

struct loop {
    int epoll;
    int wake; /* eventfd */
    atomic_bool stop;
    uint64_t now;

    struct epoll_event round[ROUND]; /* being worked through; loop_remove blanks entries in it */
    int round_size;

    /* A heap on at_ms, 1-based: heap[1] fires first. The times stand in it, so that among thousands
     * only the timers that move are touched. */
    struct heap_entry *heap;
    uint32_t heap_size, heap_room;

    pthread_mutex_t lock; /* guards the queue of tasks */
    struct loop_task *first, *last;
};

uint64_t loop_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int loop_new(struct loop **out)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return -ENOMEM;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (loop->epoll < 0 || loop->wake < 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) < 0) {
        int error = -errno;
        fd_close(&loop->epoll);
        fd_close(&loop->wake);
        free(loop);
        return error;
    }
    pthread_mutex_init(&loop->lock, NULL);
    loop->now = loop_clock_ms();
    *out = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    fd_close(&loop->epoll);
    fd_close(&loop->wake);
    pthread_mutex_destroy(&loop->lock);
    free(loop->heap);
    free(loop);
}

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t written;
    /* EAGAIN: the counter is full, so the loop is awake already. */
    do
        written = write(loop->wake, &one, sizeof(one));
    while (written < 0 && errno == EINTR);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stop, true);
    wake(loop);
}

void loop_post(struct loop *loop, struct loop_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&loop->lock);
    bool was_empty = !loop->first;
    if (was_empty)
        loop->first = task;
    else
        loop->last->next = task;
    loop->last = task;
    pthread_mutex_unlock(&loop->lock);
    if (was_empty)
        wake(loop);
}

static void run_tasks(struct loop *loop)
{
    uint64_t count;
    ssize_t got = read(loop->wake, &count, sizeof(count));
    (void)got;
    pthread_mutex_lock(&loop->lock);
    struct loop_task *task = loop->first;
    loop->first = loop->last = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (task) {
        struct loop_task *next = task->next; /* the task may free itself */
        task->run(task);
        task = next;
    }
}

int loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    source->fd = fd;
    source->events = events;
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    source->added = true;
    return 0;
}

int loop_modify(struct loop *loop, struct loop_source *source, uint32_t events)
{
    if (source->events == events)
        return 0;
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &event) < 0)
        return -errno;
    source->events = events;
    return 0;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
    if (!source->added)
        return;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
    source->added = false;
    for (int i = 0; i < loop->round_size; i++) {
        if (loop->round[i].data.ptr == source)
            loop->round[i].events = 0;
    }
}

/* ---- timers ---- */

static void heap_put(struct loop *loop, uint32_t place, struct heap_entry entry)
{
    loop->heap[place] = entry;
    entry.timer->place = place;
}

static uint32_t heap_parent(uint32_t place)
{
    return (place - 2) / CHILDREN + 1;
}

static void heap_up(struct loop *loop, uint32_t place)
{
    struct heap_entry entry = loop->heap[place];
    while (place > 1 && loop->heap[heap_parent(place)].at_ms > entry.at_ms) {
        heap_put(loop, place, loop->heap[heap_parent(place)]);
        place = heap_parent(place);
    }
    heap_put(loop, place, entry);
}

/* The earliest child of a place; 0: it has none. */
static uint32_t heap_child(const struct loop *loop, uint32_t place)
{
    uint64_t first = ((uint64_t)place - 1) * CHILDREN + 2, end = first + CHILDREN;
    if (first > loop->heap_size)
        return 0;
    uint32_t best = (uint32_t)first;
    for (uint64_t child = first + 1; child < end && child <= loop->heap_size; child++)
        if (loop->heap[child].at_ms < loop->heap[best].at_ms)
            best = (uint32_t)child;
    return best;
}

static void heap_down(struct loop *loop, uint32_t place)
{
    struct heap_entry entry = loop->heap[place];
    uint32_t child;
    while ((child = heap_child(loop, place)) && loop->heap[child].at_ms < entry.at_ms) {
        heap_put(loop, place, loop->heap[child]);
        place = child;
    }
    heap_put(loop, place, entry);
}

static int heap_grow(struct loop *loop)
{
    if (loop->heap_size + 1 < loop->heap_room)
        return 0;
    uint32_t room = loop->heap_room ? loop->heap_room * 2 : 64;
    struct heap_entry *heap = realloc(loop->heap, room * sizeof(*heap));
    if (!heap)
        return -ENOMEM;
    loop->heap = heap;
    loop->heap_room = room;
    return 0;
}

int loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms)
{
    struct heap_entry entry = {.at_ms = loop->now + delay_ms, .timer = timer};
    if (timer->place) {
        loop->heap[timer->place] = entry;
        heap_up(loop, timer->place);
        heap_down(loop, timer->place);
        return 0;
    }
    int error = heap_grow(loop);
    if (error)
        return error;
    loop->heap_size++;
    heap_put(loop, loop->heap_size, entry);
    heap_up(loop, loop->heap_size);
    return 0;
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
    uint32_t place = timer->place;
    if (!place)
        return;
    timer->place = 0;
    struct heap_entry last = loop->heap[loop->heap_size--];
    if (last.timer == timer)
        return;
    heap_put(loop, place, last);
    heap_up(loop, place);
    heap_down(loop, last.timer->place);
}

/* At most as many as were armed before: one that re-arms itself with no delay waits for the next
 * round, so it cannot keep descriptors waiting. */
static void fire_timers(struct loop *loop)
{
    for (uint32_t most = loop->heap_size; most && loop->heap_size; most--) {
        struct loop_timer *timer = loop->heap[1].timer;
        if (loop->heap[1].at_ms > loop->now)
            break;
        loop_timer_cancel(loop, timer);
        timer->fire(timer);
    }
}

static int wait_ms(const struct loop *loop)
{
    if (!loop->heap_size)
        return -1;
    uint64_t at = loop->heap[1].at_ms;
    if (at <= loop->now)
        return 0;
    return at - loop->now > INT_MAX ? INT_MAX : (int)(at - loop->now);
}

uint64_t loop_now(const struct loop *loop)
{
    return loop->now;
}

static void run_round(struct loop *loop)
{
    bool woken = false;
    for (int i = 0; i < loop->round_size; i++) {
        struct loop_source *source = loop->round[i].data.ptr;
        if (!source)
            woken = true;
        else if (loop->round[i].events)
            source->ready(source, loop->round[i].events);
    }
    loop->round_size = 0;
    if (woken)
        run_tasks(loop);
}

int loop_run(struct loop *loop)
{
    while (!atomic_load(&loop->stop)) {
        int count = epoll_wait(loop->epoll, loop->round, ROUND, wait_ms(loop));
        if (count < 0 && errno != EINTR)
            return -errno;
        loop->now = loop_clock_ms();
        loop->round_size = count > 0 ? count : 0;
        run_round(loop);
        fire_timers(loop);
    }
    return 0;
}
