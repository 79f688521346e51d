/* An epoll event loop (level-triggered), one per thread. Everything but loop_post() and
 * loop_stop() belongs to the thread that runs the loop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* A descriptor in the loop; embed it in the owner. The descriptor stays the caller's. */
struct loop_source {
    void (*ready)(struct loop_source *source, uint32_t events); /* EPOLLIN, EPOLLOUT, … */
    int fd;
    uint32_t events;
    bool added;
};

/* A one-shot timer; embed it in the owner, zero-initialised. */
struct loop_timer {
    void (*fire)(struct loop_timer *timer);
    uint32_t place; /* in the heap, 1-based; 0: not armed */
};

/* Work sent to the loop by another thread; embed it, it must live until it has run, and is not
 * posted again before. */
struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next;
};

/* 0 or a negative errno. loop_free(NULL) is fine; tasks still queued are not run. */
int loop_new(struct loop **out);
void loop_free(struct loop *loop);

/* Runs until loop_stop(); 0 or a negative errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);                         /* any thread */
void loop_post(struct loop *loop, struct loop_task *task); /* any thread; in order of posting */

/* 0 or a negative errno. `source->ready` must be set. */
int loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events);
/* Sets the events of interest; no system call when they are what they were. */
int loop_modify(struct loop *loop, struct loop_source *source, uint32_t events);
/* Events of this source already fetched in this round are dropped, so the owner may be freed at
 * once. Removing a source that was never added, or twice, is fine. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* (Re)arms the timer `delay_ms` from now; `timer->fire` must be set. 0, or -ENOMEM. */
int loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer); /* unarmed: fine */

/* CLOCK_MONOTONIC in milliseconds, read once per round. */
uint64_t loop_now(const struct loop *loop);
/* The same clock (CLOCK_MONOTONIC, milliseconds) as it is this moment, for what measures how long
 * something took; any thread. */
uint64_t loop_clock_ms(void);
