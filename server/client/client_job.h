/* Blocking work on a thread of its own, with its end on the loop. */
#pragma once

#include "loop.h"

#include <pthread.h>

struct client_job {
    struct loop_task task;
    struct loop *loop;
    pthread_t thread;
    void (*work)(struct client_job *job);     /* on the thread */
    void (*finished)(struct client_job *job); /* on the loop; the thread is gone, the job free */
};

/* 0 or a negative errno. Embed the job; it must live until it has finished. */
int client_job_start(struct client_job *job, struct loop *loop, void (*work)(struct client_job *),
                     void (*finished)(struct client_job *));
