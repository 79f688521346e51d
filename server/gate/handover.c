/* libmicrohttpd has written its whole 101 into the socketpair before it calls the upgrade handler,
 * and does not touch the socket again. The handler posts to the worker, which then owns everything.
 * The client may have sent bytes for what comes next already; in order, they are: what
 * libmicrohttpd read beyond the request (`extra`), what still lies in the socketpair, and what the
 * raw relay had taken from TLS and not yet delivered. They become the heir's early bytes. In the
 * other direction, what lies in the raw relay and then in the socketpair (the 101's last bytes, at
 * least) goes to the client before anything of the heir's.
 *
 * The 101 is the one way in which libmicrohttpd lets go of a connection. Where the client is not to
 * see it, because its protocol knows no upgrade, the connection is hushed. */
#include "handover.h"

#include "conn.h"
#include "gate_state.h"
#include "owner.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HAND_OVER_MS 10000    /* for the client to take the 101 */
#define EARLY_MOST (1U << 20) /* the socketpair, libmicrohttpd's pool and a relay's backlog fit */

struct bytes {
    uint8_t *data;
    size_t size, at;
};

struct handover {
    struct loop_task task; /* its way to the worker */
    struct conn *conn;     /* referenced until the task has run */
    MHD_socket socket;
    struct MHD_UpgradeResponseHandle *handle;
    struct handover_heir heir;
    struct bytes early; /* client's, for the heir */
    struct bytes last;  /* libmicrohttpd's, for the client */
};

static bool append(struct bytes *to, const void *data, size_t size)
{
    if (size == 0)
        return true;
    if (size > EARLY_MOST - to->size)
        return false;
    uint8_t *grown = realloc(to->data, to->size + size);
    if (!grown)
        return false;
    memcpy(grown + to->size, data, size);
    to->data = grown;
    to->size += size;
    return true;
}

/* All that can be read without waiting. */
static bool append_socket(struct bytes *to, int socket)
{
    uint8_t piece[16384];
    for (;;) {
        ssize_t got = recv(socket, piece, sizeof(piece), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        if (!append(to, piece, (size_t)got))
            return false;
    }
}

static void handover_free(struct handover *handover)
{
    if (!handover)
        return;
    free(handover->early.data);
    free(handover->last.data);
    free(handover);
}

void handover_forget(struct conn *conn)
{
    handover_free(conn->handover);
    conn->handover = NULL;
}

static void on_posted(struct loop_task *task);

void handover_post(struct conn *conn, const struct handover_heir *heir, const void *extra,
                   size_t extra_size, MHD_socket socket, struct MHD_UpgradeResponseHandle *handle)
{
    struct handover *handover = calloc(1, sizeof(*handover));
    if (!handover || !append(&handover->early, extra, extra_size)) {
        handover_free(handover);
        heir->lost(conn->worker->gate, heir->owner);
        MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
        return;
    }
    handover->task.run = on_posted;
    handover->conn = conn_ref(conn);
    handover->heir = *heir;
    handover->socket = socket;
    handover->handle = handle;
    loop_post(conn->worker->loop, &handover->task);
}

/* Gathers both directions' left-overs and frees the raw relay. */
static bool take_rest(struct conn *conn, struct handover *handover)
{
    struct relay_rest rest;
    relay_take(conn->relay, &rest);
    conn->relay = NULL;
    free(conn->guarded);
    conn->guarded = NULL;
    bool all = append_socket(&handover->early, handover->socket) &&
               append(&handover->early, rest.to_plain, rest.to_plain_size) &&
               append(&handover->last, rest.to_framed, rest.to_framed_size) &&
               (handover->heir.hushed || append_socket(&handover->last, conn->far));
    free(rest.to_plain);
    free(rest.to_framed);
    return all;
}

static void on_writable(struct loop_source *source, uint32_t events);

static void begin(struct conn *conn)
{
    struct handover *handover = conn->handover;
    loop_remove(conn->worker->loop, &conn->source);
    loop_timer_cancel(conn->worker->loop, &conn->timer);
    conn->handover = NULL;
    handover->heir.begin(conn, handover->early.data, handover->early.size);
    handover_free(handover);
}

/* Writes the last HTTP bytes; the heir begins when all are out. */
static void write_last(struct conn *conn)
{
    struct bytes *last = &conn->handover->last;
    while (last->at < last->size) {
        ssize_t written =
            stream_write(&conn->outer.stream, last->data + last->at, last->size - last->at);
        if (written == -EAGAIN) {
            conn->source.ready = on_writable;
            if (!conn->source.added &&
                loop_add(conn->worker->loop, &conn->source, conn->fd, EPOLLOUT))
                conn_end(conn);
            return;
        }
        if (written < 0) {
            conn_end(conn);
            return;
        }
        last->at += (size_t)written;
    }
    begin(conn);
}

static void on_writable(struct loop_source *source, uint32_t events)
{
    struct conn *conn = OWNER_OF(source, struct conn, source);
    (void)events;
    int error = stream_flush(&conn->outer.stream);
    if (error == 0)
        write_last(conn);
    else if (error != -EAGAIN)
        conn_end(conn);
}

static void on_posted(struct loop_task *task)
{
    struct handover *handover = OWNER_OF(task, struct handover, task);
    struct conn *conn = handover->conn;
    bool alive = conn->state == CONN_HTTP && take_rest(conn, handover);
    MHD_upgrade_action(handover->handle, MHD_UPGRADE_ACTION_CLOSE);
    if (!alive) {
        handover->heir.lost(conn->worker->gate, handover->heir.owner);
        handover_free(handover);
        conn_end(conn);
        conn_unref(conn);
        return;
    }
    close(conn->far);
    conn->far = -1;
    conn->handover = handover;
    conn->state = CONN_HANDOVER;
    handover->heir.take(conn, handover->heir.owner);
    if (loop_timer_set(conn->worker->loop, &conn->timer, HAND_OVER_MS))
        conn_end(conn);
    else
        write_last(conn);
    conn_unref(conn);
}
