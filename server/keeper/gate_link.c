#include "gate_link.h"

#include "asked.h"
#include "fd.h"
#include "live.h"
#include "log.h"
#include "owner.h"
#include "record_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Records for a gate that does not read. While one waits we read no more questions, so what piles
 * up is bounded by what is under way and by the tunnels that may have to be closed. */
#define QUEUE_MOST 65536
#define ROUND_MOST 64         /* records read before others have their turn */
#define LAST_WORDS_MOST 65536 /* records read from a gate that is gone */

struct outgoing {
    struct outgoing *next;
    int fd;
    struct ipc_head head; /* and the record's rest behind it */
};

struct gate_link *gate_link_ref(struct gate_link *link)
{
    link->references++;
    return link;
}

void gate_link_unref(struct gate_link *link)
{
    if (--link->references == 0)
        free(link);
}

static void outgoing_free(struct outgoing *item)
{
    fd_close(&item->fd);
    sodium_memzero(&item->head, item->head.size); /* an answer may hold a token */
    free(item);
}

static int next_record(struct gate_link *link, union ipc_record *record)
{
    int fd; /* a gate's records carry none: ipc_receive() refuses them */
    return ipc_receive(link->source.fd, IPC_GATE, record, &fd);
}

/* A gate that is gone has left records behind: how its tunnels ended is worth hearing. */
static void hear_last_words(struct gate_link *link)
{
    union ipc_record record;
    int error = 0;
    for (int i = 0; i < LAST_WORDS_MOST && !error; i++) {
        error = next_record(link, &record);
        if (!error && asked_nothing(record.head.type))
            error = asked(link, &record);
    }
    sodium_memzero(&record, sizeof(record));
}

/* Of what type the record says it is. */
static void note_breach(struct keeper *keeper, uint16_t type)
{
    struct ipc_origin nobody = {0};
    char words[128];
    snprintf(words, sizeof(words), "the gate broke the rules of its record socket (%s)",
             ipc_type_name(type));
    record_audit(keeper, &nobody, "gate-dropped", "denied", NULL, NULL, words);
}

/* `type`: of the record that broke the rules, when `error` is -EPROTO. */
static void drop(struct gate_link *link, int error, uint16_t type)
{
    struct keeper *keeper = link->keeper;
    if (link->gone)
        return;
    if (error == -EPROTO) {
        note_breach(keeper, type);
    } else {
        hear_last_words(link);
    }
    link->gone = true;
    loop_remove(keeper->loop, &link->source);
    fd_close(&link->source.fd);
    while (link->first) {
        struct outgoing *next = link->first->next;
        outgoing_free(link->first);
        link->first = next;
    }
    for (struct gate_link **at = &keeper->gates; *at; at = &(*at)->next) {
        if (*at == link) {
            *at = link->next;
            break;
        }
    }
    live_gate_lost(keeper, link);
    LOG_INFO("gate.gone", "a gate's record socket closed", LOG_TEXT("why", strerror(-error)));
    gate_link_unref(link);
}

void gate_link_drop_all(struct keeper *keeper)
{
    while (keeper->gates)
        drop(keeper->gates, -ECANCELED, IPC_NONE);
}

/* ---- sending ---- */

static int queue(struct gate_link *link, const struct ipc_head *record, int fd)
{
    if (link->queued >= QUEUE_MOST)
        return -EPIPE;
    struct outgoing *item = malloc(offsetof(struct outgoing, head) + record->size);
    if (!item)
        return -ENOMEM;
    item->next = NULL;
    item->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    memcpy(&item->head, record, record->size);
    if (fd >= 0 && item->fd < 0) {
        outgoing_free(item);
        return -EMFILE;
    }
    if (link->last)
        link->last->next = item;
    else
        link->first = item;
    link->last = item;
    link->queued++;
    loop_modify(link->keeper->loop, &link->source, EPOLLOUT);
    return 0;
}

void gate_link_send(struct gate_link *link, const struct ipc_head *record, int fd)
{
    if (link->gone)
        return;
    int error = link->first ? -EAGAIN : ipc_send(link->source.fd, record, fd);
    if (error == -EAGAIN)
        error = queue(link, record, fd);
    /* Not here: the caller may be walking the tunnels. The loop finds the end. */
    if (error) {
        LOG_ERROR("gate.send", "a record could not be sent to the gate; dropping it",
                  LOG_TEXT("error", strerror(-error)));
        shutdown(link->source.fd, SHUT_RDWR);
    }
}

static int flush(struct gate_link *link)
{
    while (link->first) {
        struct outgoing *item = link->first;
        int error = ipc_send(link->source.fd, &item->head, item->fd);
        if (error)
            return error == -EAGAIN ? 0 : error;
        link->first = item->next;
        if (!link->first)
            link->last = NULL;
        link->queued--;
        outgoing_free(item);
    }
    return loop_modify(link->keeper->loop, &link->source, EPOLLIN);
}

/* ---- receiving ---- */

static void on_ready(struct loop_source *source, uint32_t events)
{
    struct gate_link *link = OWNER_OF(source, struct gate_link, source);
    union ipc_record record;
    (void)events;
    record.head.type = IPC_NONE; /* what comes may be shorter than a head */
    int error = link->first ? flush(link) : 0;
    for (int i = 0; i < ROUND_MOST && !error && !link->first; i++) {
        error = next_record(link, &record);
        if (!error)
            error = asked(link, &record);
    }
    uint16_t type = record.head.type;
    sodium_memzero(&record, sizeof(record)); /* it may have been a sign-in */
    live_save_ends(link->keeper);
    if (error && error != -EAGAIN)
        drop(link, error, type);
}

int gate_link_add(struct keeper *keeper, int socket)
{
    struct gate_link *link = calloc(1, sizeof(*link));
    if (!link) {
        close(socket);
        return -ENOMEM;
    }
    link->keeper = keeper;
    link->references = 1;
    link->source.ready = on_ready;
    int error = fd_nonblocking(socket);
    if (!error)
        error = loop_add(keeper->loop, &link->source, socket, EPOLLIN);
    if (error) {
        close(socket);
        free(link);
        return error;
    }
    link->next = keeper->gates;
    keeper->gates = link;
    return 0;
}
