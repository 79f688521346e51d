/* Time in a relay. Bytes only note when they came; one timer looks at the notes when the earliest
 * limit could have passed, so a busy relay sets no timers. */
#include "relay_state.h"

#include <errno.h>

#define PONGS_MISSED 3 /* silent for so many ping intervals: lost */
#define DAY_MS                                                                                     \
    (24 * 3600 * 1000) /* without limits it looks once a day: an armed timer can be set            \
                          again without memory, so the end needs none */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Returns when to look again. */
static uint64_t look_at_silence(struct relay *relay, uint64_t now)
{
    if (!relay_up_wanted(relay)) /* it is we who do not listen */
        relay->heard_ms = now;
    uint64_t quiet = now - relay->heard_ms;
    if (quiet >= (uint64_t)relay->ping_ms * PONGS_MISSED) {
        relay_end_lose(relay, RELAY_FRAMED_LOST, -ETIMEDOUT);
        return now;
    }
    if (quiet >= relay->ping_ms && now - relay->pinged_ms >= relay->ping_ms) {
        relay->ping_due = true;
        relay->pinged_ms = now;
    }
    return most(relay->pinged_ms, relay->heard_ms) + relay->ping_ms;
}

void relay_clock_look(struct relay *relay)
{
    uint64_t now = loop_now(relay->loop), next = now + DAY_MS;
    if (relay->idle_ms) {
        if (now - relay->payload_ms >= relay->idle_ms) {
            relay_end_close(relay, RELAY_IDLE, 0, RELAY_IDLE_CODE,
                            "closed after a long time without activity");
            return;
        }
        next = least(next, relay->payload_ms + relay->idle_ms);
    }
    if (relay->ping_ms)
        next = least(next, look_at_silence(relay, now));
    if (!relay->over)
        loop_timer_set(relay->loop, &relay->timer, next > now ? next - now : 1);
}
