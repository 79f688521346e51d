#include "wall_clock.h"

#include "live.h"
#include "log.h"
#include "record_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLACK_MS 2000 /* NTP slews, and we may be kept waiting between the two readings */

/* How far the wall clock is ahead of one that cannot be set. */
static int64_t ahead_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME,
                  &now); /* goes on while the machine sleeps, as the wall clock does */
    return keeper_now_ms() - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* False: to be tried again. */
static bool put_right(struct keeper *keeper)
{
    enum store_result result = store_begin(keeper->store);
    if (result == STORE_OK)
        result = store_clock_back(keeper->store, keeper_now());
    if (result == STORE_OK)
        result = store_commit(keeper->store);
    if (result == STORE_OK)
        return true;
    LOG_ERROR("store", "dates in the future could not be put right; trying again",
              LOG_TEXT("error", store_error(keeper->store)));
    store_rollback(keeper->store);
    return false;
}

/* Limits that come later count from now at the latest; the gate counts those that it was given by a
 * clock that cannot be set. */
static void put_right_living(struct keeper *keeper)
{
    int64_t now = keeper_now();
    for (struct live *live = keeper->live; live; live = live->next) {
        if (live->since > now)
            live->since = now;
        if (live->told_at > now)
            live->told_at = now;
    }
}

void wall_clock_start(struct keeper *keeper)
{
    keeper->clock.ahead_ms = ahead_ms();
    keeper->clock.back = !put_right(keeper);
}

static void tell(struct keeper *keeper, int64_t by_ms)
{
    static const struct ipc_origin nobody;
    const char *where = by_ms < 0 ? "back" : "forward";
    char words[64];
    snprintf(words, sizeof(words), "by %" PRId64 " seconds", (int64_t)(llabs(by_ms) + 500) / 1000);
    LOG_WARNING("clock", "the wall clock was set", LOG_TEXT("to", where),
                LOG_TEXT("by", words + 3));
    if (keeper->duty.ours) /* one row, however many keepers see it */
        record_audit(keeper, &nobody, "clock-set", where, NULL, NULL, words);
}

bool wall_clock_look(struct keeper *keeper)
{
    int64_t ahead = ahead_ms(), by_ms = ahead - keeper->clock.ahead_ms;
    bool set = llabs(by_ms) > SLACK_MS;
    keeper->clock.ahead_ms = ahead;
    if (set) {
        tell(keeper, by_ms);
        keeper->clock.back |= by_ms < 0;
        put_right_living(keeper);
        live_review(keeper); /* whatever was to be looked at later */
    }
    if (keeper->clock.back)
        keeper->clock.back = !put_right(keeper);
    return set;
}
