/* Time in a relay. Bytes only note when they came; one timer looks at the notes when the earliest
 * limit could have passed, so a busy relay sets no timers. */
#include "day.h"
#include "relay_state.h"

#include <errno.h>

#define PONGS_MISSED 3 /* silent for so many ping intervals: lost */

/* An answer comes some milliseconds after its ping. The next look may come that much too early,
 * else each ping would take two. */
#define EARLY 8 /* such a part of the interval */
/* Thousands of tunnels shall not each wake us alone: pings are due on a grid, some 30 ms wide. */
#define GRID 1024 /* such a part of the interval */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t on_grid(const struct relay *relay, uint64_t at)
{
    uint64_t step = relay->ping_ms / GRID + 1;
    return (at + step - 1) / step * step;
}

/* Loss is counted in pings without an answer, not in time: after a stall of our own nobody has been
 * asked yet. Returns when to look again. */
static uint64_t look_at_silence(struct relay *relay, uint64_t now)
{
    uint64_t since = most(relay->pinged_ms, relay->heard_ms);
    if (now - since + relay->ping_ms / EARLY < relay->ping_ms)
        return on_grid(relay, since + relay->ping_ms);
    if (relay->heard_ms >= relay->pinged_ms)
        relay->unanswered = 0;
    /* While the plain side takes nothing it is we who do not listen; the ping still says that we
     * live, to a peer whose own are stuck on the way to us. An RD Gateway client owes no answer to
     * a keepalive ([MS-TSGU] section 2.2.10.8): only one that has given any may be missed. */
    if (!relay_up_wanted(relay) || (relay_is_rdg(relay) && !relay->echoes))
        relay->unanswered = 0;
    else if (++relay->unanswered == PONGS_MISSED)
        relay_end_lose(relay, RELAY_FRAMED_LOST, -ETIMEDOUT);
    relay->ping_due = true;
    relay->pinged_ms = now;
    return on_grid(relay, now + relay->ping_ms);
}

void relay_clock_look(struct relay *relay)
{
    /* Without limits once a day: an armed timer can be set again without memory, so the end needs
     * none. */
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
