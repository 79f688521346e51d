/* What the keeper counts for Prometheus; told to the gate when it asks (METRICS). */
#pragma once

#include "dial.h"
#include "ipc.h"

struct keeper;
struct live;

struct keeper_meter {
    uint64_t opened[IPC_WAYS], ended[IPC_ENDS];
    uint64_t alerts[ALERT_RULES];
    struct dial_meter dials, probes; /* to open a desktop, and only to see whether it answers */
};

void keeper_meter_opened(struct keeper *keeper, const struct live *live);
void keeper_meter_ended(struct keeper *keeper, const struct live *live);
