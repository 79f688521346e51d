#include "keeper_meter.h"

#include "asked.h"
#include "gate_link.h"
#include "keeper_state.h"
#include "live.h"
#include "log.h"

#include <string.h>

/* What an earlier process left behind (live_end_stale) has no gate and is not counted. */
void keeper_meter_opened(struct keeper *keeper, const struct live *live)
{
    if (live->gate && live->way < IPC_WAYS)
        keeper->meter.opened[live->way]++;
}

void keeper_meter_ended(struct keeper *keeper, const struct live *live)
{
    if (live->gate && live->end < IPC_ENDS)
        keeper->meter.ended[live->end]++;
}

static void put_live(const struct keeper *keeper, struct ipc_metrics_told *told)
{
    for (const struct live *live = keeper->live; live; live = live->next)
        told->live[live->way < IPC_WAYS ? live->way : 0]++;
}

static void put_queues(const struct keeper *keeper, struct ipc_metrics_told *told)
{
    told->dials = keeper->meter.dials.under_way;
    told->probes = keeper->meter.probes.under_way;
    told->hashes = pool_waiting(keeper->hashers);
    told->resolves = pool_waiting(keeper->resolvers);
}

static void put_store(const struct keeper *keeper, struct ipc_metrics_told *told)
{
    struct store_census census = {0};
    int64_t now = keeper_now();
    enum store_result result = store_census(
        keeper->store, now, now - (int64_t)keeper->conf->session_idle_seconds, &census);
    told->status = result == STORE_OK ? IPC_OK : IPC_FAILED;
    if (result != STORE_OK)
        LOG_ERROR("store", "sessions and people could not be counted",
                  LOG_TEXT("error", store_error(keeper->store)));
    told->sessions = census.sessions;
    told->people = census.people;
    told->disabled = census.disabled;
    told->desktops = census.desktops;
}

int asked_metrics(struct gate_link *link, const union ipc_record *record)
{
    const struct keeper *keeper = link->keeper;
    const struct keeper_meter *meter = &keeper->meter;
    struct ipc_metrics_told told;
    IPC_INIT(&told, METRICS_TOLD, record->head.request);
    memcpy(told.opened, meter->opened, sizeof(told.opened));
    memcpy(told.ended, meter->ended, sizeof(told.ended));
    memcpy(told.dialled, meter->dials.outcomes, sizeof(told.dialled));
    told.dial = meter->dials.took;
    memcpy(told.alerts, meter->alerts, sizeof(told.alerts));
    told.woken = meter->dials.woken;
    told.silent = meter->dials.silent;
    told.vitals = vitals_read();
    put_live(keeper, &told);
    put_queues(keeper, &told);
    put_store(keeper, &told);
    gate_link_send(link, &told.head, -1);
    return 0;
}
