/* A few threads for work that would hold up the event loop: password hashes, name resolution. The
 * queue is bounded and each job has a deadline for being begun. */
#pragma once

#include "loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool;

struct pool_job {
    void (*work)(struct pool_job *job);     /* in a thread of the pool */
    void (*finished)(struct pool_job *job); /* in the loop; the job may be freed in it */
    bool late; /* its deadline passed in the queue: `work` was not called */
    uint64_t begin_by_ms;
    struct pool_job *next;
    struct loop_task task;
};

/* 0 or a negative errno. Threads block all signals. `patient`: their work is long, and whoever else
 * has something to do on a processor goes first. */
int pool_new(struct pool **out, struct loop *loop, uint32_t threads, uint32_t queue, bool patient);
uint32_t pool_waiting(struct pool *pool); /* jobs not begun */
/* 0, or -EAGAIN when the queue is full. `within_ms`: to be begun within. */
int pool_submit(struct pool *pool, struct pool_job *job, uint64_t within_ms);
