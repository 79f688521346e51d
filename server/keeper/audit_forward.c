#include "audit_forward.h"

#include "audit_syslog.h"
#include "fd.h"
#include "keeper_state.h"
#include "log.h"
#include "owner.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define LOOK_MS 250
#define ROUND_MOST 32 /* rows in one look, which takes a few milliseconds */
#define WINDOW 512    /* numbers of rows handed over and not acknowledged */
#define SAVE_MS 1000
#define AGAIN 200 /* rows told once more behind a lost connection, see audit_forward_to() */

static void trouble(struct keeper *keeper)
{
    LOG_ERROR("store", "the audit log could not be forwarded",
              LOG_TEXT("error", store_error(keeper->store)));
}

static void save(struct keeper *keeper, uint64_t now)
{
    struct audit_queue *queue = &keeper->forward;
    if (queue->saved == queue->acknowledged)
        return;
    queue->saved_ms = now;
    if (store_audit_forwarded_set(keeper->store, queue->acknowledged) == STORE_OK)
        queue->saved = queue->acknowledged;
    else
        trouble(keeper);
}

static void drop(struct keeper *keeper)
{
    struct audit_queue *queue = &keeper->forward;
    loop_timer_cancel(keeper->loop, &queue->look);
    loop_remove(keeper->loop, &queue->source);
    fd_close(&queue->source.fd);
}

/* ---- handing over ---- */

/* False: not now. */
static bool hand_over(struct audit_queue *queue, const struct store_audit *row, const char *host)
{
    struct audit_forward_head head = {.id = row->id};
    char message[AUDIT_SYSLOG_SIZE];
    struct iovec parts[] = {{.iov_base = &head, .iov_len = sizeof(head)},
                            {.iov_base = message, .iov_len = audit_syslog(row, host, message)}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    return parts[1].iov_len != 0 &&
           sendmsg(queue->source.fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

struct round {
    struct keeper *keeper;
    unsigned count;
    bool stuck;
};

static int each_row(void *owner, const struct store_audit *row)
{
    struct round *round = owner;
    struct audit_queue *queue = &round->keeper->forward;
    /* Numbers have gaps where rows went into an archive, so with nothing under way any is sent. */
    bool full = queue->sent > queue->acknowledged && row->id - queue->acknowledged > WINDOW;
    if (round->count == ROUND_MOST || full)
        return 1;
    round->stuck = !hand_over(queue, row, round->keeper->conf->name);
    if (round->stuck)
        return 1;
    round->count++;
    queue->sent = row->id;
    return 0;
}

static void on_look(struct loop_timer *timer)
{
    struct keeper *keeper = OWNER_OF(timer, struct keeper, forward.look);
    struct audit_queue *queue = &keeper->forward;
    struct round round = {.keeper = keeper};
    const struct store_audit_filter behind = {.after_id = queue->sent};
    if (store_audit_list(keeper->store, &behind, each_row, &round) != STORE_OK)
        trouble(keeper);
    if (loop_now(keeper->loop) - queue->saved_ms >= SAVE_MS)
        save(keeper, loop_now(keeper->loop));
    loop_timer_set(keeper->loop, timer, round.count == ROUND_MOST ? 1 : LOOK_MS);
}

/* ---- acknowledgements ---- */

static void on_ready(struct loop_source *source, uint32_t events)
{
    struct keeper *keeper = OWNER_OF(source, struct keeper, forward.source);
    struct audit_queue *queue = &keeper->forward;
    int64_t id;
    (void)events;
    ssize_t got = recv(source->fd, &id, sizeof(id), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got != (ssize_t)sizeof(id) || id > queue->sent) {
        drop(keeper); /* the supervisor starts another one */
        return;
    }
    if (id > queue->acknowledged)
        queue->acknowledged = id;
}

/* Syslog knows no acknowledgement: what the receiver's machine had taken, the receiver may not have
 * read when the connection broke. So the last rows are told again; their numbers say so. */
void audit_forward_to(struct keeper *keeper, int fd)
{
    struct audit_queue *queue = &keeper->forward;
    int64_t again = queue->acknowledged - AGAIN;
    drop(keeper);
    queue->sent = again > queue->first ? again : queue->first;
    if (fd_nonblocking(fd) < 0 || loop_add(keeper->loop, &queue->source, fd, EPOLLIN) < 0 ||
        loop_timer_set(keeper->loop, &queue->look, 1) < 0) {
        LOG_ERROR("audit.forward", "the audit log cannot be forwarded: out of memory");
        loop_remove(keeper->loop, &queue->source);
        fd_close(&fd);
        queue->source.fd = -1;
    }
}

/* What was written before forwarding was asked for stays here; 'audit export' has it. */
void audit_forward_init(struct keeper *keeper)
{
    struct audit_queue *queue = &keeper->forward;
    struct store_audit_head head = {0};
    queue->source.fd = -1;
    queue->source.ready = on_ready;
    queue->look.fire = on_look;
    if (keeper->conf->audit_syslog == CONF_SYSLOG_NONE)
        return;
    enum store_result result = store_audit_forwarded(keeper->store, &queue->saved);
    if (result == STORE_NONE) {
        result = store_audit_head(keeper->store, &head);
        queue->saved = head.id;
        if (result != STORE_FAILED)
            result = store_audit_forwarded_set(keeper->store, head.id);
    }
    if (result != STORE_OK)
        trouble(keeper);
    queue->acknowledged = queue->sent = queue->first = queue->saved;
}

void audit_forward_stop(struct keeper *keeper)
{
    save(keeper, loop_now(keeper->loop));
    drop(keeper);
}
