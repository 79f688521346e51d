#include "pool.h"

#include "owner.h"
#include "turn.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct pool {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct pool_job *first, *last;
    uint32_t queued, most;
    bool patient;
};

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

static void *run(void *argument)
{
    struct pool *pool = argument;
    if (pool->patient)
        turn_patient();
    for (;;) {
        struct pool_job *job = take(pool);
        job->late = loop_clock_ms() > job->begin_by_ms;
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
    job->begin_by_ms = loop_clock_ms() + within_ms;
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
