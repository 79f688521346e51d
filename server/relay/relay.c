/* How it works. Each direction is: read from one stream into the loop's scratch, (de)frame in
 * place, write to the other stream. What the other stream does not take becomes that direction's
 * backlog, and while there is one, its source is not read: so a direction holds at most what one
 * read made.
 *
 * The end comes in two steps. `closing`: the result is known, a close frame is on its way, and the
 * relay waits for the framed peer's own (or for the deadline), reading and discarding. `over`: both
 * descriptors have left the loop and a zero timer will call `ended`, so that the owner is never
 * called from within its own call. */
#include "relay.h"

#include "owner.h"
#include "scratch.h"
#include "ws.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_MS 2000  /* for the framed peer to answer a close frame */
#define ROUND_READS 2  /* of SCRATCH_DATA each, before other relays have their turn */
#define PONGS_MISSED 3 /* silent for so many ping intervals: lost */
/* One frame's payload: with a header of either role it fills four TLS records and begins no fifth.
 * Larger gains nothing, and delays echoes. */
#define DOWN_READ (64 * 1024 - 8)

struct backlog {
    uint8_t *data;
    uint32_t at, size;
};

struct relay {
    struct loop *loop;
    struct stream_scratch *scratch;
    struct stream *framed, *plain;
    void (*ended)(struct relay *relay, void *owner, const struct relay_result *result);
    void *owner;
    struct loop_source framed_source, plain_source;
    struct loop_timer timer; /* pings, idleness, the close deadline; at the end, `ended` */
    struct loop_timer again; /* bytes wait inside a stream, where no poll announces them */
    struct backlog to_plain, to_framed;
    struct relay_result *result; /* made when the end is decided */
    uint8_t *pong;               /* size byte and payload of the newest ping, to be answered */
    uint64_t up, down;
    uint64_t heard_ms, payload_ms, pinged_ms, close_by_ms;
    uint32_t ping_ms, idle_ms;
    enum relay_framing framing;
    bool framed_ended, plain_ended; /* they will send no more */
    bool plain_told;                /* we have ended our side of plain */
    bool ping_due, close_due;       /* control frames to write when framed takes them */
    bool closing, over;
    struct ws_reader reader;
};

static void pump(struct relay *relay);
static void on_framed(struct loop_source *source, uint32_t events);
static void on_plain(struct loop_source *source, uint32_t events);
static void on_timer(struct loop_timer *timer);
static void on_again(struct loop_timer *timer);

/* ---- the end ---- */

static bool decide(struct relay *relay, enum relay_end end, int error, uint16_t code,
                   const char *reason, size_t size)
{
    if (relay->result)
        return false;
    relay->result = calloc(1, sizeof(*relay->result));
    if (!relay->result)
        return true; /* ended() gets a result without words */
    relay->result->end = end;
    relay->result->error = error;
    relay->result->close_code = code;
    if (size >= sizeof(relay->result->reason))
        size = sizeof(relay->result->reason) - 1;
    memcpy(relay->result->reason, reason, size);
    return true;
}

static void finish(struct relay *relay)
{
    if (relay->over)
        return;
    relay->over = true;
    loop_remove(relay->loop, &relay->framed_source);
    loop_remove(relay->loop, &relay->plain_source);
    loop_timer_cancel(relay->loop, &relay->again);
    loop_timer_set(relay->loop, &relay->timer, 0);
}

static void lose(struct relay *relay, enum relay_end end, int error)
{
    decide(relay, end, error, WS_NO_CODE, "", 0);
    finish(relay);
}

/* Decides the end and says it to the framed peer; its answer or the deadline finishes. */
static void close_with(struct relay *relay, enum relay_end end, int error, uint16_t code,
                       const char *words)
{
    if (relay->closing || relay->over)
        return;
    decide(relay, end, error, code, words, strlen(words));
    relay->closing = true;
    if (relay->framing == RELAY_RAW || !relay->result) {
        finish(relay);
        return;
    }
    relay->close_due = true;
    relay->close_by_ms = loop_now(relay->loop) + CLOSE_MS;
    loop_timer_set(relay->loop, &relay->timer, CLOSE_MS);
}

/* ---- writing ---- */

static void backlog_free(struct backlog *backlog)
{
    free(backlog->data);
    *backlog = (struct backlog){0};
}

static int backlog_add(struct backlog *backlog, const uint8_t *data, size_t size)
{
    size_t left = backlog->size - backlog->at;
    uint8_t *grown = malloc(left + size);
    if (!grown)
        return -ENOMEM;
    if (left)
        memcpy(grown, backlog->data + backlog->at, left);
    memcpy(grown + left, data, size);
    free(backlog->data);
    *backlog = (struct backlog){.data = grown, .size = (uint32_t)(left + size)};
    return 0;
}

/* Writes all to the stream, or keeps the rest in the backlog. 0 or the stream's error. */
static int deliver(struct stream *stream, struct backlog *backlog, const uint8_t *data, size_t size)
{
    while (size && !backlog->data) {
        ssize_t written = stream_write(stream, data, size);
        if (written == -EAGAIN)
            break;
        if (written < 0)
            return (int)written;
        data += written;
        size -= (size_t)written;
    }
    return size ? backlog_add(backlog, data, size) : 0;
}

/* 0: all is out; -EAGAIN; or the stream's error. */
static int drain(struct stream *stream, struct backlog *backlog)
{
    int error = stream_flush(stream);
    while (!error && backlog->data) {
        ssize_t written =
            stream_write(stream, backlog->data + backlog->at, backlog->size - backlog->at);
        if (written < 0)
            return (int)written;
        backlog->at += (uint32_t)written;
        if (backlog->at == backlog->size)
            backlog_free(backlog);
        error = stream_flush(stream);
    }
    return error;
}

/* One control frame to the framed side, which must be drained. */
static int write_control(struct relay *relay, enum ws_opcode opcode, const uint8_t *payload,
                         size_t size)
{
    uint8_t frame[WS_HEADER_MOST + WS_CONTROL_MOST], mask[4];
    bool masked = relay->framing == RELAY_WS_CLIENT;
    memcpy(frame + WS_HEADER_MOST, payload, size);
    if (masked) {
        if (gnutls_rnd(GNUTLS_RND_NONCE, mask, sizeof(mask)) < 0)
            return -EIO;
        ws_mask(frame + WS_HEADER_MOST, size, mask, 0);
    }
    size_t head = ws_header_before(frame + WS_HEADER_MOST, opcode, size, masked ? mask : NULL);
    return deliver(relay->framed, &relay->to_framed, frame + WS_HEADER_MOST - head, head + size);
}

static int write_due(struct relay *relay)
{
    int error = 0;
    if (relay->pong) {
        error = write_control(relay, WS_PONG, relay->pong + 1, relay->pong[0]);
        free(relay->pong);
        relay->pong = NULL;
    }
    if (!error && relay->ping_due) {
        relay->ping_due = false;
        error = write_control(relay, WS_PING, (const uint8_t *)"", 0);
    }
    if (!error && relay->close_due) {
        uint8_t payload[WS_CONTROL_MOST];
        size_t size = 0;
        if (relay->result->close_code != WS_NO_CODE)
            size = ws_close_payload(payload, relay->result->close_code, relay->result->reason);
        relay->close_due = false;
        error = write_control(relay, WS_CLOSE, payload, size);
    }
    return error;
}

/* ---- framed to plain ---- */

/* Payload on its way to plain, gathered in place: the frames' headers between are squeezed out. */
struct gather {
    uint8_t *to;
    size_t size;
};

static void keep_pong(struct relay *relay, const struct ws_event *event)
{
    free(relay->pong); /* only the newest ping needs an answer, RFC 6455 section 5.5.3 */
    relay->pong = malloc(1 + event->size);
    if (!relay->pong)
        return;
    relay->pong[0] = (uint8_t)event->size;
    memcpy(relay->pong + 1, event->data, event->size);
}

/* The framed peer's close frame: ours in answer is the same, and all is said. */
static void on_peer_close(struct relay *relay, const struct ws_event *event)
{
    relay->framed_ended = true;
    if (relay->closing) {
        if (!relay->close_due)
            finish(relay);
        return;
    }
    decide(relay, RELAY_FRAMED_CLOSED, 0, event->code, (const char *)event->data, event->size);
    relay->closing = true;
    relay->close_due = relay->result != NULL;
    relay->close_by_ms = loop_now(relay->loop) + CLOSE_MS;
    loop_timer_set(relay->loop, &relay->timer, CLOSE_MS);
}

static void unframe(struct relay *relay, uint8_t *data, size_t size, struct gather *gather)
{
    while (size && !relay->over && !relay->framed_ended) {
        struct ws_event event;
        size_t used = ws_read_onto(&relay->reader, gather->to + gather->size, data, size, &event);
        switch (event.kind) {
        case WS_EVENT_MORE:
        case WS_EVENT_PONG:
            break;
        case WS_EVENT_DATA:
            if (!relay->closing)
                gather->size += event.size;
            break;
        case WS_EVENT_PING:
            keep_pong(relay, &event);
            break;
        case WS_EVENT_CLOSE:
            on_peer_close(relay, &event);
            break;
        case WS_EVENT_BAD:
            relay->framed_ended = true; /* what follows means nothing */
            if (relay->closing)
                finish(relay);
            else
                close_with(relay, RELAY_PROTOCOL, 0, event.code, event.words);
            break;
        }
        data += used;
        size -= used;
    }
}

/* The plain side takes no more. A raw one may have answered before it closed: its answer is still
 * to be read, and what the framed side sends is for nobody. */
static void on_plain_deaf(struct relay *relay, int error)
{
    backlog_free(&relay->to_plain);
    if (relay->framing == RELAY_RAW)
        relay->framed_ended = relay->plain_told = true;
    else
        close_with(relay, RELAY_PLAIN_LOST, error, WS_INTERNAL_ERROR,
                   "the connection to the desktop was lost");
}

/* Bytes of the framed side, in scratch or the early ones. */
static void take_framed(struct relay *relay, uint8_t *data, size_t size)
{
    struct gather gather = {.to = data, .size = size};
    relay->heard_ms = loop_now(relay->loop);
    if (relay->framing != RELAY_RAW) {
        gather.size = 0;
        unframe(relay, data, size, &gather);
    }
    if (!gather.size || relay->over)
        return;
    relay->up += gather.size;
    relay->payload_ms = relay->heard_ms;
    int error = deliver(relay->plain, &relay->to_plain, gather.to, gather.size);
    if (error)
        on_plain_deaf(relay, error);
}

static void on_framed_eof(struct relay *relay, ssize_t got)
{
    relay->framed_ended = true;
    if (relay->framing == RELAY_RAW && got == 0)
        return; /* half-closed: the plain side is told, and answers as long as it likes */
    if (relay->closing) {
        finish(relay);
        return;
    }
    /* What was taken is still delivered, if the plain side takes it in time. */
    decide(relay, got == 0 ? RELAY_FRAMED_CLOSED : RELAY_FRAMED_LOST, (int)got, WS_NO_CODE, "", 0);
    relay->closing = true;
    relay->close_by_ms = loop_now(relay->loop) + CLOSE_MS;
    loop_timer_set(relay->loop, &relay->timer, CLOSE_MS);
}

static bool framed_may_be_read(const struct relay *relay)
{
    return !relay->over && !relay->framed_ended && !relay->to_plain.data;
}

static void read_framed(struct relay *relay)
{
    struct stream_scratch *scratch = relay->scratch;
    for (int i = 0; i < ROUND_READS && framed_may_be_read(relay); i++) {
        ssize_t got = stream_read(relay->framed, scratch->data, sizeof(scratch->data));
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            on_framed_eof(relay, got);
            return;
        }
        take_framed(relay, scratch->data, (size_t)got);
        if ((size_t)got < sizeof(scratch->data) && !stream_readable(relay->framed))
            return; /* the socket was emptied; level-triggered polling tells of more */
    }
}

/* ---- plain to framed ---- */

static bool plain_may_be_read(const struct relay *relay)
{
    return !relay->over && !relay->closing && !relay->plain_ended && !relay->to_framed.data;
}

static int frame_and_deliver(struct relay *relay, uint8_t *data, size_t size)
{
    uint8_t mask[4];
    if (relay->framing == RELAY_RAW)
        return deliver(relay->framed, &relay->to_framed, data, size);
    bool masked = relay->framing == RELAY_WS_CLIENT;
    if (masked) {
        if (gnutls_rnd(GNUTLS_RND_NONCE, mask, sizeof(mask)) < 0)
            return -EIO;
        ws_mask(data, size, mask, 0);
    }
    size_t head = ws_header_before(data, WS_BINARY, size, masked ? mask : NULL);
    return deliver(relay->framed, &relay->to_framed, data - head, head + size);
}

static void on_plain_eof(struct relay *relay, ssize_t got)
{
    relay->plain_ended = true;
    if (got == 0)
        close_with(relay, RELAY_PLAIN_CLOSED, 0, WS_NORMAL,
                   relay->framing == RELAY_WS_CLIENT ? "the RDP client closed the connection"
                                                     : "the desktop closed the connection");
    else
        close_with(relay, RELAY_PLAIN_LOST, (int)got, WS_INTERNAL_ERROR,
                   "the connection to the desktop was lost");
}

static void read_plain(struct relay *relay)
{
    struct stream_scratch *scratch = relay->scratch;
    for (int i = 0; i < ROUND_READS * 2 && plain_may_be_read(relay); i++) {
        int error = stream_flush(relay->framed);
        if (error == -EAGAIN)
            return;
        ssize_t got = error ? error : stream_read(relay->plain, scratch->data, DOWN_READ);
        if (error) {
            lose(relay, RELAY_FRAMED_LOST, error);
            return;
        }
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            on_plain_eof(relay, got);
            return;
        }
        relay->down += (uint64_t)got;
        relay->payload_ms = loop_now(relay->loop);
        error = frame_and_deliver(relay, scratch->data, (size_t)got);
        if (error) {
            lose(relay, RELAY_FRAMED_LOST, error);
            return;
        }
        if (got < DOWN_READ / 4)
            return; /* emptied, most likely; polling knows better than another call */
    }
}

/* ---- driving ---- */

/* Sets what to wait for. A descriptor that nothing is wanted of leaves the loop: a hang-up would be
 * reported again and again. */
static int wait_for(struct relay *relay, struct loop_source *source, int fd, uint32_t events)
{
    if (!events) {
        loop_remove(relay->loop, source);
        return 0;
    }
    return source->added ? loop_modify(relay->loop, source, events)
                         : loop_add(relay->loop, source, fd, events);
}

static void set_interest(struct relay *relay, bool framed_full)
{
    uint32_t framed = 0, plain = 0;
    if (framed_may_be_read(relay))
        framed |= EPOLLIN;
    if (framed_full)
        framed |= EPOLLOUT;
    else if (plain_may_be_read(relay))
        plain |= EPOLLIN;
    if (relay->to_plain.data)
        plain |= EPOLLOUT;
    int error = wait_for(relay, &relay->framed_source, relay->framed->fd, framed);
    if (!error)
        error = wait_for(relay, &relay->plain_source, relay->plain->fd, plain);
    if (error)
        lose(relay, RELAY_FRAMED_LOST, error);
    else if (framed & EPOLLIN && stream_readable(relay->framed))
        loop_timer_set(relay->loop, &relay->again, 0);
}

/* The framed side has said its last word and all of it is delivered: tell plain. */
static void pass_end_to_plain(struct relay *relay)
{
    if (!relay->framed_ended || relay->to_plain.data || relay->plain_told)
        return;
    relay->plain_told = true;
    stream_end(relay->plain);
}

/* Writes what waits to the framed side. True: it is full. */
static bool drain_framed(struct relay *relay)
{
    int error = drain(relay->framed, &relay->to_framed);
    if (!error) {
        error = write_due(relay);
        if (!error)
            error = drain(relay->framed, &relay->to_framed);
    }
    if (error && error != -EAGAIN)
        lose(relay, RELAY_FRAMED_LOST, error);
    return error == -EAGAIN;
}

static void drain_plain(struct relay *relay)
{
    int error = drain(relay->plain, &relay->to_plain);
    if (!error || error == -EAGAIN)
        return;
    on_plain_deaf(relay, error);
}

/* Everything that must have happened has. */
static bool complete(const struct relay *relay, bool framed_full)
{
    if (framed_full || relay->to_framed.data || relay->close_due)
        return false;
    if (relay->framing == RELAY_RAW)
        return relay->plain_ended;
    return relay->framed_ended && relay->result && !relay->to_plain.data;
}

/* After any event: moves on what can be moved, then waits for the rest. */
static void pump(struct relay *relay)
{
    if (relay->over)
        return;
    if (relay->to_plain.data)
        drain_plain(relay);
    bool full = drain_framed(relay);
    if (relay->over)
        return;
    pass_end_to_plain(relay);
    if (complete(relay, full))
        finish(relay);
    else
        set_interest(relay, full);
}

static void on_framed(struct loop_source *source, uint32_t events)
{
    struct relay *relay = OWNER_OF(source, struct relay, framed_source);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        read_framed(relay);
    pump(relay);
}

static void on_plain(struct loop_source *source, uint32_t events)
{
    struct relay *relay = OWNER_OF(source, struct relay, plain_source);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        read_plain(relay);
    pump(relay);
}

static void on_again(struct loop_timer *timer)
{
    struct relay *relay = OWNER_OF(timer, struct relay, again);
    read_framed(relay);
    pump(relay);
}

/* ---- time ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Bytes only note the time; this looks at the notes when the earliest limit could have passed. */
static void look_at_clock(struct relay *relay)
{
    uint64_t now = loop_now(relay->loop), next = UINT64_MAX;
    if (relay->idle_ms) {
        if (now - relay->payload_ms >= relay->idle_ms) {
            close_with(relay, RELAY_IDLE, 0, 4006, "closed after a long time without activity");
            return;
        }
        next = relay->payload_ms + relay->idle_ms;
    }
    if (relay->ping_ms) {
        if (!framed_may_be_read(relay)) /* it is we who do not listen */
            relay->heard_ms = now;
        uint64_t quiet = now - relay->heard_ms;
        if (quiet >= (uint64_t)relay->ping_ms * PONGS_MISSED) {
            lose(relay, RELAY_FRAMED_LOST, -ETIMEDOUT);
            return;
        }
        if (quiet >= relay->ping_ms && now - relay->pinged_ms >= relay->ping_ms) {
            relay->ping_due = true;
            relay->pinged_ms = now;
        }
        uint64_t since = relay->pinged_ms > relay->heard_ms ? relay->pinged_ms : relay->heard_ms;
        next = least(next, since + relay->ping_ms);
    }
    if (next != UINT64_MAX)
        loop_timer_set(relay->loop, &relay->timer, next > now ? next - now : 1);
}

static void on_timer(struct loop_timer *timer)
{
    struct relay *relay = OWNER_OF(timer, struct relay, timer);
    if (relay->over) {
        static const struct relay_result no_memory = {.end = RELAY_FRAMED_LOST, .error = -ENOMEM};
        struct relay_result result = relay->result ? *relay->result : no_memory;
        relay->ended(relay, relay->owner, &result);
        return;
    }
    if (relay->closing && loop_now(relay->loop) >= relay->close_by_ms) {
        finish(relay);
        return;
    }
    if (!relay->closing)
        look_at_clock(relay);
    pump(relay);
}

/* ---- the owner's calls ---- */

static int take_early(struct relay *relay, const struct relay_setup *setup)
{
    if (!setup->early_size)
        return 0;
    uint8_t *copy = malloc(setup->early_size);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, setup->early, setup->early_size);
    take_framed(relay, copy, setup->early_size);
    free(copy);
    return 0;
}

int relay_new(struct relay **out, const struct relay_setup *setup)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return -ENOMEM;
    relay->loop = setup->loop;
    relay->scratch = setup->scratch;
    relay->framed = setup->framed;
    relay->plain = setup->plain;
    relay->framing = setup->framing;
    relay->ping_ms = setup->ping_ms;
    relay->idle_ms = setup->idle_ms;
    relay->ended = setup->ended;
    relay->owner = setup->owner;
    relay->reader.from_client = setup->framing == RELAY_WS_SERVER;
    relay->framed_source.ready = on_framed;
    relay->plain_source.ready = on_plain;
    relay->timer.fire = on_timer;
    relay->again.fire = on_again;
    relay->heard_ms = relay->payload_ms = relay->pinged_ms = loop_now(setup->loop);
    /* The timers exist before bytes do, so that arming them later cannot fail: re-arming an armed
     * timer needs no memory. */
    int error = loop_timer_set(relay->loop, &relay->timer, 0);
    if (!error)
        error = take_early(relay, setup);
    if (error) {
        relay_free(relay);
        return error;
    }
    if (!relay->over && !relay->closing)
        look_at_clock(relay);
    if (!relay->ping_ms && !relay->idle_ms && !relay->over && !relay->closing)
        loop_timer_cancel(relay->loop, &relay->timer);
    pump(relay);
    *out = relay;
    return 0;
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;
    loop_remove(relay->loop, &relay->framed_source);
    loop_remove(relay->loop, &relay->plain_source);
    loop_timer_cancel(relay->loop, &relay->timer);
    loop_timer_cancel(relay->loop, &relay->again);
    backlog_free(&relay->to_plain);
    backlog_free(&relay->to_framed);
    free(relay->result);
    free(relay->pong);
    free(relay);
}

void relay_close(struct relay *relay, uint16_t code, const char *reason)
{
    close_with(relay, RELAY_CLOSED, 0, code, reason);
    pump(relay);
}

void relay_counts(const struct relay *relay, uint64_t *up, uint64_t *down)
{
    *up = relay->up;
    *down = relay->down;
}

static void give_rest(struct backlog *backlog, uint8_t **data, size_t *size)
{
    *size = backlog->size - backlog->at;
    if (*size)
        memmove(backlog->data, backlog->data + backlog->at, *size);
    else
        free(backlog->data);
    *data = *size ? backlog->data : NULL;
    *backlog = (struct backlog){0};
}

int relay_take(struct relay *relay, struct relay_rest *rest)
{
    give_rest(&relay->to_plain, &rest->to_plain, &rest->to_plain_size);
    give_rest(&relay->to_framed, &rest->to_framed, &rest->to_framed_size);
    relay_free(relay);
    return 0;
}
