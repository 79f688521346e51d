#include "notice.h"

#include "live.h"
#include "log.h"

/* A word to everybody is a row per tunnel, and a gate's queue has an end. */
#define ROUND_MOST 256

struct round {
    struct keeper *keeper;
    unsigned count;
};

static int tell_one(void *owner, const struct store_notice *notice)
{
    struct round *round = owner;
    round->count++;
    round->keeper->notices.told = notice->id;
    live_say(round->keeper, notice->tunnel, notice->words);
    return 0;
}

void notice_changed(struct keeper *keeper)
{
    keeper->notices.waiting = true;
}

void notice_tell(struct keeper *keeper)
{
    struct round round = {.keeper = keeper};
    if (!keeper->notices.waiting)
        return;
    enum store_result result =
        store_notice_list(keeper->store, keeper->notices.told, ROUND_MOST, tell_one, &round);
    if (result != STORE_OK)
        LOG_ERROR("store", "an administrator's words could not be read",
                  LOG_TEXT("error", store_error(keeper->store)));
    keeper->notices.waiting = round.count == ROUND_MOST;
}
