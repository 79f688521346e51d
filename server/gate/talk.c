#include "talk.h"

#include "conn.h"
#include "gate_state.h"
#include "log.h"
#include "owner.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES 4096 /* conversations are short */

static void on_readable(struct loop_source *source, uint32_t events);

static struct stream *ear(const struct talk *talk)
{
    struct conn *conn = talk->conn;
    return talk->bare ? &conn->in_stream.stream : &conn->outer.stream;
}

/* ---- listening ---- */

static bool keep_rest(struct talk *talk, const uint8_t *data, size_t size)
{
    if (!size)
        return true;
    talk->rest = malloc(size);
    if (!talk->rest)
        return false;
    memcpy(talk->rest, data, size);
    talk->rest_size = size;
    return true;
}

/* One event of the client's frames. False: the connection is ending or gone. */
static bool take_event(struct talk *talk, const struct ws_event *event)
{
    switch (event->kind) {
    case WS_EVENT_DATA:
        if (event->size > talk->kind->most - talk->heard_size) {
            talk_close(talk, WS_PROTOCOL_ERROR, "the message is too large");
            return false;
        }
        memcpy(talk->heard + talk->heard_size, event->data, event->size);
        talk->heard_size += event->size;
        return true;
    case WS_EVENT_CLOSE:
        talk_close(talk, event->code == WS_NO_CODE ? WS_NORMAL : event->code, "");
        return false;
    case WS_EVENT_BAD:
        talk_close(talk, event->code, event->words);
        return false;
    default: /* browsers send no pings, and nothing here lasts long enough for them */
        return true;
    }
}

/* The next piece of what came. Returns the bytes used; `*goes_on` false: the connection is ending
 * or gone. */
static size_t take_piece(struct talk *talk, uint8_t *data, size_t size, struct ws_event *event,
                         bool *goes_on)
{
    size_t used = size;
    if (talk->bare) {
        size_t room = talk->kind->most - talk->heard_size;
        used = room && room < size ? room : size; /* a full gathering has no room for one byte */
        *event = (struct ws_event){.kind = WS_EVENT_DATA, .data = data, .size = used};
    } else {
        used = ws_read(&talk->reader, data, size, event);
    }
    *goes_on = take_event(talk, event);
    return used;
}

/* Calls heard() for each piece: it may pause the talk, or end the connection, in the middle. */
static void take_bytes(struct talk *talk, uint8_t *data, size_t size)
{
    struct conn *conn = talk->conn;
    while (size && !talk->paused) {
        struct ws_event event;
        bool goes_on;
        size_t used = take_piece(talk, data, size, &event, &goes_on);
        data += used;
        size -= used;
        if (!goes_on)
            return;
        if (event.kind != WS_EVENT_DATA)
            continue;
        talk->kind->heard(talk);
        if (conn->talk != talk)
            return;
    }
    if (talk->paused && !keep_rest(talk, data, size))
        conn_end(conn);
}

static void on_readable(struct loop_source *source, uint32_t events)
{
    struct conn *conn = OWNER_OF(source, struct conn, source);
    struct talk *talk = conn->talk;
    uint8_t data[READ_BYTES];
    (void)events;
    conn_ref(conn); /* heard() may end it */
    do {
        ssize_t got = stream_read(ear(talk), data, sizeof(data));
        if (got == -EAGAIN)
            break;
        if (got <= 0) {
            conn_end(conn);
            break;
        }
        take_bytes(talk, data, (size_t)got);
    } while (conn->talk == talk && !talk->paused && stream_readable(ear(talk)));
    explicit_bzero(data, sizeof(data)); /* a ticket, perhaps */
    conn_unref(conn);
}

/* ---- from the hand-over ---- */

static void take(struct conn *conn, void *owner)
{
    struct talk *talk = owner;
    conn->talk = talk;
    talk->conn = conn;
}

static void begin(struct conn *conn, uint8_t *early, size_t size)
{
    struct talk *talk = conn->talk;
    conn->state = CONN_TALK;
    talk->reader.from_client = true;
    talk->heard = malloc(talk->kind->most);
    conn->source.ready = on_readable;
    if (!talk->heard || loop_add(conn->worker->loop, &conn->source, ear(talk)->fd, EPOLLIN)) {
        conn_end(conn);
        return;
    }
    conn_ref(conn);
    talk->kind->begin(talk);
    if (conn->talk == talk && size)
        take_bytes(talk, early, size);
    if (conn->talk == talk && !talk->paused && stream_readable(ear(talk)))
        on_readable(&conn->source, EPOLLIN);
    conn_unref(conn);
}

static void lost(struct gate_state *gate, void *owner)
{
    struct talk *talk = owner;
    (void)gate;
    talk->kind->gone(talk);
}

const struct handover_heir talk_heir = {.take = take, .begin = begin, .lost = lost};

/* ---- for the kinds ---- */

void talk_wait(struct talk *talk, uint32_t ms)
{
    if (loop_timer_set(talk->conn->worker->loop, &talk->conn->timer, ms))
        conn_end(talk->conn);
}

void talk_wait_keeper(struct talk *talk, uint32_t ms)
{
    talk_wait(talk, ms + talk->conn->worker->gate->conf->wake_seconds * 1000);
}

void talk_pause(struct talk *talk)
{
    talk->paused = true;
    loop_remove(talk->conn->worker->loop, &talk->conn->source);
}

/* What was gathered comes first, and may pause the talk anew: then the rest waits on. */
void talk_resume(struct talk *talk)
{
    struct conn *conn = talk->conn;
    talk->paused = false;
    conn_ref(conn);
    if (loop_add(conn->worker->loop, &conn->source, ear(talk)->fd, EPOLLIN))
        conn_end(conn);
    else if (talk->heard_size)
        talk->kind->heard(talk);
    if (conn->talk == talk && !talk->paused) {
        uint8_t *rest = talk->rest;
        size_t size = talk->rest_size;
        talk->rest = NULL;
        talk->rest_size = 0;
        take_bytes(talk, rest, size);
        free(rest);
    }
    if (conn->talk == talk && !talk->paused && stream_readable(ear(talk)))
        on_readable(&conn->source, EPOLLIN);
    conn_unref(conn);
}

/* The stream of a client that has just been listened to has room for a short message; what the
 * socket would not take waits in it, and the relay or the lingering connection flushes it. */
static bool write_frame(struct talk *talk, enum ws_opcode opcode, const uint8_t *data, size_t size)
{
    struct stream *outer = &talk->conn->outer.stream;
    if (talk->bare)
        return stream_write(outer, data, size) == (ssize_t)size;
    uint8_t *frame = malloc(WS_HEADER_MOST + size);
    if (!frame)
        return false;
    uint8_t *body = frame + WS_HEADER_MOST;
    memcpy(body, data, size);
    size_t head = ws_header_before(body, opcode, size, NULL);
    ssize_t written = stream_write(outer, body - head, head + size);
    free(frame);
    return written == (ssize_t)(head + size);
}

bool talk_say(struct talk *talk, const uint8_t *data, size_t size)
{
    struct conn *conn = talk->conn;
    if (write_frame(talk, WS_BINARY, data, size))
        return true;
    conn_end(conn);
    return false;
}

void talk_close(struct talk *talk, uint16_t code, const char *words)
{
    struct conn *conn = talk->conn;
    uint8_t payload[WS_CONTROL_MOST];
    size_t size = ws_close_payload(payload, code, words);
    LOG_DEBUG("talk.close", words, LOG_TEXT("conn", conn->id), LOG_NUMBER("code", code));
    if (talk->bare || write_frame(talk, WS_CLOSE, payload, size))
        conn_linger(conn);
    else
        conn_end(conn);
}

bool talk_between(const struct talk *talk)
{
    return !talk->reader.in_frame && !talk->reader.in_message && talk->reader.held == 0;
}

/* ---- for the connection and the tunnel ---- */

void talk_late(struct talk *talk)
{
    talk->kind->late(talk);
}

void talk_stop(struct talk *talk, enum ipc_end end)
{
    talk->kind->stop(talk, end);
}

void talk_forget(struct conn *conn)
{
    struct talk *talk = conn->talk;
    if (!talk)
        return;
    conn->talk = NULL;
    talk->conn = NULL;
    free(talk->heard);
    free(talk->rest);
    talk->heard = talk->rest = NULL;
    talk->kind->gone(talk);
}
