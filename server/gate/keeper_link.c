#include "keeper_link.h"

#include "fd.h"
#include "log.h"
#include "owner.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define CALLS_MOST 4096 /* questions under way */
/* Records waiting for the socket; 20,000 tunnels may end at one moment. */
#define QUEUE_MOST 65536

struct waiting { /* a record that the socket did not take yet */
    struct waiting *next;
    union {
        struct ipc_head head;
        unsigned char bytes[1];
    };
};

struct keeper_link {
    struct keeper_link_setup setup;
    struct loop_source source;
    struct loop_task flush; /* posted by another thread that queued */
    pthread_mutex_t lock;   /* guards all below */
    bool flush_posted, broken;
    uint32_t last_request;
    struct keeper_link_numbers numbers;
    struct keeper_call *buckets[BUCKETS];
    struct waiting *first, *last;
};

static void on_ready(struct loop_source *source, uint32_t events);
static void on_flush(struct loop_task *task);

int keeper_link_new(struct keeper_link **out, const struct keeper_link_setup *setup)
{
    struct keeper_link *link = calloc(1, sizeof(*link));
    if (!link)
        return -ENOMEM;
    link->setup = *setup;
    link->source.ready = on_ready;
    link->flush.run = on_flush;
    pthread_mutex_init(&link->lock, NULL);
    int error = loop_add(setup->loop, &link->source, setup->socket, EPOLLIN);
    if (error) {
        keeper_link_free(link);
        return error;
    }
    *out = link;
    return 0;
}

void keeper_link_free(struct keeper_link *link)
{
    if (!link)
        return;
    loop_remove(link->setup.loop, &link->source);
    while (link->first) {
        struct waiting *next = link->first->next;
        explicit_bzero(link->first->bytes, link->first->head.size);
        free(link->first);
        link->first = next;
    }
    pthread_mutex_destroy(&link->lock);
    free(link);
}

/* Queues a copy; called with the lock. Only a sign-in's copy holds a secret, and it is wiped when
 * it has been sent. */
static int queue(struct keeper_link *link, const struct ipc_head *record)
{
    if (link->numbers.queued >= QUEUE_MOST)
        return -EAGAIN;
    struct waiting *item = malloc(offsetof(struct waiting, bytes) + record->size);
    if (!item)
        return -ENOMEM;
    memcpy(item->bytes, record, record->size);
    item->next = NULL;
    if (link->last)
        link->last->next = item;
    else
        link->first = item;
    link->last = item;
    link->numbers.queued++;
    if (!link->flush_posted) {
        link->flush_posted = true;
        loop_post(link->setup.loop, &link->flush);
    }
    return 0;
}

/* Sends or queues; called with the lock. */
static int put(struct keeper_link *link, const struct ipc_head *record)
{
    if (link->broken)
        return -EPIPE;
    if (link->first)
        return queue(link, record);
    int error = ipc_send(link->setup.socket, record, -1);
    return error == -EAGAIN ? queue(link, record) : error;
}

int keeper_link_ask(struct keeper_link *link, struct ipc_head *record, enum ipc_type expected,
                    struct keeper_call *call)
{
    int error = -EAGAIN;
    pthread_mutex_lock(&link->lock);
    if (link->numbers.calls < CALLS_MOST) {
        if (++link->last_request == 0) /* 0 means: no answer due */
            link->last_request = 1;
        call->request = record->request = link->last_request;
        call->expected = (uint16_t)expected;
        call->asked = record->type;
        call->asked_us = histogram_now();
        /* Listed before it is sent: the answer may come before put() returns. */
        struct keeper_call **bucket = &link->buckets[call->request % BUCKETS];
        call->next = *bucket;
        *bucket = call;
        link->numbers.calls++;
        error = put(link, record);
        if (error) {
            *bucket = call->next;
            link->numbers.calls--;
        }
    }
    pthread_mutex_unlock(&link->lock);
    return error;
}

void keeper_link_tell(struct keeper_link *link, const struct ipc_head *record)
{
    pthread_mutex_lock(&link->lock);
    int error = put(link, record);
    pthread_mutex_unlock(&link->lock);
    if (error && error != -EPIPE)
        LOG_ERROR("keeper.tell", "a record for the keeper was lost",
                  LOG_NUMBER("type", record->type), LOG_TEXT("error", strerror(-error)));
}

void keeper_link_look(struct keeper_link *link, struct keeper_link_numbers *numbers)
{
    pthread_mutex_lock(&link->lock);
    *numbers = link->numbers;
    pthread_mutex_unlock(&link->lock);
}

bool keeper_link_flushed(struct keeper_link *link)
{
    pthread_mutex_lock(&link->lock);
    bool flushed = !link->first || link->broken;
    pthread_mutex_unlock(&link->lock);
    return flushed;
}

/* Main loop: hands on what waits, and asks for EPOLLOUT while something stays. */
static void flush(struct keeper_link *link)
{
    pthread_mutex_lock(&link->lock);
    link->flush_posted = false;
    while (link->first && !link->broken) {
        struct waiting *item = link->first;
        int error = ipc_send(link->setup.socket, &item->head, -1);
        if (error == -EAGAIN)
            break;
        link->first = item->next;
        if (!link->first)
            link->last = NULL;
        link->numbers.queued--;
        explicit_bzero(item->bytes, item->head.size);
        free(item);
    }
    bool more = link->first != NULL;
    pthread_mutex_unlock(&link->lock);
    loop_modify(link->setup.loop, &link->source, more ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void on_flush(struct loop_task *task)
{
    flush(OWNER_OF(task, struct keeper_link, flush));
}

static void count_answer(struct keeper_link *link, const struct keeper_call *call,
                         const struct ipc_answer *answer)
{
    unsigned status = answer->status;
    histogram_add(&link->numbers.took[call->asked], histogram_now() - call->asked_us);
    if (status < IPC_STATUSES)
        link->numbers.answers[call->asked][status]++;
}

static struct keeper_call *take_call(struct keeper_link *link, const union ipc_record *record)
{
    const struct ipc_head *answer = &record->head;
    pthread_mutex_lock(&link->lock);
    struct keeper_call **at = &link->buckets[answer->request % BUCKETS];
    while (*at && (*at)->request != answer->request)
        at = &(*at)->next;
    struct keeper_call *call = *at;
    if (call && call->expected == answer->type) {
        *at = call->next;
        link->numbers.calls--;
        count_answer(link, call, &record->answer);
    } else {
        call = NULL;
    }
    pthread_mutex_unlock(&link->lock);
    return call;
}

static int dispatch(struct keeper_link *link, const union ipc_record *record, int fd)
{
    if (record->head.type == IPC_CLOSE_TUNNEL) {
        link->setup.close_tunnel(link->setup.owner, record->close_tunnel.tunnel,
                                 (enum ipc_end)record->close_tunnel.end);
        return 0;
    }
    if (record->head.type == IPC_SAY) {
        if (!ipc_text_ok(record->say.words, sizeof(record->say.words)))
            return -EPROTO;
        link->setup.say(link->setup.owner, record->say.tunnel, record->say.words);
        return 0;
    }
    struct keeper_call *call = take_call(link, record);
    if (!call) {
        fd_close(&fd);
        return -EPROTO;
    }
    call->done(call, record, fd);
    return 0;
}

static void on_ready(struct loop_source *source, uint32_t events)
{
    struct keeper_link *link = OWNER_OF(source, struct keeper_link, source);
    union ipc_record record;
    int error = 0;
    if (events & EPOLLOUT)
        flush(link);
    for (int i = 0; i < 64 && !error; i++) {
        int fd;
        error = ipc_receive(link->setup.socket, IPC_KEEPER, &record, &fd);
        if (!error)
            error = dispatch(link, &record, fd);
    }
    explicit_bzero(&record, sizeof(record)); /* tokens, tickets and seeds come this way */
    if (!error || error == -EAGAIN)
        return;
    pthread_mutex_lock(&link->lock);
    link->broken = true;
    pthread_mutex_unlock(&link->lock);
    loop_remove(link->setup.loop, &link->source);
    link->setup.lost(link->setup.owner, error);
}
