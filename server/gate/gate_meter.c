#include "gate_meter.h"

#include "gate_state.h"
#include "worker.h"

#include <stddef.h>

void gate_meter_answer(struct gate_meter *meter, unsigned status)
{
    unsigned hundreds = status / 100;
    if (hundreds >= 1 && hundreds <= 5)
        gate_meter_add(meter, (enum gate_meter_value)(GATE_METER_ANSWERS + hundreds - 1), 1);
}

static void add(const struct gate_meter *meter, uint64_t sums[GATE_METER_VALUES])
{
    for (size_t i = 0; i < GATE_METER_VALUES; i++)
        sums[i] += atomic_load_explicit(&meter->values[i], memory_order_relaxed);
}

void gate_meter_sum(const struct gate_state *gate, uint64_t sums[GATE_METER_VALUES])
{
    for (size_t i = 0; i < GATE_METER_VALUES; i++)
        sums[i] = 0;
    add(&gate->http_meter, sums);
    for (size_t i = 0; i < gate->worker_count; i++)
        add(&gate->workers[i]->meter, sums);
}
