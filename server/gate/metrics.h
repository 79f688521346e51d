/* The gateway's numbers as Prometheus wants them. A pure function over what was gathered. */
#pragma once

#include "gate_meter.h"
#include "ipc.h"
#include "keeper_link.h"

#include <stddef.h>
#include <stdint.h>

struct metrics_numbers {
    uint64_t gate[GATE_METER_VALUES];
    uint32_t connections, connections_most, strangers, handshakes;
    uint32_t workers;
    int64_t certificate_expire; /* Unix seconds; 0: not known */
    struct vitals vitals;
    struct keeper_link_numbers link;
    const struct ipc_metrics_told *keeper; /* NULL: it did not answer */
};

/* malloc'd text, NUL-terminated, and its length; NULL: no memory. */
char *metrics_write(const struct metrics_numbers *numbers, size_t *size);
