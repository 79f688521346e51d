/* How it works. Each direction is: read from one stream into the loop's scratch, (de)frame in
 * place, write to the other stream (relay_up.c, relay_down.c). What the other stream does not take
 * becomes that direction's backlog, and while there is one, its source is not read: so a direction
 * holds at most what one read made.
 *
 * Every event ends in pump(), which moves on what can be moved and sets what to wait for. How it
 * ends is in relay_end.c. */
#include "relay.h"

#include "fd.h"
#include "owner.h"
#include "relay_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What waits in the kernel before a client's narrow line is old when it arrives, and the answer to
 * a click comes behind it. Less makes no difference any more, more is felt (scripts/bench narrow).
 */
#define UNSENT_MOST (32 * 1024)

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
    uint32_t framed = 0, in = 0, plain = 0;
    bool paired = relay->framed_in != relay->framed;
    if (relay_up_wanted(relay))
        *(paired ? &in : &framed) |= EPOLLIN;
    if (paired && !relay->closing && !relay->out_ended)
        framed |= EPOLLIN; /* for its end */
    if (framed_full)
        framed |= EPOLLOUT;
    else if (relay_down_wanted(relay))
        plain |= EPOLLIN;
    if (relay->plain_full)
        plain |= EPOLLOUT;
    int error = wait_for(relay, &relay->framed_source, relay->framed->fd, framed);
    if (!error && paired)
        error = wait_for(relay, &relay->in_source, relay->framed_in->fd, in);
    if (!error)
        error = wait_for(relay, &relay->plain_source, relay->plain->fd, plain);
    if (!error && ((framed & EPOLLIN && stream_readable(relay->framed)) ||
                   (in & EPOLLIN && stream_readable(relay->framed_in)) ||
                   (plain & EPOLLIN && stream_readable(relay->plain))))
        error = loop_timer_set(relay->loop, &relay->again, 0);
    if (error)
        relay_end_lose(relay, RELAY_FRAMED_LOST, error);
}

/* The end is decided, both sides have all that is theirs, and the framed peer has said its last. */
static bool complete(const struct relay *relay, bool framed_full)
{
    return relay->result && relay->framed_ended && !relay->plain_full && !framed_full &&
           !relay->close_due;
}

static void pump(struct relay *relay)
{
    if (relay->over)
        return;
    relay_up_drain(relay);
    bool full = relay_down_drain(relay);
    if (relay->over)
        return;
    if (complete(relay, full))
        relay_end_finish(relay);
    else
        set_interest(relay, full);
}

static void on_framed(struct loop_source *source, uint32_t events)
{
    struct relay *relay = OWNER_OF(source, struct relay, framed_source);
    if (events & EPOLLOUT) /* it was full: its host takes bytes, so it lives, if slowly */
        relay->heard_ms = loop_now(relay->loop);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) {
        if (relay->framed_in == relay->framed)
            relay_up_read(relay);
        else
            relay_end_outward(relay);
    }
    pump(relay);
}

static void on_in(struct loop_source *source, uint32_t events)
{
    struct relay *relay = OWNER_OF(source, struct relay, in_source);
    (void)events;
    relay_up_read(relay);
    pump(relay);
}

static void on_plain(struct loop_source *source, uint32_t events)
{
    struct relay *relay = OWNER_OF(source, struct relay, plain_source);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        relay_down_read(relay);
    pump(relay);
}

static void on_again(struct loop_timer *timer)
{
    struct relay *relay = OWNER_OF(timer, struct relay, again);
    relay_up_read(relay);
    if (relay->framed_in != relay->framed)
        relay_end_outward(relay);
    relay_down_read(relay);
    pump(relay);
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
    if (relay->closing)
        relay_end_finish(relay); /* nobody answered in time */
    else if (relay->in_ended || relay->out_ended)
        relay_end_half(relay);
    else
        relay_clock_look(relay);
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
    relay_up_take(relay, copy, setup->early_size);
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
    relay->framed_in = setup->framed_in ? setup->framed_in : setup->framed;
    relay->framing = setup->framing;
    if (relay->framing == RELAY_RAW)
        relay->hush = setup->hush;
    else if (relay->framing == RELAY_RDG)
        relay->in_lost = setup->in_lost;
    relay->wipes = setup->wipes;
    relay->ping_ms = setup->ping_ms;
    relay->idle_ms = setup->idle_ms;
    relay->ended = setup->ended;
    relay->decided = setup->decided;
    relay->moved = setup->moved;
    relay_watch(relay);
    relay->owner = setup->owner;
    if (setup->framing != RELAY_CHUNKED)
        relay->reader.from_client = setup->framing != RELAY_WS_CLIENT;
    relay->framed_source.ready = on_framed;
    relay->in_source.ready = on_in;
    relay->plain_source.ready = on_plain;
    relay->timer.fire = on_timer;
    relay->again.fire = on_again;
    relay->heard_ms = relay->payload_ms = relay->pinged_ms = loop_now(setup->loop);
    if (relay->framing != RELAY_RAW)
        fd_unsent_most(relay->framed->fd, UNSENT_MOST);
    /* Armed before bytes come and ever after: setting an armed timer cannot fail. */
    int error = loop_timer_set(relay->loop, &relay->timer, 0);
    if (!error)
        error = take_early(relay, setup);
    if (error) {
        relay_free(relay);
        return error;
    }
    if (!relay->closing && !relay->over)
        relay_clock_look(relay);
    pump(relay);
    *out = relay;
    return 0;
}

void relay_free(struct relay *relay)
{
    if (!relay)
        return;
    loop_remove(relay->loop, &relay->framed_source);
    loop_remove(relay->loop, &relay->in_source);
    loop_remove(relay->loop, &relay->plain_source);
    loop_timer_cancel(relay->loop, &relay->timer);
    loop_timer_cancel(relay->loop, &relay->again);
    backlog_free(&relay->to_plain);
    backlog_free(&relay->to_framed);
    free(relay->result);
    free(relay->pong);
    free(relay->words);
    free(relay);
}

void relay_close(struct relay *relay, uint16_t code, const char *reason)
{
    relay_end_close(relay, RELAY_CLOSED, 0, code, reason);
    pump(relay);
}

bool relay_say(struct relay *relay, const uint8_t *packet, size_t size)
{
    if (relay->closing || relay->over || !relay_control_said(relay, packet, size))
        return false;
    pump(relay);
    return true;
}

void relay_counts(const struct relay *relay, uint64_t *up, uint64_t *down)
{
    *up = relay->up;
    *down = relay->down;
}

bool relay_holds(const struct relay *relay)
{
    return relay->to_plain.data || relay->to_framed.data || relay->plain_full;
}

void relay_watch(struct relay *relay)
{
    relay->watched = relay->moved != NULL;
}

void relay_take(struct relay *relay, struct relay_rest *rest)
{
    backlog_give(&relay->to_plain, &rest->to_plain, &rest->to_plain_size);
    backlog_give(&relay->to_framed, &rest->to_framed, &rest->to_framed_size);
    relay_free(relay);
}
