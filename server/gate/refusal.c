#include "refusal.h"

#include "loop.h"

#include <pthread.h>
#include <stdbool.h>

/* journald.conf(5): 10000 lines of a unit in 30 s are kept, unless it says otherwise; there may be
 * several gates, and the keeper needs most of them. */
#define EACH_SECOND 50

static struct {
    pthread_mutex_t lock;
    uint64_t second;
    unsigned written; /* in that second */
    uint64_t left_out;
} refusals = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Returns how many of a second that is over were left out. */
static uint64_t go_on(void)
{
    uint64_t now = loop_clock_ms() / 1000, left_out = refusals.left_out;
    if (now == refusals.second)
        return 0;
    refusals.second = now;
    refusals.written = 0;
    refusals.left_out = 0;
    return left_out;
}

static void tell(uint64_t left_out)
{
    if (left_out)
        LOG_INFO("refused.more", "there were more refusals than are written down",
                 LOG_NUMBER("left_out", left_out));
}

void refusal_log(const char *event, const char *message, const struct log_field *fields)
{
    pthread_mutex_lock(&refusals.lock);
    uint64_t left_out = go_on();
    bool writes = refusals.written < EACH_SECOND;
    if (writes)
        refusals.written++;
    else
        refusals.left_out++;
    pthread_mutex_unlock(&refusals.lock);
    tell(left_out);
    if (writes)
        log_write(LOG_LEVEL_INFO, event, message, fields);
}

void refusal_tick(void)
{
    pthread_mutex_lock(&refusals.lock);
    uint64_t left_out = go_on();
    pthread_mutex_unlock(&refusals.lock);
    tell(left_out);
}
