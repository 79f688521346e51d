#include "client_job.h"

#include "owner.h"

static void *run(void *owner)
{
    struct client_job *job = owner;
    job->work(job);
    loop_post(job->loop, &job->task);
    return NULL;
}

static void on_posted(struct loop_task *task)
{
    struct client_job *job = OWNER_OF(task, struct client_job, task);
    pthread_join(job->thread, NULL); /* it is on its way out */
    job->finished(job);
}

int client_job_start(struct client_job *job, struct loop *loop, void (*work)(struct client_job *),
                     void (*finished)(struct client_job *))
{
    *job = (struct client_job){
        .task.run = on_posted, .loop = loop, .work = work, .finished = finished};
    return -pthread_create(&job->thread, NULL, run, job);
}
