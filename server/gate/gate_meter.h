/* What the gate counts for Prometheus. Each worker has a meter of its own and the HTTP thread one;
 * they are added up when somebody looks. Nothing here runs per byte. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct gate_state;

enum gate_meter_value {
    GATE_METER_ACCEPTED_TLS,
    GATE_METER_ACCEPTED_HTTP,
    GATE_METER_REFUSED,       /* over a limit on connections */
    GATE_METER_DISPLACED,     /* ended to make room */
    GATE_METER_ACCEPT_FAILED, /* out of descriptors or memory */
    GATE_METER_HANDSHAKE_FULL,
    GATE_METER_HANDSHAKE_RESUMED,
    GATE_METER_HANDSHAKE_FAILED, /* begun and not finished */
    GATE_METER_UP,               /* payload bytes of tunnels: client to desktop … */
    GATE_METER_DOWN,             /* … and desktop to client */
    GATE_METER_ANSWERS,          /* HTTP's, by hundreds: 1xx … */
    GATE_METER_ANSWERS_5XX = GATE_METER_ANSWERS + 4,
    GATE_METER_VALUES
};

struct gate_meter {
    atomic_uint_fast64_t values[GATE_METER_VALUES];
};

static inline void gate_meter_add(struct gate_meter *meter, enum gate_meter_value value,
                                  uint64_t amount)
{
    atomic_fetch_add_explicit(&meter->values[value], amount, memory_order_relaxed);
}

/* An HTTP answer with this status. */
void gate_meter_answer(struct gate_meter *meter, unsigned status);

/* The sums over all meters. Any thread. */
void gate_meter_sum(const struct gate_state *gate, uint64_t sums[GATE_METER_VALUES]);
