/* The end of a relay comes in two steps. `closing`: the result is known, what was taken is being
 * delivered, a close frame is on its way or answered, and a deadline runs. `over`: both descriptors
 * have left the loop and the timer will call `ended`, so that the owner is never called from within
 * its own call. */
#include "relay_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_MS 2000 /* for the peers to take their last bytes and answer */

/* The first word on how it ended is the one that counts. */
static void decide(struct relay *relay, const struct relay_result *result)
{
    if (relay->result)
        return;
    relay->result = malloc(sizeof(*result));
    if (relay->result) /* otherwise ended() gets a result without words */
        *relay->result = *result;
}

void relay_end_finish(struct relay *relay)
{
    if (relay->over)
        return;
    relay->over = true;
    loop_remove(relay->loop, &relay->framed_source);
    loop_remove(relay->loop, &relay->in_source);
    loop_remove(relay->loop, &relay->plain_source);
    loop_timer_cancel(relay->loop, &relay->again);
    loop_timer_set(relay->loop, &relay->timer, 0);
}

void relay_end_lose(struct relay *relay, enum relay_end end, int error)
{
    decide(relay, &(struct relay_result){.end = end, .error = error, .close_code = WS_NO_CODE});
    relay_end_finish(relay);
}

static void begin_closing(struct relay *relay, const struct relay_result *result, bool tell)
{
    decide(relay, result);
    relay->closing = true;
    if (!relay->result) {
        relay_end_finish(relay);
        return;
    }
    if (relay->decided)
        relay->decided(relay->owner, relay->result);
    relay->close_due = tell;
    loop_timer_set(relay->loop, &relay->timer, CLOSE_MS);
}

void relay_end_close(struct relay *relay, enum relay_end end, int error, uint16_t code,
                     const char *words)
{
    if (relay->closing || relay->over)
        return;
    struct relay_result result = {.end = end, .error = error, .close_code = code};
    size_t size = strlen(words);
    if (size >= sizeof(result.reason))
        size = sizeof(result.reason) - 1;
    memcpy(result.reason, words, size);
    begin_closing(relay, &result, !relay_is_mute(relay));
    if (relay_is_mute(relay))
        relay_end_finish(relay);
}

void relay_end_heard(struct relay *relay, const struct relay_result *result, bool answer)
{
    relay->framed_ended = true;
    if (!relay->closing)
        begin_closing(relay, result, answer);
}

/* ---- a pair of channels ---- */

/* A client that goes, goes on both, and which one is noticed first is chance. */
static void gone(struct relay *relay, bool lost)
{
    struct relay_result result = {.end = lost ? RELAY_FRAMED_LOST : RELAY_FRAMED_CLOSED,
                                  .error = lost ? -ECONNRESET : 0,
                                  .close_code = WS_NO_CODE};
    relay_end_heard(relay, &result, false);
}

static bool in_lost(const struct relay *relay)
{
    return relay->in_lost && atomic_load(relay->in_lost);
}

void relay_end_inward(struct relay *relay)
{
    relay->in_ended = true;
    if (relay->closing)
        relay->framed_ended = true;
    else if (relay->out_ended || in_lost(relay))
        gone(relay, in_lost(relay));
    else
        loop_timer_set(relay->loop, &relay->timer, CLOSE_MS);
}

void relay_end_outward(struct relay *relay)
{
    struct stream_scratch *scratch = relay->scratch;
    ssize_t got = relay->closing || relay->out_ended
                      ? -EAGAIN
                      : stream_read(relay->framed, scratch->data, sizeof(scratch->data));
    if (got == -EAGAIN)
        return;
    if (got > 0) {
        relay_end_close(relay, RELAY_PROTOCOL, 0, WS_PROTOCOL_ERROR,
                        "bytes came on the channel that only takes");
    } else if (got < 0 || relay->in_ended) {
        gone(relay, got < 0 || in_lost(relay));
    } else {
        relay->out_ended = true;
        loop_timer_set(relay->loop, &relay->timer, CLOSE_MS);
    }
}

/* A goodbye on the one that takes is one; on the other it is half of one. */
void relay_end_half(struct relay *relay)
{
    gone(relay, !relay->out_ended || in_lost(relay));
}
