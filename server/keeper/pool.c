#include "pool.h"

#include "owner.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct pool {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct pool_job *first, *last;
    uint32_t queued, most;
    bool patient;
};

#define PATIENT_NICE 10          /* a tenth of the weight: in a storm they still get on */
#define PATIENT_SLICE_NS 100000U /* the least that Linux takes (6.12; earlier ones ignore it) */

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void on_finished(struct loop_task *task)
{
    struct pool_job *job = OWNER_OF(task, struct pool_job, task);
    job->finished(job);
}

static struct pool_job *take(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->first)
        pthread_cond_wait(&pool->more, &pool->lock);
    struct pool_job *job = pool->first;
    pool->first = job->next;
    if (!pool->first)
        pool->last = NULL;
    pool->queued--;
    pthread_mutex_unlock(&pool->lock);
    return job;
}

/* sched_setattr(2); the C library has no name for it. */
struct sched_wish {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline,
        period; /* ns; runtime: the slice, for policies without a deadline */
};

/* A storm of sign-ins must not be felt in the tunnels: a password hash is 20 ms of work, and on a
 * processor that it has, a tunnel's thread waits for the end of its slice. */
static void stand_back(void)
{
    struct sched_wish wish = {.size = sizeof(wish),
                              .policy = SCHED_BATCH,
                              .nice = PATIENT_NICE,
                              .runtime = PATIENT_SLICE_NS};
    syscall(SYS_sched_setattr, 0, &wish, 0); /* where it is refused, it is less smooth */
}

static void *run(void *argument)
{
    struct pool *pool = argument;
    if (pool->patient)
        stand_back();
    for (;;) {
        struct pool_job *job = take(pool);
        job->late = clock_ms() > job->begin_by_ms;
        if (!job->late)
            job->work(job);
        loop_post(pool->loop, &job->task);
    }
    return NULL;
}

int pool_new(struct pool **out, struct loop *loop, uint32_t threads, uint32_t queue, bool patient)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    sigset_t all, before;
    int error = 0;
    if (!pool)
        return -ENOMEM;
    pool->loop = loop;
    pool->most = queue;
    pool->patient = patient;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->more, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 0; i < threads && !error; i++) {
        pthread_t thread;
        error = -pthread_create(&thread, NULL, run, pool);
        if (!error)
            pthread_detach(thread); /* lives as long as the process */
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *out = pool;
    return error;
}

uint32_t pool_waiting(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    uint32_t queued = pool->queued;
    pthread_mutex_unlock(&pool->lock);
    return queued;
}

int pool_submit(struct pool *pool, struct pool_job *job, uint64_t within_ms)
{
    int error = -EAGAIN;
    job->task.run = on_finished;
    job->begin_by_ms = clock_ms() + within_ms;
    job->next = NULL;
    pthread_mutex_lock(&pool->lock);
    if (pool->queued < pool->most) {
        if (pool->last)
            pool->last->next = job;
        else
            pool->first = job;
        pool->last = job;
        pool->queued++;
        error = 0;
        pthread_cond_signal(&pool->more);
    }
    pthread_mutex_unlock(&pool->lock);
    return error;
}
